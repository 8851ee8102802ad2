// Replays a recording of the core: every function and every step must answer here as it did natively, to the byte.
//
// HYDRANT_RECORD names the recording; without it one is made by `cargo run --bin record`.

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { before, test } from 'node:test';
import { instantiate, target, workspace } from './component.mjs';
import { decode, encode } from './form.mjs';

/** Milliseconds to make a recording, building included. */
const RECORDING_MS_MAX = 20 * 60 * 1000;
/** What a call that breaks the contract throws. */
const MISUSES = ['unknown-effect', 'out-of-order', 'too-large', 'finished', 'another-kind'];

let engine;
let recording;

before(async () => {
  engine = await instantiate();
  recording = process.env.HYDRANT_RECORD ?? recorded();
});

/** A recording made now. */
function recorded() {
  const path = join(target, 'record.jsonl');
  const cargo = ['run', '--quiet', '--package', 'hydrant-tests', '--bin', 'record', '--', path];
  execFileSync(process.env.CARGO ?? 'cargo', cargo, { cwd: workspace, stdio: 'inherit', timeout: RECORDING_MS_MAX });
  assert.ok(existsSync(path), 'the recording was made');
  return path;
}

test('every recorded call and step is the same here', async () => {
  const replay = new Replay(engine);
  const lines = (await readFile(recording, 'utf8')).trimEnd().split('\n');
  lines.forEach((line, at) => replay.take(JSON.parse(line), `line ${at + 1}`));
  assert.ok(replay.calls > 500, `${replay.calls} calls`);
  assert.ok(replay.steps > 5000, `${replay.steps} steps`);
  assert.equal(replay.operations.size, 0, 'every operation was dropped in the end');
});

test('a wrong recording is seen', () => {
  const replay = new Replay(engine);
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

/** Does what a recording says, line by line. */
class Replay {
  constructor(engine) {
    this.engine = engine;
    this.operations = new Map();
    this.calls = 0;
    this.steps = 0;
  }

  take(line, where) {
    if (line.call !== undefined) return this.call(line, where);
    if (line.begin !== undefined) return this.begin(line, where);
    const operation = this.operations.get(line.op);
    assert.ok(operation || line.dropped, `${where}: operation ${line.op} is running`);
    if (line.poll !== undefined) {
      this.steps += 1;
      assert.deepEqual(encode(operation.poll(decode(line.poll))), line.step, where);
    } else if (line.reply !== undefined) {
      this.steps += 1;
      const { err: misuse = null } = attempt(() => operation.reply(line.id, decode(line.reply)));
      assert.ok(misuse === null || MISUSES.includes(misuse), `${where}: a misuse has a name`);
      assert.deepEqual(misuse, line.misuse, where);
    } else if (line.stop) {
      operation.stop();
    } else if (line.finish !== undefined) {
      this.compare(attempt(() => this.finish(operation, line.finish)), line, `${where}: ${line.finish}`);
    } else {
      assert.ok(line.dropped, `${where}: a line that is known`);
      this.operations.delete(line.op);
      operation[Symbol.dispose ?? Symbol.for('dispose')]();
    }
  }

  call(line, where) {
    this.calls += 1;
    const [name, method] = line.call.split('.');
    const call = () => this.engine[name][method](...line.args.map(decode));
    if ('value' in line) {
      assert.deepEqual(encode(call()), line.value, `${where}: ${line.call}`);
    } else {
      this.compare(attempt(call), line, `${where}: ${line.call}`);
    }
  }

  /** What needs a ledger is a free function of `sessions`, the rest a static one of the resource. */
  begin(line, where) {
    const { operations, sessions } = this.engine;
    const begin = sessions[line.begin] ?? operations.Operation[line.begin];
    const made = attempt(() => begin(...line.args.map(decode)), (made) => {
      this.operations.set(line.op, made);
      return null;
    });
    this.compare(made, line, `${where}: ${line.begin}`);
  }

  finish(operation, name) {
    return name in operation ? operation[name]() : this.engine.sessions[name](operation);
  }

  compare(ended, line, where) {
    assert.deepEqual(ended, 'ok' in line ? { ok: line.ok } : { err: line.err }, where);
  }
}

/**
 * What a call gives, in the form of a recording. jco throws the error of a result as the payload of an error of its
 * own. Anything else thrown is a trap or a fault of this test.
 */
function attempt(call, take = encode) {
  let value;
  try {
    value = call();
  } catch (error) {
    if (error.payload === undefined) throw error;
    return { err: encode(error.payload) };
  }
  return { ok: take(value) };
}
