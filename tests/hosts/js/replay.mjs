// Replays a recording of the core: every function and every step must answer here as it did natively, to the byte.

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import process from 'node:process';
import { target, workspace } from './component.mjs';
import { decode, encode } from './form.mjs';

/** Milliseconds to make a recording, building included. */
const RECORDING_MS_MAX = 20 * 60 * 1000;
/** What a call that breaks the contract throws. */
const MISUSES = ['unknown-effect', 'out-of-order', 'too-large', 'finished', 'another-kind'];

/** The recording that HYDRANT_RECORD names, or one that `cargo run --bin record` makes now. */
export function recording() {
  if (process.env.HYDRANT_RECORD) return process.env.HYDRANT_RECORD;
  const path = join(target, 'record.jsonl');
  const cargo = ['run', '--quiet', '--package', 'hydrant-tests', '--bin', 'record', '--', path];
  execFileSync(process.env.CARGO ?? 'cargo', cargo, { cwd: workspace, stdio: 'inherit', timeout: RECORDING_MS_MAX });
  assert.ok(existsSync(path), 'the recording was made');
  return path;
}

/** Does what a recording says, line by line. */
export class Replay {
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
    const begin = sessions?.[line.begin] ?? operations.Operation[line.begin];
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
