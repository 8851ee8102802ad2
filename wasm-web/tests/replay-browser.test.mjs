// Replays a recording of the core on the package in Chromium, with the entries for pages without a bundler.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { recording } from '../../tests/hosts/js/recording.mjs';
import { Scene } from './browser/chromium.mjs';
import { COMMON } from './replaying.mjs';

let scene;
before(async () => {
  scene = await Scene.open();
  scene.server.files.set('/recording', recording());
});
after(() => scene?.close());

for (const [name, module] of [['page', 'read'], ['full-page', 'full']]) {
  test(`every recorded call and step is the same in ${name}`, () => scene.within(async (own) => {
    const page = await own.page();
    scene.server.paths.length = 0;
    const { calls, steps, running } = await page.evaluate(async (name) => {
      const engine = await import(`/package/${name}.js`);
      const { replayed, same } = await import('/tests/replaying.mjs');
      await engine.init();
      return replayed(engine, await (await fetch('/recording')).text(), same);
    }, name);
    console.log(`${calls} calls and ${steps} steps`);
    assert.ok(scene.server.paths.includes(`/package/wasm/${module}_bg.wasm`), 'with the module that lies beside');
    assert.ok(calls > COMMON[module].calls, `${calls} calls`);
    assert.ok(steps > COMMON[module].steps, `${steps} steps`);
    assert.equal(running, 0, 'every operation was dropped in the end');
  }));
}

test('a wrong recording is seen in a page', () => scene.within(async (own) => {
  const page = await own.page();
  const said = await page.evaluate(async () => {
    const engine = await import('/package/full-page.js');
    const { replayed, same } = await import('/tests/replaying.mjs');
    await engine.init();
    const line = (value) => JSON.stringify({ call: 'batches.retryAfter', args: ['7', { u64: '0' }], value });
    const { calls } = replayed(engine, line({ u64: '7000' }), same);
    try {
      replayed(engine, line({ u64: '7001' }), same);
    } catch (error) {
      return { calls, message: error.message };
    }
    return { calls };
  });
  assert.equal(said.calls, 1);
  assert.match(said.message, /^line 1: batches\.retryAfter: not the same at "\.u64"$/);
}));
