// The declarations of the package as it is installed: right uses pass, wrong ones do not.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { install } from './package/installed.mjs';
import { check } from './package/type-check.mjs';

let user;
before(async () => (user = await install()));
after(() => user?.leave());

for (const [program, lib, module, moduleResolution] of [
  ['types-page.ts', ['es2022', 'dom'], 'esnext', 'bundler'],
  ['types-worker.ts', ['es2022', 'webworker'], 'nodenext', 'nodenext'],
]) {
  test(`${program} by the rules of ${moduleResolution}`, async () => {
    assert.deepEqual(await check(user.folder, [program], { module, moduleResolution, lib }), '');
  });
}
