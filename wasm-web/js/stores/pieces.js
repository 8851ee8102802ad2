// Bytes that come piece by piece, gathered in memory.

/** Bytes after which loose pieces become one Blob: thousands of pieces are a burden, and a Blob can be paged out. */
const FOLD_BYTES = 4 << 20;
/** Pieces after which they become one, however short they are: each costs some hundred bytes of its own. */
const FOLD_PIECES = 1024;
/** Bytes that may stay loose once all are here: to make a Blob takes as long as to fetch some kilobytes (measured). */
const LOOSE_BYTES_MAX = 64 << 10;

/** What came so far. */
export class Pieces {
  #folded = [];
  #loose = [];
  #looseBytes = 0;
  bytes = 0;

  /** Begins with a Blob, if there is one. */
  constructor(beginning) {
    if (beginning) this.#folded.push(beginning);
    this.bytes = beginning?.size ?? 0;
  }

  push(bytes) {
    this.#loose.push(bytes);
    this.#looseBytes += bytes.length;
    this.bytes += bytes.length;
    if (this.#looseBytes >= FOLD_BYTES || this.#loose.length >= FOLD_PIECES) this.#fold();
  }

  /** Nothing more comes. What is small becomes a Blob only when somebody wants it. */
  close() {
    if (this.bytes > LOOSE_BYTES_MAX) this.blob();
    else if (this.#loose.length > 1) this.#loose = [joined(this.#loose, this.#looseBytes)];
  }

  /** All of it. */
  blob() {
    this.#fold();
    if (this.#folded.length !== 1) this.#folded = [new Blob(this.#folded)];
    return this.#folded[0];
  }

  #fold() {
    if (this.#loose.length > 0) this.#folded.push(new Blob(this.#loose));
    this.#loose = [];
    this.#looseBytes = 0;
  }
}

/** The same bytes in one piece. */
function joined(pieces, bytes) {
  const whole = new Uint8Array(bytes);
  let at = 0;
  for (const piece of pieces) {
    whole.set(piece, at);
    at += piece.length;
  }
  return whole;
}
