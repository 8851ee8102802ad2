// The contract of stores in Chromium, in a page and in a worker.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { Scene } from './browser/chromium.mjs';
import { contract } from './stores/contract.mjs';

let scene;
before(async () => (scene = await Scene.open()));
after(() => scene?.close());

for (const kind of ['MemoryStore', 'CacheStore', 'OpfsStore']) {
  for (const where of ['page', 'worker']) {
    test(`${kind} in a ${where}`, async (context) => {
      let results;
      await scene.within(async (own) => {
        const page = await own.page();
        results = await page.evaluate(([kind, where]) => globalThis.answer[where]('contract', kind), [kind, where]);
      });
      assert.deepEqual(results.map(({ name }) => name), contract.map(([name]) => name), 'all cases ran');
      for (const { name, error, checks } of results) {
        await context.test(name, () => {
          assert.equal(error, undefined);
          assert.ok(checks > 0, 'it asserts something');
        });
      }
    });
  }
}

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
