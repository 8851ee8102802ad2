// Too little room: in Chromium.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { Scene } from './browser/chromium.mjs';

const MB = 1_000_000;

let scene;
before(async () => (scene = await Scene.open()));
after(() => scene?.close());

for (const kind of ['CacheStore', 'OpfsStore']) {
  for (const where of ['page', 'worker']) {
    test(`${kind} in a ${where}: without room there is an error with a name, and what is pinned stays`, () => {
      return scene.within(async (own) => {
        const page = await own.page();
        const sizes = [MB, 2 * MB];
        await own.ask(page, where, 'filled', kind, 'quota', sizes);
        await own.quota(page, 6 * MB);
        const full = await own.ask(page, where, 'tried', kind, 'quota', 15 * MB, sizes);
        assert.deepEqual(full, { failed: 'QuotaExceededError', there: [MB] });
        await own.quota(page, 500 * MB);
        const free = await own.ask(page, where, 'tried', kind, 'quota', 15 * MB, [...sizes, 15 * MB]);
        assert.deepEqual(free, { failed: undefined, there: [MB, 15 * MB] });
      });
    });

    test(`${kind} in a ${where}: the least recently used make room`, () => scene.within(async (own) => {
      const page = await own.page();
      const sizes = [3 * MB, 10 * MB, 4 * MB];
      await own.ask(page, where, 'filled', kind, 'quota', sizes);
      // Not enough for all, but for all without the second one.
      await own.quota(page, 22 * MB);
      const found = await own.ask(page, where, 'tried', kind, 'quota', 8 * MB, [...sizes, 8 * MB]);
      assert.deepEqual(found, { failed: undefined, there: [3 * MB, 4 * MB, 8 * MB] });
    }));
  }
}

test('OpfsStore in a page: what found no room is no beginning', () => scene.within(async (own) => {
  const page = await own.page();
  await own.quota(page, 3 * MB);
  const found = await own.ask(page, 'page', 'refused', 'OpfsStore', 'quota', 15 * MB);
  assert.deepEqual(found, { failed: 'QuotaExceededError', found: undefined });
}));

test('OpfsStore in a page: a beginning without room to go on leaves nothing more', () => scene.within(async (own) => {
  let page = await own.page();
  const size = 16 * MB;
  await own.ask(page, 'page', 'begun', 'OpfsStore', 'quota', size, 12 * MB);
  await page.close();
  page = await own.page();
  await own.quota(page, 12 * MB);
  const found = await own.ask(page, 'page', 'goneOn', 'quota', size);
  assert.deepEqual(found, { failed: 'QuotaExceededError', names: ['.part'] });
  await page.close();
  page = await own.page();
  await own.quota(page, 500 * MB);
  assert.equal((await own.ask(page, 'page', 'finished', 'OpfsStore', 'quota', size)).isRight, true);
}));

test('OpfsStore: what Chromium left of a copy goes', () => scene.within(async (own) => {
  let page = await own.page();
  await own.ask(page, 'page', 'begun', 'OpfsStore', 'quota', 16 * MB, 12 * MB);
  await page.close();
  page = await own.page();
  await own.quota(page, 12 * MB);
  const { before, after } = await own.ask(page, 'page', 'swept', 'quota', 16 * MB);
  assert.deepEqual(before, ['.part', '.part.crswap']);
  assert.deepEqual(after, ['.part']);
}));

test('OpfsStore: a blob goes although its use is written down just now', () => scene.within(async (own) => {
  const page = await own.page();
  assert.equal(await own.ask(page, 'page', 'removedInUse', 'quota', MB), false);
}));
