// How long a server may be silent.

/** Milliseconds that a timer can count at most. */
const TIMER_MS_MAX = 2 ** 31 - 1;

/**
 * Ends an exchange that waits too long for its server, or that nobody wants. One timer, however often it is touched.
 */
export class Watch {
  #over = new AbortController();
  #idleMax;
  #since = Infinity;
  #timer;

  constructor(signal, idleMax) {
    this.#idleMax = idleMax;
    // Whoever uses it may be stuck for good, and never end it.
    const abort = () => this.abort(signal.reason);
    if (signal.aborted) abort();
    else signal.addEventListener('abort', abort);
  }

  get signal() {
    return this.#over.signal;
  }

  /** It is the server's turn. `more`: milliseconds that it has besides. */
  waits(more = 0) {
    this.#since = performance.now() + more;
    if (this.signal.aborted) return;
    this.#timer ??= setTimeout(() => this.#look(), Math.min(this.#idleMax, TIMER_MS_MAX));
  }

  /** It is our turn, for as long as we like. */
  works() {
    this.#since = Infinity;
  }

  /** The exchange ended well. */
  end() {
    clearTimeout(this.#timer);
  }

  /** The exchange is of no use any more. */
  abort(reason) {
    this.end();
    this.#over.abort(reason);
  }

  #look() {
    const left = this.#since + this.#idleMax - performance.now();
    if (left <= 0) return this.#over.abort(new DOMException('no byte moved', 'TimeoutError'));
    this.#timer = setTimeout(() => this.#look(), Math.min(left, this.#idleMax, TIMER_MS_MAX));
  }
}
