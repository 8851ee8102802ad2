// What the driver in the module asks of JavaScript: `wasm-web/src/driver/host.rs` has its side.

/** Milliseconds that a timer can count at most. */
const TIMER_MS_MAX = 2 ** 31 - 1;

/** The surroundings of one operation. */
export class Host {
  #store;
  #login;
  #rewrite;
  #files;
  #docs;
  #hooks;
  /** The login in use, or the question for it. */
  #given;
  #wake;
  #roused = false;

  /**
   * `store` keeps blobs. `login` gives the login for an origin. `rewrite` gives the URL to ask instead of another.
   * `files` and `docs` are Maps of what the operation may read. `hooks`: onProgress, onRetry, onLeftOut.
   */
  constructor({ store, login, rewrite, files = new Map(), docs = new Map(), ...hooks }) {
    this.#store = store;
    this.#login = login;
    this.#rewrite = rewrite;
    this.#files = files;
    this.#docs = docs;
    this.#hooks = hooks;
  }

  async authorize(url, refused, signal) {
    // Requests that need the same login wait for the same question.
    if (refused || this.#given === undefined) this.#given = this.#ask(new URL(url).origin, refused);
    const stopped = new Promise((_, reject) => {
      signal.addEventListener('abort', () => reject(signal.reason), { once: true });
    });
    return header(await Promise.race([this.#given, stopped]));
  }

  /** A login that is no function and was refused is not given again. */
  async #ask(origin, refused) {
    if (typeof this.#login === 'function') return this.#login({ origin, refused });
    return refused ? undefined : this.#login;
  }

  rewrite(url) {
    return this.#rewrite ? String(this.#rewrite(url)) : url;
  }

  async has(oid, size) {
    return this.#store.has(oid, size);
  }

  async stage(id, oid, size, older, bytes) {
    return this.#store.stage(id, { oid, size }, older && { stage: older, bytes });
  }

  async keep(stage, oid) {
    return this.#store.keep(stage, oid);
  }

  async dropStage(stage) {
    return this.#store.drop(stage);
  }

  file(name) {
    return this.#files.get(name);
  }

  doc(name) {
    return this.#docs.get(name);
  }

  note(name, done, total) {
    this.#hooks.onProgress?.({ name, done, total });
  }

  retry(name, detail, delay) {
    this.#hooks.onRetry?.({ name, detail, delay });
  }

  leftOut(url, names) {
    this.#hooks.onLeftOut?.({ origin: new URL(url).origin, names: names.split(', ') });
  }

  async lost(url, headers) {
    const { origin } = new URL(url);
    const isBrowser = 'window' in globalThis || 'WorkerGlobalScope' in globalThis;
    if (!isBrowser || globalThis.location?.origin === origin || navigator.onLine === false) {
      return { offline: true, detail: `${origin} cannot be reached` };
    }
    // A browser says the same of a server that is down and of one that does not allow this page. A request whose answer
    // nobody may read tells them apart: it is answered by whoever is there.
    try {
      await fetch(origin, { mode: 'no-cors', method: 'HEAD', credentials: 'omit', cache: 'no-store' });
    } catch {
      return { offline: true, detail: `${origin} cannot be reached` };
    }
    const detail = `${origin} does not allow pages of ${location.origin}: it must answer with ` +
      `Access-Control-Allow-Origin, and to OPTIONS with Access-Control-Allow-Headers: ${headers}`;
    return { offline: false, detail };
  }

  async sleep(milliseconds) {
    let timer;
    await new Promise((resolve) => {
      this.#wake = resolve;
      if (this.#roused) resolve();
      else if (milliseconds !== undefined) timer = setTimeout(resolve, Math.min(milliseconds, TIMER_MS_MAX));
    });
    clearTimeout(timer);
    this.#roused = false;
    this.#wake = undefined;
  }

  rouse() {
    this.#roused = true;
    this.#wake?.();
  }

  watch(controller, idleMax) {
    return new Watch(controller, idleMax);
  }

  get canDigest() {
    return globalThis.crypto?.subtle !== undefined;
  }

  async digest(pieces, bytes) {
    let whole = pieces[0];
    if (pieces.length !== 1) {
      whole = new Uint8Array(bytes);
      let at = 0;
      for (const piece of pieces) {
        whole.set(piece, at);
        at += piece.length;
      }
    }
    return new Uint8Array(await crypto.subtle.digest('SHA-256', whole));
  }
}

/** Ends a request that waits too long for its server. One timer for all of it, however often it is touched. */
class Watch {
  #controller;
  #idleMax;
  #since = Infinity;
  #timer;

  constructor(controller, idleMax) {
    this.#controller = controller;
    this.#idleMax = idleMax;
  }

  waits() {
    this.#since = performance.now();
    this.#timer ??= setTimeout(() => this.#look(), Math.min(this.#idleMax, TIMER_MS_MAX));
  }

  works() {
    this.#since = Infinity;
  }

  end() {
    clearTimeout(this.#timer);
  }

  #look() {
    const left = this.#since + this.#idleMax - performance.now();
    if (left <= 0) return this.#controller.abort(new DOMException('no byte moved', 'TimeoutError'));
    this.#timer = setTimeout(() => this.#look(), Math.min(left, this.#idleMax, TIMER_MS_MAX));
  }
}

/** The value of `Authorization` for what a caller gave as a login. */
function header(login) {
  if (!login || typeof login === 'string') return login || undefined;
  if (login.token) return `Bearer ${login.token}`;
  const bytes = new TextEncoder().encode(`${login.user}:${login.password}`);
  return `Basic ${btoa(String.fromCharCode(...bytes))}`;
}
