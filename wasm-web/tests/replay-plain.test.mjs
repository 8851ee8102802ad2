// Replays a recording of the core on the modules without SIMD. A process of its own: each has a module once.

import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { test } from 'node:test';
import { pathToFileURL } from 'node:url';
import { recording } from '../../tests/hosts/js/recording.mjs';
import { serve } from './browser/server.mjs';
import { folder } from './package.mjs';
import { COMMON, replayed } from './replaying.mjs';

for (const [name, module] of [['page', 'read'], ['full-page', 'full']]) {
  test(`every recorded call and step is the same in ${name} without SIMD`, async () => {
    const server = await serve();
    try {
      const engine = await import(pathToFileURL(`${folder}/${name}.js`));
      const path = `/package/wasm/${module}_plain_bg.wasm`;
      await engine.init(new URL(path, server.origin));
      assert.deepEqual(server.paths, [path], 'this module and no other');
      const { calls, steps, running } = replayed(engine, await readFile(recording(), 'utf8'), assert.deepEqual);
      console.log(`${calls} calls and ${steps} steps`);
      assert.ok(calls > COMMON[module].calls, `${calls} calls`);
      assert.ok(steps > COMMON[module].steps, `${steps} steps`);
      assert.equal(running, 0, 'every operation was dropped in the end');
    } finally {
      await server.close();
    }
  });
}
