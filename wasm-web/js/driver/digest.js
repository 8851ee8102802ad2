// SHA-256 of bytes that come in pieces: by the platform where that is quicker and all of it fits into memory, else by
// the module, piece by piece.

import { wrong } from '../error.js';
import { isDetached } from '../lane.js';
import { pieces } from './pieces.js';

/** Bytes from which the platform is quicker: a call of it costs as much as hashing these (measured). */
const PLATFORM_BYTES_MIN = 2 * 1024;
/**
 * Bytes that it gets at once at most: it copies them, and a page stands still meanwhile. Half a frame in a page; a
 * worker has the time.
 */
const PLATFORM_BYTES_MAX = ('window' in globalThis ? 32 : 64) * 1024 * 1024;
/** Bytes that are held for it at most, by all that is under way. */
const HELD_BYTES_MAX = 128 * 1024 * 1024;
/** Bytes that one call hashes: the engine of V8 never optimises a call that is under way (measured). */
const CALL_BYTES = 64 * 1024;
/** Each byte in hexadecimal digits. */
const HEX = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, '0'));

/** Node, Deno and Bun hash in pieces by themselves. */
const native = globalThis.process?.getBuiltinModule?.('node:crypto');
/** Whether this platform needs no hasher of the module. */
export const hashesInPieces = native !== undefined;
let held = 0;

/** A digest that is not complete. Call `end` when it is of no use any more. */
export class Digest {
  bytes = 0;
  #hasher;
  /** All bytes, for a platform that hashes them at once. */
  #whole;

  /** A digest of about so many bytes. `Hasher` is the module's class; without it, the platform must do. */
  constructor(expected, Hasher) {
    const isQuicker = expected >= PLATFORM_BYTES_MIN && expected <= PLATFORM_BYTES_MAX;
    const hasRoom = held + expected <= HELD_BYTES_MAX;
    if (native) {
      this.#hasher = new Native();
    } else if (globalThis.crypto?.subtle && ((isQuicker && hasRoom) || !Hasher)) {
      this.#whole = new Uint8Array(expected);
      held += expected;
    } else {
      this.#hasher = new Hasher();
    }
  }

  /** Takes a piece. */
  update(piece) {
    if (this.#whole) {
      // What is more than was expected shows in the length: it is not the blob, whatever it hashes to.
      const left = Math.max(this.#whole.length - this.bytes, 0);
      this.#whole.set(piece.subarray(0, left), this.#whole.length - left);
    } else {
      for (let at = 0; at < piece.length; at += CALL_BYTES) this.#hasher.update(piece.subarray(at, at + CALL_BYTES));
    }
    this.bytes += piece.length;
  }

  /** What the bytes are: the contract's `lfs-blob`. Nothing can follow. */
  async blob() {
    const size = BigInt(this.bytes);
    if (this.#hasher) {
      const hasher = this.#hasher;
      this.#hasher = undefined;
      return { oid: hasher.finish(), size };
    }
    const digest = await crypto.subtle.digest('SHA-256', this.#whole.subarray(0, this.bytes));
    return { oid: new Uint8Array(digest).reduce((hex, byte) => hex + HEX[byte], ''), size };
  }

  /** Gives back what it holds. */
  end() {
    held -= this.#whole?.length ?? 0;
    this.#whole = undefined;
    this.#hasher?.free?.();
    this.#hasher = undefined;
  }
}

/** The runtime's own hash in the form of the module's. */
class Native {
  #hash = native.createHash('sha256');

  update(piece) {
    this.#hash.update(piece);
  }

  finish() {
    return this.#hash.digest('hex');
  }
}

/** What a Blob, bytes, or a stream of bytes are. */
export async function digested(content, Hasher) {
  const isStream = content instanceof ReadableStream;
  const blob = isStream ? undefined : content instanceof Blob ? content : new Blob([bytesOf(content)]);
  const digest = new Digest(blob ? blob.size : Infinity, Hasher);
  try {
    for await (const piece of pieces(blob ? blob.stream() : content, undefined, blob?.size)) {
      if (!(piece instanceof Uint8Array)) throw wrong('a piece of the stream', 'a Uint8Array', piece);
      digest.update(piece);
    }
    return await digest.blob();
  } finally {
    digest.end();
  }
}

/** Bytes that a Blob takes. It takes no memory that threads share: of that, a copy. */
function bytesOf(content) {
  const buffer = ArrayBuffer.isView(content) ? content.buffer : content;
  const isShared = globalThis.SharedArrayBuffer && buffer instanceof SharedArrayBuffer;
  if ((!isShared && !(buffer instanceof ArrayBuffer)) || isDetached(buffer)) {
    throw wrong('the content', 'a Blob, bytes, or a stream of bytes', content);
  }
  if (!isShared) return content;
  const { byteOffset = 0, byteLength } = content;
  return new Uint8Array(buffer, byteOffset, byteLength).slice();
}
