// The contract of stores in Node: in memory, and in a folder.

import process from 'node:process';
import { createHash } from 'node:crypto';
import { readFile, writeFile, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { folder as built } from './package.mjs';
import { contract } from './stores/contract.mjs';
import { bytesOf, keep, noise } from './stores/bytes.mjs';
import { runOne } from './stores/check.mjs';

const load = (name) => import(pathToFileURL(join(built, 'stores', name)));
const { MemoryStore } = await load('memory.js');
const { FolderStore } = await load('folder.js');
const { Pieces } = await load('pieces.js');

class Hasher {
  #hash = createHash('sha256');
  update = (bytes) => this.#hash.update(bytes);
  finish = () => this.#hash.digest('hex');
}

const places = {
  async MemoryStore() {
    return {
      Hasher,
      needsHasher: process.getBuiltinModule === undefined,
      isLasting: false,
      open: async (options) => new MemoryStore(options),
      // Nothing can reach what is in memory, but a caller who does not verify.
      async corrupt(store, { oid, size, bytes }) {
        await store.remove(oid);
        await keep(store, { oid, size, bytes: bytes.with(size - 1, bytes[size - 1] ^ 1) });
      },
    };
  },

  async FolderStore() {
    const folder = await mkdtemp(join(tmpdir(), 'hydrant-store-'));
    return {
      isLasting: true,
      open: (options) => FolderStore.open(join(folder, 'cache'), options),
      async corrupt(_, { oid, size }) {
        const path = join(folder, 'cache', 'cache', oid.slice(0, 2), oid);
        const bytes = await readFile(path);
        bytes[size - 1] ^= 1;
        await writeFile(path, bytes);
      },
      end: () => rm(folder, { recursive: true }),
    };
  },
};

for (const [kind, make] of Object.entries(places)) {
  for (const [name, run] of contract) {
    test(`${kind}: ${name}`, async () => {
      const { error, checks } = await runOne(run, make);
      assert.equal(error, undefined);
      assert.ok(checks > 0);
    });
  }
}

test('bytes that come one by one are not held one by one', async (t) => {
  const given = globalThis.Blob;
  t.after(() => (globalThis.Blob = given));
  let partsMax = 0;
  globalThis.Blob = class extends given {
    constructor(parts, ...options) {
      super(parts, ...options);
      partsMax = Math.max(partsMax, parts.length);
    }
  };
  for (const [size, most] of [[1000, 1], [200_000, 1024]]) {
    partsMax = 0;
    const bytes = noise(size, 1);
    const pieces = new Pieces();
    for (let at = 0; at < size; at += 1) pieces.push(bytes.subarray(at, at + 1));
    pieces.close();
    assert.deepEqual(await bytesOf(pieces.blob()), bytes);
    assert.ok(partsMax <= most, `${partsMax} parts`);
  }
});
