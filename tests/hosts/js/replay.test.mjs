// Replays a recording of the core on the component.

import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { before, test } from 'node:test';
import { instantiate } from './component.mjs';
import { recording } from './recording.mjs';
import { Replay } from './replay.mjs';

let engine;

before(async () => {
  engine = await instantiate();
});

test('every recorded call and step is the same here', async () => {
  const replay = new Replay(engine, assert.deepEqual);
  const lines = (await readFile(recording(), 'utf8')).trimEnd().split('\n');
  lines.forEach((line, at) => replay.take(JSON.parse(line), `line ${at + 1}`));
  assert.ok(replay.calls > 500, `${replay.calls} calls`);
  assert.ok(replay.steps > 5000, `${replay.steps} steps`);
  assert.equal(replay.operations.size, 0, 'every operation was dropped in the end');
});

test('a wrong recording is seen', () => {
  const replay = new Replay(engine, assert.deepEqual);
  const call = { call: 'batches.retryAfter', args: ['7', { u64: '0' }] };
  replay.take({ ...call, value: { u64: '7000' } }, 'right');
  assert.throws(() => replay.take({ ...call, value: { u64: '7001' } }, 'wrong'));
  assert.throws(() => replay.take({ ...call, value: null }, 'wrong'));
  const endpoint = 'https://lfs.example.test';
  const request = { endpoint, direction: 'download', reference: null, transfers: [], objects: [] };
  const written = { call: 'batches.writeRequest', args: [request] };
  replay.take({ ...written, ok: null }, 'nothing to ask');
  assert.throws(() => replay.take({ ...written, err: 'anything' }, 'an error where none was'));
});
