// SHA-256 of a blob: by the platform in one go if it is small, else piece by piece.

import { HydrantError } from '../error.js';

/** Bytes of a blob that is taken into memory to be hashed in one go. */
const WHOLE_BYTES_MAX = 16 << 20;
/** Bytes that a hasher gets at once: wasm that is called with more never gets fast. */
const CALL_BYTES = 64 << 10;

/** Throws if a blob of this size cannot be hashed without a hasher. */
export function needHasher(bytes, Hasher) {
  if (Hasher || (bytes <= WHOLE_BYTES_MAX && globalThis.crypto?.subtle)) return;
  const detail = 'to verify blobs of this size, call init() and give verify({ Hasher }) the Hasher of this package';
  throw new HydrantError({ code: 'host', detail });
}

/** The oid of a blob; nothing if it cannot be read. `Hasher` is a class with `update` and `finish`. */
export async function digest(blob, Hasher, signal) {
  if (blob.size > WHOLE_BYTES_MAX || !globalThis.crypto?.subtle) return streamed(blob, new Hasher(), signal);
  let whole;
  try {
    whole = await blob.arrayBuffer();
  } catch {
    return undefined;
  }
  const bytes = new Uint8Array(await crypto.subtle.digest('SHA-256', whole));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
}

async function streamed(blob, hasher, signal) {
  const reader = blob.stream().getReader();
  let isDone = false;
  try {
    for (;;) {
      let piece;
      try {
        ({ done: isDone, value: piece } = await reader.read());
      } catch {
        return undefined;
      }
      signal?.throwIfAborted();
      if (isDone) return hasher.finish();
      for (let at = 0; at < piece.length; at += CALL_BYTES) hasher.update(piece.subarray(at, at + CALL_BYTES));
    }
  } finally {
    if (!isDone) {
      reader.cancel().catch(() => {});
      hasher.free?.();
    }
  }
}
