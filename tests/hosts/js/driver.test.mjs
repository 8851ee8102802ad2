// The loop, with effects of a few lines.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { instantiate } from './component.mjs';
import { drive } from './driver.mjs';

const WANTS = ['a', 'b'].map((name) => ({ name, oid: name.repeat(64), size: 10n }));

/** Drives a `hydrate` with this in the place of a host. */
async function driven(perform, options) {
  const { operations } = await instantiate();
  const operation = operations.Operation.hydrate(operations.defaultConfig('https://lfs.example.test', 7n), WANTS);
  return drive(operation, (operation) => operation.finishTransfer(), perform, options);
}

/** An effect that never ends by itself. */
function aborted(signal) {
  return new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason)));
}

const ended = ({ outcomes }) => outcomes.map(({ ended }) => ended.val?.code ?? ended.tag);

test('effects are performed, and progress is shown', async () => {
  const shown = [];
  const report = await driven(async () => ({ tag: 'present' }), { onProgress: ({ name }) => shown.push(name) });
  assert.deepEqual([ended(report), shown], [['ok', 'ok'], ['a', 'b']]);
});

test('an effect that throws has failed', async () => {
  const report = await driven(async () => Promise.reject(undefined));
  assert.deepEqual(ended(report), ['host', 'host']);
});

test('a stop aborts what is open', async () => {
  const cancel = new AbortController();
  const perform = (_, { signal }) => {
    setTimeout(() => cancel.abort());
    return aborted(signal);
  };
  assert.deepEqual(ended(await driven(perform, { signal: cancel.signal })), ['unfinished', 'unfinished']);
});

test('a misuse ends the loop, and what is open is aborted first', async () => {
  let open = 0;
  const perform = async ({ val: { oid } }, { signal }) => {
    if (oid === WANTS[1].oid) return { tag: 'end' };
    open += 1;
    await aborted(signal).finally(() => (open -= 1));
  };
  await assert.rejects(driven(perform), ({ payload }) => payload === 'out-of-order');
  assert.equal(open, 0);
});

test('an error of the caller is thrown', async () => {
  const onProgress = () => {
    throw new RangeError('no place for it');
  };
  await assert.rejects(driven(async () => ({ tag: 'present' }), { onProgress }), RangeError);
});
