// What the benchmark lets a page do. The functions are on `globalThis.bench`.

import { createSHA256 } from '/tests/node_modules/hash-wasm/dist/index.esm.js';
import { Hasher, hydrate, init } from '/package/page.js';
import { MemoryStore } from '/package/stores/memory.js';
import { OpfsStore } from '/package/stores/opfs.js';
import { ratio } from '/tests/bench/hash.mjs';

/** Objects of one batch request, and requests at once, of the loop that verifies nothing. */
const BATCH_OBJECTS = 100;
const AT_ONCE = 6;

globalThis.bench = {
  async hash() {
    await init();
    return ratio(Hasher, await createSHA256());
  },

  /** Milliseconds for all objects, proved and held in memory. */
  async hydrated(endpoint, wants) {
    const store = new MemoryStore();
    return timed(async () => {
      for (const { error } of await hydrate({ endpoint, wants, store })) if (error) throw error;
    });
  },

  /** The same, as a loop over `fetch` that proves nothing. */
  async fetched(endpoint, wants) {
    return timed(async () => {
      const held = [];
      for (let from = 0; from < wants.length; from += BATCH_OBJECTS) {
        const objects = wants.slice(from, from + BATCH_OBJECTS).map(({ oid, size }) => ({ oid, size }));
        const response = await fetch(`${endpoint}/objects/batch`, {
          method: 'POST',
          headers: { accept: 'application/vnd.git-lfs+json', 'content-type': 'application/vnd.git-lfs+json' },
          body: JSON.stringify({ operation: 'download', transfers: ['basic'], hash_algo: 'sha256', objects }),
        });
        const answers = (await response.json()).objects.values();
        await Promise.all(Array.from({ length: AT_ONCE }, async () => {
          for (const { actions: { download: { href, header } } } of answers) {
            const blob = await fetch(href, { headers: header, cache: 'no-store' });
            held.push(await blob.arrayBuffer());
          }
        }));
      }
      if (held.length !== wants.length) throw new Error('some are missing');
    });
  },

  /** Streams a blob into the origin private file system. */
  async kept(endpoint, want) {
    const store = await OpfsStore.open('bench', { maxBytes: 3 * 2 ** 30 });
    const [file] = await hydrate({ endpoint, wants: [want], store });
    if (file.error) throw file.error;
    return file.size;
  },

  /** Reads a thousand bytes from the middle of what is kept. */
  async sliced({ oid }) {
    const store = await OpfsStore.open('bench', { maxBytes: 3 * 2 ** 30 });
    const blob = await store.open(oid);
    return (await blob.slice(blob.size / 2, blob.size / 2 + 1000).arrayBuffer()).byteLength;
  },
};

async function timed(work) {
  const began = performance.now();
  await work();
  return performance.now() - began;
}
