// Stores of a page or a worker, each time a new one, and how to change a byte behind its back. What they hold goes
// with the context of the test.

import { Hasher, MemoryStore, init } from '/package/index.js';
import { CacheStore } from '/package/stores/cache.js';
import { OpfsStore } from '/package/stores/opfs.js';
import { keep } from '/tests/stores/bytes.mjs';

export { CacheStore, MemoryStore, OpfsStore };

/** A store of one kind, by name. */
export const open = {
  MemoryStore: (_, options) => new MemoryStore(options),
  CacheStore: (name, options) => CacheStore.open(name, options),
  OpfsStore: (name, options) => OpfsStore.open(name, options),
};

/** Makes places for the contract. */
export async function places(kind) {
  await init(new URL('/package/wasm/read_bg.wasm', self.location.href));
  return async () => {
    const name = `test-${crypto.randomUUID()}`;
    return {
      Hasher,
      needsHasher: true,
      isLasting: kind !== 'MemoryStore',
      open: async (options) => open[kind](name, options),
      corrupt: (store, it) => corrupt[kind](name, store, it),
    };
  };
}

/** Changes the last byte of a kept blob. */
export const corrupt = {
  async MemoryStore(_, store, { oid, size, bytes }) {
    await store.remove(oid);
    await keep(store, { oid, size, bytes: changed(bytes) });
  },
  async CacheStore(name, _, { oid }) {
    const cache = await caches.open(name);
    const url = `https://hydrant.invalid/blobs/${oid}`;
    const response = await cache.match(url);
    const bytes = changed(new Uint8Array(await response.clone().arrayBuffer()));
    await cache.put(url, new Response(bytes, { headers: response.headers }));
  },
  async OpfsStore(name, _, { oid }) {
    const root = await (await navigator.storage.getDirectory()).getDirectoryHandle(name);
    const handle = await (await root.getDirectoryHandle('blobs')).getFileHandle(oid);
    const bytes = changed(new Uint8Array(await (await handle.getFile()).arrayBuffer()));
    const writable = await handle.createWritable();
    await writable.write(bytes);
    await writable.close();
  },
};

function changed(bytes) {
  return bytes.with(bytes.length - 1, bytes.at(-1) ^ 1);
}
