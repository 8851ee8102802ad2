// Replays a recording of the core on the package: what it has in common with the component answers alike, to the byte.

import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { before, test } from 'node:test';
import { Replay, recording } from '../../tests/hosts/js/replay.mjs';
import { load } from './package.mjs';

let lines;

before(async () => {
  lines = (await readFile(recording(), 'utf8')).trimEnd().split('\n').map((line) => JSON.parse(line));
});

for (const { name, calls, steps } of [
  { name: 'index', calls: 500, steps: 10_000 },
  { name: 'full', calls: 800, steps: 50_000 },
]) {
  test(`every recorded call and step is the same in ${name}`, async () => {
    const engine = await load(name);
    const replay = new Replay(engine);
    const begun = new Set();
    lines.forEach((line, at) => {
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
    console.log(`${replay.calls} calls and ${replay.steps} steps`);
    assert.ok(replay.calls > calls, `${replay.calls} calls`);
    assert.ok(replay.steps > steps, `${replay.steps} steps`);
    assert.equal(replay.operations.size, 0, 'every operation was dropped in the end');
  });
}
