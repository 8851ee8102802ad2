// The contract of stores as tests: in a page, and in a worker.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { contract } from '../stores/contract.mjs';

/** Makes the tests of one kind of store. `scene` gives the browser once the tests run. */
export function contractOf(kind, scene) {
  for (const where of ['page', 'worker']) {
    test(`${kind} in a ${where}`, async (context) => {
      let results;
      await scene().within(async (own) => {
        results = await own.ask(await own.page(), where, 'contract', kind);
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
