// The contract of the cache (`docs/cache.md`), as `tests/fixtures/cache` has it, with the store in a folder. Processes
// of a scenario are processes, and are ended by a kill.

import assert from 'node:assert/strict';
import { mkdir, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { within } from '../../tests/hosts/js/scene.mjs';
import { bootAs } from './folder/boot.mjs';
import { FolderStore } from './folder/opened.mjs';
import { Scene, blobs, endAll, scenarios } from './folder/scenario.mjs';
import { heldOid, write } from './stores/bytes.mjs';

/** Scenarios that there are for scripts at least. */
const SCENARIOS_MIN = 60;
/** Changes of the file system that a scenario makes at least in which a process crashes. */
const CHANGES_MIN = 8;
/** What a scenario may say, and a step. */
const WORDS = ['name', 'differs', 'only', 'crash', 'tree', 'steps', 'after'];
const STEP_WORDS = [
  'do', 'by', 'is', 'only', 'blob', 'size', 'boot', 'max-bytes', 'to', 'resume', 'flip', 'validator', 'bytes',
  'seconds', 'files',
];

const all = await scenarios();
after(endAll);
for (const scenario of all) {
  const name = `${scenario.file}: ${scenario.name}`;
  test(name, () => within((place) => run(scenario, join(place.folder, 'hydrant'))));
  if (scenario.crash) test(`${name}, with a crash anywhere`, () => within((place) => crashes(scenario, place)));
}

test('the scenarios are there, and have no words that nobody reads', () => {
  assert.ok(all.length >= SCENARIOS_MIN, `${all.length} scenarios`);
  assert.equal(new Set(all.map(({ name }) => name)).size, all.length, 'each has a name of its own');
  for (const scenario of all) {
    const unread = (given, words) => Object.keys(given).filter((word) => !words.includes(word));
    assert.deepEqual(unread(scenario, ['file', ...WORDS]), [], scenario.name);
    for (const step of scenario.steps) assert.deepEqual(unread(step, STEP_WORDS), [], scenario.name);
    const isSplit = /"(command|script)":/.test(JSON.stringify([scenario.tree, scenario.steps, scenario.after]));
    assert.ok(!isSplit || scenario.differs, `${scenario.name}: how do the writers differ?`);
  }
});

async function run(scenario, folder, copies) {
  const scene = new Scene(folder, copies);
  try {
    await scene.lay(scenario.tree ?? {});
    for (const [at, step] of scenario.steps.entries()) await scene.expect(step, `step ${at + 1}: ${step.do}`);
    await scene.compare(scenario.after ?? {});
  } finally {
    scene.end();
  }
}

/** The folder as a kill leaves it, before each change that the scenario makes: nothing wrong is there, nothing lost. */
async function crashes(scenario, place) {
  const copies = join(place.folder, 'copies');
  await mkdir(copies);
  await run(scenario, join(place.folder, 'hydrant'), copies);
  // What they left is nobody's once they are gone.
  await endAll();
  const names = await readdir(copies);
  assert.ok(names.length > CHANGES_MIN, `${names.length} changes`);
  for (const name of names.sort()) await recovers(join(copies, name), scenario, `a crash after ${name} changes`);
}

/** Whoever opens the folder finds nothing wrong, gets every blob, and has what lay there whole. */
async function recovers(folder, { tree = {}, steps }, what) {
  bootAs(steps.findLast((step) => step.do === 'open').boot);
  const store = await FolderStore.open(folder);
  for (const name of new Set(steps.map((step) => step.blob).filter(Boolean))) {
    const it = blobs.get(name);
    const found = await store.has(it.oid, it.size);
    const wasWhole = Object.entries(tree).some(([path, spec]) => path.endsWith(`{${name}/}`) && spec === name);
    if (wasWhole) assert.equal(found, true, `${what}: ${name} is lost`);
    const older = found && found !== true ? { stage: found.stage, bytes: found.blob.size } : undefined;
    if (found !== true) await store.keep(await write(store, it, it.bytes.slice(older?.bytes ?? 0), { older }), it.oid);
    assert.equal(await heldOid(store, it.oid), it.oid, what);
  }
  // The list comes after all notes of uses, which would make void what is being read.
  await store.list();
  assert.deepEqual((await store.verify()).removed, [], what);
}
