// Tabs that go away while they write to OPFS, as tests.

import assert from 'node:assert/strict';
import { test } from 'node:test';

const MB = 1_000_000;

/** Makes the tests of a page or a worker. `beginning`: bytes of 12 MB that are there afterwards. */
export function crashesIn(where, beginning, scene) {
  for (const how of ['is closed', 'crashes', 'loads anew']) {
    test(`OpfsStore in a ${where}: when a tab ${how} while it writes, another one goes on`, () => {
      return scene().within(async (own) => {
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

  test(`OpfsStore in a ${where}: a stage of another tab is left alone`, () => scene().within(async (own) => {
    const [one, other] = [await own.page(), await own.page()];
    assert.ok(await own.ask(one, where, 'begun', 'OpfsStore', 'half', MB, 500_000), 'it is in use');
    const found = await own.ask(other, where, 'anew', 'OpfsStore', 'half', MB);
    assert.deepEqual(found, { before: 'nothing', isRight: true });
  }));
}
