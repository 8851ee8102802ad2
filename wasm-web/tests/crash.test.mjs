// Tabs that go away while they write: in Chromium.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { Scene } from './browser/chromium.mjs';

const MB = 1_000_000;

let scene;
before(async () => (scene = await Scene.open()));
after(() => scene?.close());

// A page saves what it gathered once it is worth it; a worker writes to the file itself.
for (const [where, beginning] of [['page', 8 << 20], ['worker', 12 * MB]]) {
  for (const how of ['is closed', 'crashes', 'loads anew']) {
    test(`OpfsStore in a ${where}: when a tab ${how} while it writes, another one goes on`, () => {
      return scene.within(async (own) => {
        let page = await own.page();
        const size = 16 * MB;
        assert.ok(await own.ask(page, where, 'begun', 'OpfsStore', 'half', size, 12 * MB), 'it is in use');
        if (how === 'is closed') await page.close();
        if (how === 'loads anew') await own.load(page);
        if (how === 'crashes') await own.crash(page);
        else assert.deepEqual(own.faults, []);
        if (how !== 'loads anew') page = await own.page();
        const found = await own.ask(page, where, 'finished', 'OpfsStore', 'half', size);
        assert.deepEqual(found, { beginning, isRight: true });
      });
    });
  }

  test(`OpfsStore in a ${where}: a stage of another tab is left alone`, () => scene.within(async (own) => {
    const [one, other] = [await own.page(), await own.page()];
    assert.ok(await own.ask(one, where, 'begun', 'OpfsStore', 'half', MB, 500_000), 'it is in use');
    const found = await own.ask(other, where, 'anew', 'OpfsStore', 'half', MB);
    assert.deepEqual(found, { before: 'nothing', isRight: true });
  }));
}

test('CacheStore: what a tab has begun ends with it, and the next one begins anew', () => scene.within(async (own) => {
  const page = await own.page();
  assert.ok(await own.ask(page, 'page', 'begun', 'CacheStore', 'half', MB, 500_000), 'it is in use');
  await page.close();
  const found = await own.ask(await own.page(), 'page', 'anew', 'CacheStore', 'half', MB);
  assert.deepEqual(found, { before: 'nothing', isRight: true });
}));
