// The form of recorded values, both ways: u64 as {"u64":"12"}, bytes as {"b64":"…"}, an absent option as null.
// Records, variants and enums are in JSON what they are in jco. Nothing here is of Node: a page replays, too.

/** A recorded value as jco takes it. */
export function decode(value) {
  if (value === null) return undefined;
  if (Array.isArray(value)) return value.map(decode);
  if (typeof value !== 'object') return value;
  if (value.u64 !== undefined) return BigInt(value.u64);
  if (value.b64 !== undefined) return fromBase64(value.b64);
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, decode(inner)]));
}

/** A value of jco's as it is recorded. */
export function encode(value) {
  if (value === undefined || value === null) return null;
  if (typeof value === 'bigint') return { u64: value.toString() };
  if (value instanceof Uint8Array) return { b64: toBase64(value) };
  if (Array.isArray(value)) return value.map(encode);
  if (typeof value !== 'object') return value;
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, encode(inner)]));
}

function fromBase64(text) {
  return globalThis.Buffer ? new Uint8Array(Buffer.from(text, 'base64')) : Uint8Array.fromBase64(text);
}

function toBase64(bytes) {
  return globalThis.Buffer ? Buffer.from(bytes).toString('base64') : bytes.toBase64();
}
