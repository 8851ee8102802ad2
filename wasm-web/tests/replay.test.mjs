// Replays a recording of the core on the package, in Node.

import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { before, test } from 'node:test';
import { recording } from '../../tests/hosts/js/recording.mjs';
import { load } from './package.mjs';
import { COMMON, replayed, same } from './replaying.mjs';

let text;

before(async () => {
  text = await readFile(recording(), 'utf8');
});

for (const [name, common] of [['index', COMMON.read], ['full', COMMON.full]]) {
  test(`every recorded call and step is the same in ${name}`, async () => {
    const { calls, steps, running } = replayed(await load(name), text, assert.deepEqual);
    console.log(`${calls} calls and ${steps} steps`);
    assert.ok(calls > common.calls, `${calls} calls`);
    assert.ok(steps > common.steps, `${steps} steps`);
    assert.equal(running, 0, 'every operation was dropped in the end');
  });
}

test('what compares in a page sees what assert.deepEqual sees', () => {
  const values = [
    null, true, false, 0, 1, '', '0', [], [null], [[]], {}, { a: null }, { a: [] }, { a: 1 }, { b: 1 }, { a: 1, b: 1 },
    { a: 1, b: { c: [1, 2] } }, { a: 1, b: { c: [1, '2'] } }, { a: 1, b: { c: [1] } }, { 0: 1 }, [1], [1, 1],
    { u64: '1' }, { u64: '2' }, { b64: 'AA==' },
    { length: { u64: '1' } }, [, 1], [undefined, 1], { __proto__: null, a: 1, b: 1, c: 1 },
  ];
  for (const one of values) {
    for (const other of values) {
      const isSame = one === other;
      const check = (compare) => compare(structuredClone(one), structuredClone(other), 'here');
      if (isSame) check(same);
      else assert.throws(() => check(same), /^Error: here: not the same at /);
      if (isSame) check(assert.deepEqual);
      else assert.throws(() => check(assert.deepEqual));
    }
  }
});
