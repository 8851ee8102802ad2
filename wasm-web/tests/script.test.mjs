// The example for scripts, with the package as a user has it: in whatever runs this test.

import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { copyFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import process from 'node:process';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { HYDRANT, digest } from '../../tests/hosts/js/scene.mjs';
import { serve } from '../examples/serve.mjs';
import { folder as built } from './package.mjs';
import { install } from './package/installed.mjs';

const RIGHTS = 'Deno' in globalThis ? ['run', '--allow-all'] : [];

test('a script', async () => {
  const [examples, user] = await Promise.all([serve({ built, hydrant: HYDRANT }), install()]);
  try {
    await copyFile(fileURLToPath(new URL('../examples/node.mjs', import.meta.url)), join(user.folder, 'node.mjs'));
    const { name, oid, size } = examples.files.find(({ name }) => name.endsWith('.svg'));
    const pointer = await (await fetch(`${examples.origin}/pointers/${name}`)).text();
    await writeFile(join(user.folder, 'pointer'), pointer);
    const run = (pointer) => promisify(execFile)(
      process.execPath, [...RIGHTS, 'node.mjs', examples.endpoint, pointer], { cwd: user.folder },
    );
    for (const _ of ['from the server', 'from the folder']) {
      const { stdout, stderr } = await run('pointer');
      assert.equal(stderr, '');
      assert.match(stdout, new RegExp(`^${oid} ${size} bytes\n<svg xmlns=`));
    }
    await writeFile(join(user.folder, 'missing'), pointer.replace(oid, digest('nobody has this')));
    await assert.rejects(run('missing'), ({ code, stderr }) => code === 1 && stderr.startsWith('missing: '));
  } finally {
    await examples.close();
    await user.leave();
  }
});
