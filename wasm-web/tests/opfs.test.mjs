// The contract of the store in OPFS, in Chromium.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { Scene } from './browser/chromium.mjs';
import { contractOf } from './browser/contract.mjs';

let scene;
before(async () => (scene = await Scene.open()));
after(() => scene?.close());

contractOf('OpfsStore', () => scene);

for (const where of ['page', 'worker']) {
  test(`in a ${where}, a store goes on with what another one began`, () => scene.within(async (own) => {
    const found = await own.ask(await own.page(), where, 'reopened', 'OpfsStore', 'again', 300_000, 200_000);
    assert.deepEqual(found, { beginning: 200_000, isRight: true });
  }));

  for (const part of ['all', 'blobs', 'stages', 'pins', 'used']) {
    test(`in a ${where}, what is removed of an open store is made again: ${part}`, () => scene.within(async (own) => {
      const told = await own.ask(await own.page(), where, 'cleared', 'gone', part);
      const listed = part === 'all' || part === 'blobs' ? [0, 0] : [];
      assert.deepEqual(told, [...listed, true, ...listed, true, true, true]);
    }));
  }
}
