// A store around another one, which passes on what is written while it arrives.

import { HydrantError } from './error.js';

/**
 * For one blob. The last piece is held back until the blob is proved: whoever reads to the end has the blob, and nobody
 * else gets to the end.
 */
export class StreamThrough {
  #store;
  #stream;
  #over = new AbortController();
  #wanted = () => {};
  /** Bytes of the current stage, and the last piece of it. */
  #bytes = 0;
  #last;
  #isOver = false;

  constructor(store) {
    this.#store = store;
    this.readable = new ReadableStream({
      start: (controller) => {
        this.#stream = controller;
      },
      pull: () => this.#wanted(),
      cancel: () => this.#over.abort(),
    });
  }

  /** Aborted when nobody reads any more. */
  get signal() {
    return this.#over.signal;
  }

  /** Ends the stream as the hydration ends. */
  async settle(hydration) {
    try {
      const [file] = await hydration;
      if (file.error) throw file.error;
      // Somebody else brought it: there was nothing to pass on.
      if (!this.#isOver && this.#bytes === 0) for await (const piece of await file.stream()) await this.#pass(piece);
      if (this.#isOver || this.signal.aborted) return;
      if (this.#last) this.#stream.enqueue(this.#last);
      this.#stream.close();
      this.#isOver = true;
    } catch (error) {
      this.#fail(error);
    }
  }

  async stage(id, blob, older) {
    const place = await this.#store.stage(id, blob, older);
    if (older && this.#bytes === 0) {
      for await (const piece of older.bytes > 0 ? place.beginning.stream() : []) await this.#pass(piece);
    } else if ((older?.bytes ?? 0) !== this.#bytes) {
      // It begins anew, and what was passed on cannot be taken back. The store gets it all the same.
      this.#fail(new HydrantError({ code: 'busy', detail: 'the transfer began anew: ask again' }));
    }
    return {
      beginning: place.beginning,
      write: async (bytes) => {
        await place.write(bytes);
        await this.#pass(bytes);
      },
      close: (validator) => place.close(validator),
    };
  }

  has(oid, size) {
    return this.#store.has(oid, size);
  }

  claim(oid, signal) {
    return this.#store.claim?.(oid, signal);
  }

  hold(oid) {
    return this.#store.hold?.(oid);
  }

  keep(stage, oid) {
    return this.#store.keep(stage, oid);
  }

  drop(stage) {
    return this.#store.drop(stage);
  }

  open(oid) {
    return this.#store.open(oid);
  }

  /** Passes on the piece before this one, once somebody wants it. */
  async #pass(piece) {
    this.#bytes += piece.length;
    if (this.#isOver || this.signal.aborted) return;
    if (this.#last) {
      this.#stream.enqueue(this.#last);
      if (this.#stream.desiredSize <= 0) await this.#isWanted();
    }
    this.#last = piece;
  }

  #isWanted() {
    return new Promise((resolve) => {
      this.#wanted = resolve;
      this.signal.addEventListener('abort', resolve, { once: true });
    });
  }

  #fail(error) {
    if (this.#isOver) return;
    this.#isOver = true;
    if (!this.signal.aborted) this.#stream.error(error);
  }
}
