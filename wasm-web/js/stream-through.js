// A store around another one, which passes on what is written while it arrives.

import { pieces } from './driver/pieces.js';
import { HydrantError } from './error.js';

/** Bytes that wait for a reader at most. */
const WAITING_BYTES_MAX = 4 * 1024 * 1024;
/**
 * Milliseconds that a transfer waits for its reader at a time. A page that stops reading must not hold up others that
 * want the same blob: from then on the transfer goes on alone, and the reader gets the rest from the store.
 */
const READER_MS_MAX = 1000;

/**
 * For one blob. The end is held back until the blob is proved: whoever reads to the end has the blob, and nobody else
 * gets to the end.
 */
export class StreamThrough {
  #store;
  #stream;
  #over = new AbortController();
  #wanted = () => {};
  #tell;
  /** Where the bytes are written that are passed on, and whether that became the blob. */
  #stage;
  #isKept = false;
  /** Bytes that arrived there, and bytes that were passed on: the first of these. */
  #arrived = 0;
  #passed = 0;
  /** The last piece, if all before it were passed on. */
  #last;
  #isBehind = false;
  #isOver = false;
  /** Resolves with the first byte, or with the error of a transfer that ended before it. */
  begun = new Promise((resolve) => (this.#tell = resolve));

  constructor(store) {
    this.#store = store;
    // What a store does not have, this one must not have either.
    if (store.claim) this.claim = (oid, signal) => store.claim(oid, signal);
    if (store.hold) this.hold = (oid) => store.hold(oid);
    this.signal.addEventListener('abort', () => this.#wanted());
    this.readable = new ReadableStream({
      start: (controller) => {
        this.#stream = controller;
      },
      pull: () => this.#wanted(),
      cancel: () => this.abort(),
    }, new ByteLengthQueuingStrategy({ highWaterMark: WAITING_BYTES_MAX }));
  }

  /** Aborted when nobody reads any more. */
  get signal() {
    return this.#over.signal;
  }

  /** Nobody reads any more. */
  abort() {
    this.#over.abort();
  }

  /** Ends the stream as the hydration ends. */
  async settle(hydration) {
    try {
      const [file] = await hydration;
      if (file.error) throw file.error;
      // Somebody else brought the blob, and what was passed on is not proved by that.
      if (this.#passed > 0 && !this.#isKept) throw anew();
      for await (const piece of await this.#rest(file)) {
        this.signal.throwIfAborted();
        if (this.#isOver) return;
        this.#enqueue(piece);
        while (this.#isFull && !this.signal.aborted) await this.#isWanted();
      }
      this.signal.throwIfAborted();
      if (this.#isOver) return;
      this.#isOver = true;
      this.#stream.close();
      this.#tell();
    } catch (error) {
      this.#fail(error);
    }
  }

  get Hasher() {
    return this.#store.Hasher;
  }

  set Hasher(Hasher) {
    // One may be frozen.
    Reflect.set(this.#store, 'Hasher', Hasher);
  }

  async stage(id, blob, older) {
    const place = await this.#store.stage(id, blob, older);
    const goesOn = older?.stage === this.#stage && older?.bytes === this.#arrived;
    // What was passed on cannot be taken back. The store gets the rest all the same.
    if (this.#passed > 0 && !goesOn) this.#fail(anew());
    this.#stage = id;
    if (this.#passed === 0) {
      this.#arrived = 0;
      this.#last = undefined;
      try {
        for await (const piece of place.beginning ? pieces(place.beginning.stream(), this.signal) : []) {
          await this.#pass(piece, blob.size);
        }
      } catch (error) {
        // Whoever asked for the place never gets it.
        await place.close();
        throw error;
      }
    }
    return {
      beginning: place.beginning,
      write: async (bytes) => {
        await place.write(bytes);
        // The bytes belong to the stage now; the reader may do what it likes with its own.
        await this.#pass(bytes.slice(), blob.size);
      },
      close: (validator) => place.close(validator),
    };
  }

  has(oid, size) {
    return this.#store.has(oid, size);
  }

  async keep(stage, oid) {
    await this.#store.keep(stage, oid);
    this.#isKept ||= stage === this.#stage;
  }

  drop(stage) {
    return this.#store.drop(stage);
  }

  open(oid) {
    return this.#store.open(oid);
  }

  /** Passes a piece on, unless it is the end of the blob, or there is a gap before it. */
  async #pass(piece, size) {
    const isNext = this.#arrived === this.#passed && !this.#isBehind;
    this.#arrived += piece.length;
    if (!isNext) return;
    if (this.#arrived >= size) {
      this.#last = piece;
    } else if (!this.#isOver && !this.signal.aborted) {
      this.#enqueue(piece);
      if (this.#isFull) await this.#isWanted(READER_MS_MAX);
      this.#isBehind = this.#isFull;
    }
  }

  /** What was not passed on of a blob that is proved. */
  async #rest(file) {
    // What was held back is proved only with the stage that it went to.
    if (this.#isKept && this.#last && this.#passed + this.#last.length === file.size) return [this.#last];
    return pieces((await file.blob()).slice(this.#passed).stream(), this.signal);
  }

  get #isFull() {
    return this.#stream.desiredSize <= 0;
  }

  #enqueue(piece) {
    this.#stream.enqueue(piece);
    this.#passed += piece.length;
    this.#tell();
  }

  /** Waits for a reader, for so long at most. */
  async #isWanted(ms) {
    let timer;
    await new Promise((resolve) => {
      this.#wanted = resolve;
      if (ms !== undefined) timer = setTimeout(resolve, ms);
    });
    clearTimeout(timer);
  }

  #fail(error) {
    this.#tell(error);
    if (this.#isOver) return;
    this.#isOver = true;
    this.#stream.error(error);
  }
}

function anew() {
  return new HydrantError({ code: 'busy', detail: 'the transfer began anew: ask again' });
}
