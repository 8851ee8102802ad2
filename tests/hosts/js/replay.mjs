// Replays a recording of the core: every function and every step must answer here as it did natively, to the byte.
// Nothing here is of Node: a page replays, too.

import { decode, encode } from './form.mjs';

/** What a call that breaks the contract throws. */
const MISUSES = ['unknown-effect', 'out-of-order', 'too-large', 'finished', 'another-kind'];

/** Does what a recording says, line by line. */
export class Replay {
  /** `same(given, expected, where)` throws unless both are deeply equal: types, lengths and all. */
  constructor(engine, same) {
    this.engine = engine;
    this.same = same;
    this.operations = new Map();
    this.calls = 0;
    this.steps = 0;
  }

  take(line, where) {
    if (line.call !== undefined) return this.call(line, where);
    if (line.begin !== undefined) return this.begin(line, where);
    const operation = this.operations.get(line.op);
    holds(operation || line.dropped, `${where}: operation ${line.op} is running`);
    if (line.poll !== undefined) {
      this.steps += 1;
      this.same(encode(operation.poll(decode(line.poll))), line.step, where);
    } else if (line.reply !== undefined) {
      this.steps += 1;
      const { err: misuse = null } = attempt(() => operation.reply(line.id, decode(line.reply)));
      holds(misuse === null || MISUSES.includes(misuse), `${where}: a misuse has a name`);
      this.same(misuse, line.misuse, where);
    } else if (line.stop) {
      operation.stop();
    } else if (line.finish !== undefined) {
      this.compare(attempt(() => this.finish(operation, line.finish)), line, `${where}: ${line.finish}`);
    } else {
      holds(line.dropped, `${where}: a line that is known`);
      this.operations.delete(line.op);
      operation[Symbol.dispose ?? Symbol.for('dispose')]();
    }
  }

  call(line, where) {
    this.calls += 1;
    const [name, method] = line.call.split('.');
    const call = () => this.engine[name][method](...line.args.map(decode));
    if ('value' in line) {
      this.same(encode(call()), line.value, `${where}: ${line.call}`);
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
    this.same(ended, 'ok' in line ? { ok: line.ok } : { err: line.err }, where);
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

function holds(isSo, what) {
  if (!isSo) throw new Error(`not so: ${what}`);
}
