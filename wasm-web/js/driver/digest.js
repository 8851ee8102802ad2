// SHA-256 of bytes that come in pieces: by the platform where that is quicker and all of it fits into memory, else by
// the module, piece by piece.

import { wrong } from '../error.js';
import { isDetached } from '../lane.js';
import { pieces } from './pieces.js';

/** Bytes from which the platform is quicker: a call of it costs as much as hashing these (measured). */
const PLATFORM_BYTES_MIN = 2 * 1024;
/**
 * Bytes that it gets at most: it takes them in one piece, and a page stands still while that is put together and copied.
 */
const PLATFORM_BYTES_MAX = 16 * 1024 * 1024;
/** Bytes that are held for the platform at most, by all that is under way. */
const HELD_BYTES_MAX = 64 * 1024 * 1024;
/** Bytes that one call hashes: the engine of V8 never optimises a call that is under way (measured). */
const CALL_BYTES = 64 * 1024;

let held = 0;

/** A digest that is not complete. Call `end` when it is of no use any more. */
export class Digest {
  bytes = 0;
  #hasher;
  #pieces = [];
  #held = 0;

  /** A digest of about so many bytes. `Hasher` is the module's class; without it, the platform must do. */
  constructor(expected, Hasher) {
    const fits = expected <= PLATFORM_BYTES_MAX && held + expected <= HELD_BYTES_MAX;
    const isQuicker = expected >= PLATFORM_BYTES_MIN && fits;
    if (globalThis.crypto?.subtle && (isQuicker || !Hasher)) {
      this.#held = expected;
      held += expected;
    } else {
      this.#hasher = new Hasher();
    }
  }

  /** Takes a piece, which nobody may change afterwards. */
  update(piece) {
    this.bytes += piece.length;
    if (!this.#hasher) {
      this.#pieces.push(piece);
      return;
    }
    for (let at = 0; at < piece.length; at += CALL_BYTES) this.#hasher.update(piece.subarray(at, at + CALL_BYTES));
  }

  /** What the bytes are: the contract's `lfs-blob`. Nothing can follow. */
  async blob() {
    const size = BigInt(this.bytes);
    if (this.#hasher) {
      const hasher = this.#hasher;
      this.#hasher = undefined;
      return { oid: hasher.finish(), size };
    }
    const digest = new Uint8Array(await crypto.subtle.digest('SHA-256', joined(this.#pieces, this.bytes)));
    return { oid: Array.from(digest, (byte) => byte.toString(16).padStart(2, '0')).join(''), size };
  }

  /** Gives back what it holds. */
  end() {
    held -= this.#held;
    this.#held = 0;
    this.#pieces = [];
    this.#hasher?.free?.();
    this.#hasher = undefined;
  }
}

function joined(pieces, bytes) {
  if (pieces.length === 1) return pieces[0];
  const whole = new Uint8Array(bytes);
  let at = 0;
  for (const piece of pieces) {
    whole.set(piece, at);
    at += piece.length;
  }
  return whole;
}

/** What a Blob, bytes, or a stream of bytes are. */
export async function digested(content, Hasher) {
  const isStream = content instanceof ReadableStream;
  const blob = isStream ? undefined : content instanceof Blob ? content : new Blob([bytesOf(content)]);
  const digest = new Digest(blob ? blob.size : Infinity, Hasher);
  try {
    for await (const piece of pieces(blob ? blob.stream() : content)) {
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
