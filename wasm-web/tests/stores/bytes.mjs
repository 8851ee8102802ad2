// Bytes to keep, and how an operation puts them into a store.

/** Bytes of a piece, as a network gives them. */
export const PIECE_BYTES = 64 << 10;

/** Bytes that look random, the same for the same seed. */
export function noise(size, seed) {
  const bytes = new Uint8Array(size);
  let state = (seed * 2_654_435_761 + 1) >>> 0;
  for (let at = 0; at < size; at += 1) {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    bytes[at] = state >>> 24;
  }
  return bytes;
}

/** What these bytes hash to. */
export async function oidOf(bytes) {
  const digest = new Uint8Array(await crypto.subtle.digest('SHA-256', bytes));
  return Array.from(digest, (byte) => byte.toString(16).padStart(2, '0')).join('');
}

/** A blob of this size. */
export async function blob(size, seed = size) {
  const bytes = noise(size, seed);
  return { bytes, size, oid: await oidOf(bytes) };
}

let ids = 0;

/** An id for a stage, such as the core makes them. */
export function newId() {
  ids += 1;
  return `${crypto.randomUUID().slice(0, 16)}-${ids}`;
}

/** Writes bytes to a new stage and closes it; its id. */
export async function write(store, { oid, size }, bytes, { older, validator, pieceBytes = PIECE_BYTES } = {}) {
  const id = newId();
  const stage = await store.stage(id, { oid, size }, older);
  for (let at = 0; at < bytes.length; at += pieceBytes) await stage.write(bytes.slice(at, at + pieceBytes));
  await stage.close(validator);
  return id;
}

/** Keeps a blob. */
export async function keep(store, it) {
  await store.keep(await write(store, it, it.bytes), it.oid);
}

/** All bytes of a Blob. */
export async function bytesOf(it) {
  return new Uint8Array(await it.arrayBuffer());
}

/** What the bytes hash to that a store gives for an oid. */
export async function heldOid(store, oid) {
  const held = await store.open(oid);
  return held && oidOf(await bytesOf(held));
}
