// SHA-256 of a blob in a store.

import { Digest, hashesInPieces } from '../driver/digest.js';
import { pieces } from '../driver/pieces.js';
import { HydrantError } from '../error.js';

/** Bytes of a blob that is taken into memory to be hashed in one go where there is no hasher. */
const WHOLE_BYTES_MAX = 16 << 20;

/** Throws if a blob of this size cannot be hashed without a hasher. */
export function needHasher(bytes, Hasher) {
  if (Hasher || hashesInPieces || (bytes <= WHOLE_BYTES_MAX && globalThis.crypto?.subtle)) return;
  const detail = 'to verify blobs of this size, call init() and give verify({ Hasher }) the Hasher of this package';
  throw new HydrantError({ code: 'host', detail });
}

/** The oid of a blob; nothing if it cannot be read. */
export async function digest(blob, Hasher, signal) {
  const hashed = new Digest(blob.size, Hasher);
  try {
    for (const source = pieces(blob.stream(), signal, blob.size); ;) {
      const piece = await source.next().catch(() => undefined);
      signal?.throwIfAborted();
      if (!piece) return undefined;
      if (piece.done) return (await hashed.blob()).oid;
      hashed.update(piece.value);
    }
  } finally {
    hashed.end();
  }
}
