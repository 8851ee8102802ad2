// Tabs that go away while they write, in Chromium: pages.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { Scene } from './browser/chromium.mjs';
import { crashesIn } from './browser/crashes.mjs';

const MB = 1_000_000;

let scene;
before(async () => (scene = await Scene.open()));
after(() => scene?.close());

// What a page gathered is saved once it is worth it.
crashesIn('page', 8 << 20, () => scene);

test('CacheStore: what a tab has begun ends with it, and the next one begins anew', () => scene.within(async (own) => {
  const page = await own.page();
  assert.ok(await own.ask(page, 'page', 'begun', 'CacheStore', 'half', MB, 500_000), 'it is in use');
  await page.close();
  const found = await own.ask(await own.page(), 'page', 'anew', 'CacheStore', 'half', MB);
  assert.deepEqual(found, { before: 'nothing', isRight: true });
}));
