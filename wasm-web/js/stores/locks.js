// Who may do something that only one may do at a time: fetch a blob, write a stage, make room.
//
// Both kinds have the same methods. `claim` waits for its turn and gives a function that ends it; `tryClaim` does not
// wait. What a tab or process held is free once it is gone.

/** Among all that happens in one process. */
export class ProcessLocks {
  /** Who waits, by the name of what is held. */
  #waiting = new Map();

  async claim(name, signal) {
    signal?.throwIfAborted();
    const waiting = this.#waiting.get(name);
    if (!waiting) this.#waiting.set(name, []);
    else await turn(waiting, signal);
    return this.#ending(name);
  }

  async tryClaim(name) {
    if (this.#waiting.has(name)) return undefined;
    this.#waiting.set(name, []);
    return this.#ending(name);
  }

  #ending(name) {
    let isHeld = true;
    return () => {
      if (!isHeld) return;
      isHeld = false;
      const next = this.#waiting.get(name).shift();
      if (next) next();
      else this.#waiting.delete(name);
    };
  }
}

/** Among all pages and workers of an origin, by Web Locks. */
export class TabLocks {
  #prefix;

  /** All names begin with this. */
  constructor(prefix) {
    if (!globalThis.navigator?.locks) throw new DOMException('there are no Web Locks here', 'NotSupportedError');
    this.#prefix = prefix;
  }

  async claim(name, signal) {
    signal?.throwIfAborted();
    const release = await this.#request(name, { signal }).catch((error) => {
      throw signal?.aborted ? signal.reason : error;
    });
    // It may have been stopped in the instant in which it got its turn.
    if (signal?.aborted) release();
    signal?.throwIfAborted();
    return release;
  }

  async tryClaim(name) {
    return this.#request(name, { ifAvailable: true });
  }

  #request(name, options) {
    return new Promise((resolve, reject) => {
      const held = (lock) => (lock ? new Promise((release) => resolve(() => release())) : resolve(undefined));
      navigator.locks.request(`${this.#prefix}:${name}`, options, held).catch(reject);
    });
  }
}

/** Does something while nobody else does it. */
export async function alone(locks, name, work) {
  const release = await locks.claim(name);
  try {
    return await work();
  } finally {
    release();
  }
}

/** Waits for one's turn in a queue. An abort leaves the queue. */
function turn(waiting, signal) {
  return new Promise((resolve, reject) => {
    const next = () => {
      signal?.removeEventListener('abort', leave);
      resolve();
    };
    const leave = () => {
      waiting.splice(waiting.indexOf(next), 1);
      reject(signal.reason);
    };
    signal?.addEventListener('abort', leave, { once: true });
    waiting.push(next);
  });
}
