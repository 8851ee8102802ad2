// The component alone, without a host: what it promises whoever drives it.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { instantiate } from './component.mjs';

const NOW = { ticks: 0n, wall: 0n };
const WANT = { name: 'a', oid: 'a'.repeat(64), size: 10n };

/** An operation that has asked for something, and what that is. */
async function asking(begin, seed = 7n) {
  const engine = await instantiate();
  const operation = begin(engine.operations, engine.operations.defaultConfig('https://lfs.example.test', seed));
  const { tag, val } = operation.poll(NOW);
  assert.equal(tag, 'perform');
  return { engine, operation, id: val.id, effect: val.effect };
}

const hydrate = ({ Operation }, config) => Operation.hydrate(config, [WANT]);
const batch = ({ Operation }, config) => Operation.batch(config, 'download', [{ oid: WANT.oid, size: WANT.size }]);

/** What a misuse is called. */
function misuse(call) {
  try {
    call();
  } catch (error) {
    return error.payload;
  }
  return undefined;
}

test('it says its version', async () => {
  const { operations } = await instantiate();
  assert.match(operations.version(), /^[0-9]+\.[0-9]+\.[0-9]+$/);
});

test('the finish of another kind is a misuse that changes nothing', async () => {
  const { engine, operation, id, effect } = await asking(hydrate);
  assert.equal(misuse(() => operation.finishBatch()), 'another-kind');
  assert.equal(misuse(() => operation.finishLocks()), 'another-kind');
  assert.equal(misuse(() => engine.sessions.finishPublish(operation)), 'another-kind');
  assert.equal(misuse(() => engine.sessions.finishReconcile(operation)), 'another-kind');
  assert.deepEqual(effect, { tag: 'has-blob', val: { oid: WANT.oid, size: WANT.size } });
  operation.reply(id, { tag: 'present' });
  assert.equal(operation.poll(NOW).tag, 'note');
  assert.equal(operation.poll(NOW).tag, 'done');
  const report = operation.finishTransfer();
  assert.deepEqual(report.outcomes.map(({ name, ended }) => [name, ended.tag]), [['a', 'ok']]);
  assert.equal(misuse(() => operation.finishTransfer()), 'finished');
});

test('late answers to a finished operation are taken in silence', async () => {
  const { operation, id } = await asking(hydrate);
  const report = operation.finishTransfer();
  assert.equal(report.outcomes[0].ended.val.code, 'unfinished');
  operation.reply(id, { tag: 'absent' });
  operation.reply(id, { tag: 'failed', val: { why: 'aborted', detail: '' } });
  operation.reply(id, { tag: 'received', val: { oid: 'none', size: 1n } });
  assert.equal(misuse(() => operation.reply(id + 1, { tag: 'absent' })), 'finished');
  assert.equal(operation.poll(NOW).tag, 'done');
  operation.stop();
});

test('a digest that is none is a misuse of the effect that it names', async () => {
  const { operation, id } = await asking(hydrate);
  const reply = (id) => misuse(() => operation.reply(id, { tag: 'received', val: { oid: 'none', size: 1n } }));
  assert.equal(reply(id), 'out-of-order');
  assert.equal(reply(id + 1), 'unknown-effect');
  operation.finishTransfer();
  assert.equal(reply(id + 1), 'finished');
});

test('two operations with one seed are refused until the first is finished', async () => {
  const { engine, operation } = await asking(hydrate);
  const again = () => hydrate(engine.operations, engine.operations.defaultConfig('https://lfs.example.test', 7n));
  assert.equal(misuse(again).code, 'host');
  operation.finishTransfer();
  assert.equal(misuse(again), undefined);
});

test('a chunk that is too large changes nothing, however large it is', async (context) => {
  const { operation, id } = await asking(batch);
  operation.reply(id, { tag: 'head', val: { status: 410, headers: [] } });
  const chunk = (bytes) => misuse(() => operation.reply(id, { tag: 'chunk', val: bytes }));
  assert.equal(chunk(new Uint8Array(300 * 1024)), 'too-large');
  assert.equal(chunk(new Uint8Array(256 * 1024 + 1)), 'too-large');
  let huge;
  try {
    huge = new Uint8Array(2 ** 30);
  } catch {
    context.diagnostic('there is no memory for a chunk of 1 GiB');
  }
  if (huge) assert.equal(chunk(huge), 'too-large');
  assert.equal(chunk(new Uint8Array(256 * 1024)), undefined);
  operation.reply(id, { tag: 'end' });
  assert.equal(operation.poll(NOW).tag, 'done');
  assert.equal(operation.finishBatch()[0].answer.val.code, 'not-found');
});
