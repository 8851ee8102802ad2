// Stores that several tabs use, and what others left in them: in Chromium.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { until } from '../../tests/hosts/js/scene.mjs';
import { Scene } from './browser/chromium.mjs';
import { blob } from './stores/bytes.mjs';

const HALF_MB = 500_000;
const OTHER = 'ab'.repeat(32);
const KINDS = ['CacheStore', 'OpfsStore'];

let scene;
before(async () => (scene = await Scene.open()));
after(() => scene?.close());

/** Waits until somebody in the pages of this context waits for a lock whose name ends like this, which one has. */
const waiting = (page, end) => until('somebody waits', async () => {
  const { held, pending } = await page.evaluate(() => navigator.locks.query());
  const [having, asking] = [held, pending].map((locks) => locks.filter(({ name }) => name.endsWith(end)));
  assert.ok(having.length <= 1, 'one at a time');
  return asking.length > 0;
});

for (const kind of KINDS) {
  test(`${kind}: two tabs fetch a blob once`, () => scene.within(async (own) => {
    const it = await blob(300_000, 5);
    own.server.blobs.set(it.oid, it.bytes);
    own.server.asked.length = 0;
    let openGate;
    own.server.gate = new Promise((resolve) => (openGate = resolve));
    const [one, other] = [await own.page(), await own.page()];
    const fetched = [own.ask(one, 'page', 'fetched', kind, 'tabs', it.oid, it.size)];
    fetched.push(own.ask(other, 'worker', 'fetched', kind, 'tabs', it.oid, it.size));
    // Whatever goes wrong here is told before what then becomes of them.
    for (const each of fetched) each.catch(() => {});
    await waiting(one, `fetch:${it.oid}`);
    openGate();
    assert.deepEqual(await Promise.all(fetched), [it.oid, it.oid]);
    assert.deepEqual(own.server.asked, [it.oid]);
  }));

  test(`${kind}: what a tab claimed is free once it is closed`, () => scene.within(async (own) => {
    const [one, other] = [await own.page(), await own.page()];
    await own.ask(one, 'page', 'claimed', kind, 'tabs', OTHER);
    const next = own.ask(other, 'page', 'claimed', kind, 'tabs', OTHER);
    await waiting(other, `fetch:${OTHER}`);
    await one.close();
    await next;
    const { held, pending } = await other.evaluate(() => navigator.locks.query());
    assert.deepEqual([held.length, pending.length], [1, 0]);
  }));

  for (const where of ['page', 'worker']) {
    test(`${kind} in a ${where}: a tab that is closed while it keeps blobs leaves no wrong one`, () => {
      return scene.within(async (own) => {
        const page = await own.page();
        // What is under way ends with the page.
        own.ask(page, where, 'keptOn', kind, 'kill').catch(() => {});
        await page.waitForFunction(() => globalThis.told >= 20);
        await page.close();
        const found = await own.ask(await own.page(), where, 'verified', kind, 'kill');
        assert.ok(found.listed >= 20, `${found.listed} blobs`);
        assert.deepEqual([found.checked, found.removed], [found.listed, []]);
      });
    });
  }
}

test('CacheStore: a blob that another tab fetched anew is read anew', () => scene.within(async (own) => {
  const [one, other] = [await own.page(), await own.page()];
  const it = await blob(2000);
  await own.ask(one, 'page', 'filled', 'CacheStore', 'anew', [it.size]);
  const first = await one.evaluate(async ({ oid }) => {
    const [{ corrupt }, { CacheStore }] = await Promise.all([
      import('/tests/browser/places.mjs'), import('/package/stores/cache.js'),
    ]);
    await corrupt.CacheStore('anew', undefined, { oid });
    globalThis.store = await CacheStore.open('anew');
    globalThis.wrong = await globalThis.store.open(oid);
    return globalThis.wrong.size;
  }, { oid: it.oid });
  assert.equal(first, it.size);
  const { removed } = await own.ask(other, 'page', 'verified', 'CacheStore', 'anew');
  assert.deepEqual(removed, [it.oid]);
  await own.ask(other, 'page', 'filled', 'CacheStore', 'anew', [it.size]);
  const held = await one.evaluate(async ({ oid }) => {
    const { heldOid } = await import('/tests/stores/bytes.mjs');
    // Who still has the wrong one has it.
    return [await heldOid(globalThis.store, oid), globalThis.wrong.size];
  }, { oid: it.oid });
  assert.deepEqual(held, [it.oid, it.size]);
}));

test('OpfsStore: a stage whose beginning cannot be read is nobody\'s afterwards', () => scene.within(async (own) => {
  const page = await own.page();
  const it = await blob(2000);
  const found = await page.evaluate(async ({ oid, size }) => {
    const { OpfsStore } = await import('/package/stores/opfs.js');
    const store = await OpfsStore.open('unread');
    const place = await store.stage('first', { oid, size });
    await place.write(new Uint8Array(1000));
    await place.close();
    const { getFile } = FileSystemFileHandle.prototype;
    let looks = 0;
    FileSystemFileHandle.prototype.getFile = function () {
      looks += 1;
      // The first look is for its length.
      return looks === 1 ? getFile.call(this) : Promise.reject(new DOMException('', 'NotReadableError'));
    };
    const older = { stage: 'first', bytes: 1000 };
    const { name } = await store.stage('second', { oid, size }, older).catch((error) => error);
    FileSystemFileHandle.prototype.getFile = getFile;
    const { held } = await navigator.locks.query();
    const next = await store.has(oid, size);
    return { name, locks: held.map(({ name }) => name), bytes: next?.blob.size };
  }, { oid: it.oid, size: it.size });
  assert.deepEqual(found, { name: 'NotReadableError', locks: [], bytes: 1000 });
}));

test('OpfsStore: old leftovers are removed, young ones stay', () => scene.within(async (own) => {
  const page = await own.page();
  await own.ask(page, 'worker', 'begun', 'OpfsStore', 'left', 2 * HALF_MB, HALF_MB);
  await own.load(page);
  const stages = (days) => page.evaluate(async (days) => {
    const now = Date.now();
    Date.now = () => now + days * 24 * 3600 * 1000;
    const { OpfsStore } = await import('/package/stores/opfs.js');
    const root = await (await navigator.storage.getDirectory()).getDirectoryHandle('left');
    const folder = await root.getDirectoryHandle('stages');
    const [name] = await Array.fromAsync(folder.keys());
    // The one who had it is gone once this lock is free.
    await navigator.locks.request(`hydrant:opfs:left:stage:${name}`, () => {});
    await OpfsStore.open('left');
    return (await Array.fromAsync(folder.keys())).length;
  }, days);
  assert.equal(await stages(6), 1);
  assert.equal(await stages(8), 0);
}));

test('notes of uses that are torn are as good as none', () => scene.within(async (own) => {
  const page = await own.page();
  for (const kind of KINDS) await own.ask(page, 'page', 'filled', kind, 'torn', [1000, 2000]);
  const { oid } = await blob(1000);
  const listed = await page.evaluate(async (oid) => {
    const root = await (await navigator.storage.getDirectory()).getDirectoryHandle('torn');
    const file = await (await root.getDirectoryHandle('used')).getFileHandle(oid, { create: true });
    const writable = await file.createWritable();
    await writable.write('17\0\0');
    await writable.close();
    const cache = await caches.open('torn');
    const torn = new Response(null, { headers: { 'x-hydrant-time': '17x' } });
    await cache.put(`https://hydrant.invalid/used/${oid}`, torn);
    const [{ OpfsStore }, { CacheStore }] = await Promise.all(
      ['opfs', 'cache'].map((name) => import(`/package/stores/${name}.js`)),
    );
    const stores = [await CacheStore.open('torn'), await OpfsStore.open('torn')];
    return Promise.all(stores.map((store) => store.list()));
  }, oid);
  for (const all of listed) {
    assert.deepEqual(all.map(({ size, pinned }) => [size, pinned]), [[1000, true], [2000, false]]);
    assert.ok(all.every(({ usedAt }) => usedAt > Date.now() - 3600_000 && usedAt <= Date.now() + 1000), 'times');
  }
}));
