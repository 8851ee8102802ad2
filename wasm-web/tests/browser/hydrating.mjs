// What a page does when a test lets it hydrate. What a test gives is data: here it becomes the functions of a caller.

import { borrows, isBorrower } from '/package/driver/pieces.js';
import { MemoryStore, hydrate, init } from '/package/page.js';
import * as routes from '/package/routes.js';
import { oidOf } from '/tests/stores/bytes.mjs';
import { open } from './places.mjs';

let controller = new AbortController();

/** Stops the hydration that was begun last. */
globalThis.stopHydrating = () => controller.abort();
/** Lets go on what a step of `stopsAt` holds. */
globalThis.goOn = () => {};

/** Steps in the page at which a hydration can be stopped. Each gives options, and what it changes it changes back. */
const stops = {
  'the beginning'() {
    globalThis.stopHydrating();
    return {};
  },
  login: () => ({ login: () => never(globalThis.stopHydrating) }),
  digest() {
    const { digest } = SubtleCrypto.prototype;
    SubtleCrypto.prototype.digest = function (...given) {
      SubtleCrypto.prototype.digest = digest;
      globalThis.stopHydrating();
      return digest.apply(this, given);
    };
    return {};
  },
  keep: () => ({ store: keeping((keep) => keep()) }),
  'keep for ever': () => ({ store: keeping((keep) => new Promise((resolve, reject) => {
    globalThis.goOn = () => keep().then(resolve, reject);
  })) }),
};

/** A store in memory that stops the hydration when it is to keep something, and then keeps it in a way of its own. */
function keeping(how) {
  const store = new MemoryStore();
  const keep = store.keep.bind(store);
  store.keep = (...given) => {
    globalThis.stopHydrating();
    return how(() => keep(...given));
  };
  return store;
}

/** A store of a kind with something else done at each write. With `borrows`, pieces are lent to it as to the store. */
async function watched(kind, onWrite, { borrows: mayBorrow = true } = {}) {
  const store = await open[kind]('watched');
  const stage = store.stage.bind(store);
  store.stage = async (...given) => {
    const place = await stage(...given);
    const write = async (bytes) => {
      await onWrite(bytes, () => place.write(bytes));
    };
    return { ...place, write: mayBorrow && isBorrower(place.write) ? borrows(write) : write };
  };
  return store;
}

/** A store of a kind that tells the test of what is written. */
function telling(kind) {
  return watched(kind, async (bytes, write) => {
    await write();
    globalThis.onHydrantWrite();
  });
}

function never(begun) {
  begun();
  return new Promise(() => {});
}

/**
 * Hydrates. `rewrites` are pairs of beginnings of URLs; `forge` is the name of a route and what it takes; `stopsAt` is
 * one of the steps above; `tells` is a kind of store: the page's `onHydrantWrite` hears of what is written. What came
 * of it, and what the hooks were told.
 */
async function hydrated({ rewrites, forge, stopsAt, tells, ...options }) {
  await init();
  controller = new AbortController();
  const told = { retries: [], leftOut: [], rewritten: [] };
  const given = {
    ...options,
    signal: controller.signal,
    onRetry: (it) => {
      told.retries.push(it);
      globalThis.onHydrantRetry?.();
    },
    onLeftOut: (it) => told.leftOut.push(it),
    ...(rewrites && { rewrite: (url) => {
      told.rewritten.push(url);
      const [from, to] = rewrites.find(([from]) => url.startsWith(from)) ?? ['', ''];
      return to + url.slice(from.length);
    } }),
    ...(forge && { route: routes[forge[0]](forge[1]) }),
    ...(stopsAt && stops[stopsAt]()),
    ...(tells && { store: await telling(tells) }),
  };
  const files = await hydrate(given);
  const ended = files.map(async (file) => {
    const { name, error } = file;
    return error ? { name, code: error.code, message: error.message } : { name, oid: await oidOf(await file.bytes()) };
  });
  return { files: await Promise.all(ended), ...told };
}

/**
 * Hydrates one object, while somebody gathers the pieces that are written. How many came, how many of them still have
 * their bytes, what these are as a whole, and what is kept.
 */
async function gathered(kind, mayBorrow, endpoint, want) {
  await init(new URL('/package/wasm/read_bg.wasm', self.location.href));
  const pieces = [];
  const store = await watched(kind, (bytes, write) => {
    pieces.push(bytes);
    return write();
  }, { borrows: mayBorrow });
  const [file] = await hydrate({ endpoint, wants: [want], store });
  if (file.error) throw file.error;
  return {
    came: pieces.length,
    there: pieces.filter(({ length }) => length > 0).length,
    gathered: await oidOf(await new Blob(pieces).arrayBuffer()),
    kept: await oidOf(await file.bytes()),
  };
}

export const hydrating = { hydrated, gathered };
