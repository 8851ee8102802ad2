// The contract of stores in Chromium, and whether the harness sees what goes wrong.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { Scene } from './browser/chromium.mjs';
import { contractOf } from './browser/contract.mjs';

let scene;
before(async () => (scene = await Scene.open()));
after(() => scene?.close());

contractOf('MemoryStore', () => scene);
contractOf('CacheStore', () => scene);

for (const [what, script, said] of [
  ['an error that nobody catches', () => setTimeout(() => { throw new Error('planted'); }), /planted/],
  ['a promise that nobody catches', () => { Promise.reject(new Error('planted')); }, /planted/],
  ['an error on the console', () => console.error('planted'), /planted/],
]) {
  test(`the harness sees ${what}`, async () => {
    await assert.rejects(scene.within(async (own) => {
      const page = await own.page();
      await page.evaluate(script);
      // Whatever the page says after this comes later.
      await page.evaluate(() => new Promise((resolve) => setTimeout(resolve)));
    }), ({ actual }) => actual?.length === 1 && said.test(actual[0]));
  });
}
