// What `fuzz.mjs` does for hours, for a moment; and that it would see what it looks for.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { instantiate } from './component.mjs';
import { Dice, Host, run } from './fuzz.mjs';

const RUNS = 1_000;

test('a host that does anything at all gets no trap and no endless loop', async () => {
  const component = await instantiate();
  for (let seed = 0; seed < RUNS; seed += 1) run(component, seed);
});

test('a component that breaks its word is seen', () => {
  const words = [
    [{ tag: 'enter', val: 'hash' }, /no wait/],
    [{ tag: 'wait' }, /waits for nothing/],
    [{ tag: 'cancel', val: 1 }, /not open/],
  ];
  for (const [step, expected] of words) {
    const operation = { poll: () => step, reply: () => {}, stop: () => {} };
    assert.throws(() => new Host(operation, new Dice(1)).polled(), expected);
  }
  const credulous = new Host({ poll: () => ({ tag: 'done' }), reply: () => {}, stop: () => {} }, new Dice(1));
  assert.throws(() => credulous.reply(1, { tag: 'end' }), /before anybody was asked/);
  const trap = () => { throw new WebAssembly.RuntimeError('unreachable'); };
  const host = new Host({ poll: () => ({ tag: 'wait', val: 1n }), reply: trap, stop: () => {} }, new Dice(1));
  assert.throws(() => host.reply(1, { tag: 'end' }), /unreachable/);
});
