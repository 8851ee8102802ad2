// How long something that nobody wants any more is waited for.

/** Milliseconds that something aborted may take to end by itself: to close a file, to give back a lock. */
const ENDING_MS_MAX = 1000;

/** Waits for what may never answer, until it is stopped; then for a moment longer. One timer, however many wait. */
export class Patience {
  /** Ends the waiting of each who waits. */
  #waiting = new Set();
  #timer;
  /** The reason, once the moment is over. */
  #over;

  /** What a promise gives. */
  async for(promise) {
    let giveUp;
    const end = new Promise((_, reject) => (giveUp = reject));
    this.#waiting.add(giveUp);
    if (this.#over) giveUp(this.#over.reason);
    try {
      return await Promise.race([promise, end]);
    } finally {
      this.#waiting.delete(giveUp);
    }
  }

  /** Nobody wants it any more. */
  stop(reason) {
    this.#timer ??= setTimeout(() => {
      this.#over = { reason };
      for (const giveUp of this.#waiting) giveUp(reason);
    }, ENDING_MS_MAX);
  }

  /** Nothing is waited for any more. */
  end() {
    clearTimeout(this.#timer);
  }
}
