// A process with one store on a folder, for the contract of the cache: it does the steps that it is sent, one by one,
// and answers each. It copies the folder before each change that it makes, if it is told where to.
//
//   fork('keeper.mjs', [STORE.JS])   gets { step, folder, copies, blob, bytes }, sends { answer } or { thrown }

import nodeFs from 'node:fs';
import fs from 'node:fs/promises';
import { syncBuiltinESMExports } from 'node:module';
import { join } from 'node:path';
import process from 'node:process';
import { pathToFileURL } from 'node:url';
import { PIECE_BYTES, bytesOf, newId, oidOf } from '../stores/bytes.mjs';
import { bootAs } from './boot.mjs';

const WRITES = nodeFs.constants.O_CREAT | nodeFs.constants.O_TRUNC;

let folder;
let copies;

/** What a kill would leave just now. */
function copy() {
  if (!copies) return;
  const to = join(copies, String(nodeFs.readdirSync(copies).length).padStart(3, '0'));
  if (nodeFs.existsSync(folder)) nodeFs.cpSync(folder, to, { recursive: true, preserveTimestamps: true });
  else nodeFs.mkdirSync(to);
}

/** Makes functions of an object changes. */
function watch(object, ...names) {
  for (const name of names) {
    const own = object[name].bind(object);
    object[name] = async (...given) => {
      copy();
      return own(...given);
    };
  }
}

const { open } = fs;
watch(fs, 'rename', 'rm', 'mkdir', 'writeFile', 'utimes', 'copyFile');
fs.open = async (path, flags, ...given) => {
  if (typeof flags !== 'number' || (flags & WRITES) !== 0) copy();
  const handle = await open(path, flags, ...given);
  watch(handle, 'write', 'truncate', 'datasync');
  return handle;
};
syncBuiltinESMExports();
const { FolderStore } = await import(pathToFileURL(process.argv[2]));

let store;
/** By oid: the stage that was found or written, and what writes to it. */
const stages = new Map();
const writing = new Map();

const steps = {
  async open({ step }) {
    stages.clear();
    writing.clear();
    bootAs(step.boot);
    const maxBytes = step['max-bytes'];
    store = await FolderStore.open(folder, maxBytes === undefined ? {} : { maxBytes });
    return 'done';
  },

  async has({ step, blob }) {
    const found = await store.has(blob.oid, step.size ?? blob.size);
    if (found === true) return 'present';
    if (!found) return 'absent';
    stages.set(blob.oid, found.stage);
    const bytes = await bytesOf(found.blob);
    if (bytes.length === blob.size) return (await oidOf(bytes)) === blob.oid ? 'whole right' : 'whole wrong';
    return found.validator === undefined ? `begun ${bytes.length}` : `begun ${bytes.length} ${found.validator}`;
  },

  async read({ blob }) {
    const found = await store.open(blob.oid);
    if (!found) return 'absent';
    return (await oidOf(await bytesOf(found))) === blob.oid ? 'content' : 'corrupt';
  },

  async begin({ step, blob, bytes }) {
    const { resume = 0, validator, to = resume } = step;
    const older = resume > 0 ? { stage: stages.get(blob.oid), bytes: resume } : undefined;
    const id = newId();
    const place = await store.stage(id, { oid: blob.oid, size: blob.size }, older);
    const beginning = place.beginning ? await bytesOf(place.beginning) : new Uint8Array();
    const written = { place, id, bytes, at: resume, beginning, resume, validator };
    writing.set(blob.oid, written);
    await write(written, to);
    return 'done';
  },

  async finish({ blob }) {
    const written = writing.get(blob.oid);
    await write(written, written.bytes.length);
    await close(blob, written);
    const all = new Uint8Array([...written.beginning, ...written.bytes.subarray(written.resume)]);
    return (await oidOf(all)) === blob.oid ? 'right' : 'wrong';
  },

  async leave({ blob }) {
    await close(blob, writing.get(blob.oid));
    return 'done';
  },

  async keep({ blob }) {
    await store.keep(stages.get(blob.oid) ?? newId(), blob.oid);
    return 'done';
  },

  async drop({ blob }) {
    await store.drop(stages.get(blob.oid) ?? newId());
    return 'done';
  },

  async fetch(given) {
    await steps.begin(given);
    const isRight = (await steps.finish(given)) === 'right';
    await steps[isRight ? 'keep' : 'drop'](given);
    return isRight ? 'kept' : 'dropped';
  },

  async list() {
    return (await store.list()).map(({ oid, size }) => [oid, size]);
  },

  async verify() {
    const { checked, removed } = await store.verify();
    return { good: checked - removed.length, bad: removed };
  },

  /** What is left over goes whenever a store is opened. */
  async sweep() {
    await FolderStore.open(folder);
    return 'done';
  },

  async remove({ blob }) {
    await store.remove(blob.oid);
    return 'done';
  },

  async pin({ blob }) {
    await store.pin(blob.oid);
    return 'done';
  },
};

async function write(written, to) {
  for (; written.at < to; written.at = Math.min(written.at + PIECE_BYTES, to)) {
    await written.place.write(written.bytes.slice(written.at, Math.min(written.at + PIECE_BYTES, to)));
  }
}

async function close({ oid }, { place, id, validator }) {
  await place.close(validator);
  writing.delete(oid);
  stages.set(oid, id);
}

process.on('disconnect', () => process.exit());
process.on('message', async (given) => {
  ({ folder, copies } = given);
  if (given.bytes !== undefined) given.bytes = new Uint8Array(Buffer.from(given.bytes, 'base64'));
  try {
    process.send({ answer: await steps[given.step.do](given) });
  } catch (error) {
    process.send({ thrown: String(error.stack ?? error) });
  }
});
