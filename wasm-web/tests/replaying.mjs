// The recording of the core, on an entry of the package: in Node and in a page. What the entry has in common with the
// component answers alike, to the byte.

import { Replay } from '../../tests/hosts/js/replay.mjs';

/** How much of the recording each module has in common with the component, at least. */
export const COMMON = { read: { calls: 700, steps: 40_000 }, full: { calls: 900, steps: 80_000 } };

/** Replays the text of a recording on an entry; how many calls and steps that were. `same` as in `Replay`. */
export function replayed(engine, text, same) {
  const replay = new Replay(engine, same);
  const begun = new Set();
  text.trimEnd().split('\n').forEach((json, at) => {
    const line = JSON.parse(json);
    const where = `line ${at + 1}`;
    if (line.call) {
      const [name, member] = line.call.split('.');
      if (engine[name]?.[member]) replay.take(line, where);
      return;
    }
    const isHere = (engine.sessions?.[line.begin] ?? engine.operations.Operation[line.begin]) !== undefined;
    if (line.begin && isHere) begun.add(line.op);
    const isKnown = !line.finish || line.finish in engine.operations.Operation.prototype;
    if (begun.has(line.op) && isKnown) replay.take(line, where);
  });
  return { calls: replay.calls, steps: replay.steps, running: replay.operations.size };
}

/** Throws unless two values of JSON are the same: `assert.deepEqual` where there is no Node. */
export function same(given, expected, where) {
  const path = difference(given, expected, '');
  if (path !== undefined) throw new Error(`${where}: not the same at "${path}"`);
}

/** Where two values of JSON differ first; nothing if they do not. */
function difference(given, expected, path) {
  if (Object.is(given, expected)) return undefined;
  const areObjects = [given, expected].every((it) => typeof it === 'object' && it !== null);
  if (!areObjects || Array.isArray(given) !== Array.isArray(expected)) return path;
  if (Array.isArray(given) && given.length !== expected.length) return path;
  const keys = Object.keys(given);
  if (keys.length !== Object.keys(expected).length) return path;
  for (const key of keys) {
    if (!Object.hasOwn(expected, key)) return `${path}.${key}`;
    const found = difference(given[key], expected[key], `${path}.${key}`);
    if (found !== undefined) return found;
  }
  return undefined;
}
