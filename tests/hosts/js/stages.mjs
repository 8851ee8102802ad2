// Where blobs are written before they are judged, and where they are kept.
//
//   FOLDER/OID                      a blob, verified
//   FOLDER/stages/OID.OWNER.STAGE   a stage; OWNER is the process that has it, or 0 once it was left in order
//
// Three rules keep wrong bytes out, whoever else uses the folder:
// - A stage is made exclusively, and written by one effect.
// - What was left behind is claimed by a rename, which one claimant alone can win, and only if it was left in order or
//   its process is gone.
// - The beginning of an older stage is copied, never moved: what is hashed is what is kept, even if a process that we
//   took for dead should still write to its own file.
//
// Processes that share a folder share a machine: the number of a process means nothing elsewhere.

import { randomUUID } from 'node:crypto';
import { mkdir, open, readdir, rename, rm, stat, utimes } from 'node:fs/promises';
import { join } from 'node:path';
import process from 'node:process';
import { isMainThread } from 'node:worker_threads';
import { fault } from './failure.mjs';
import { Digest, pieces } from './files.mjs';

/** Owner of a stage that was left in order. */
const NOBODY = 0;
/** When this process began; a worker may know only its own beginning. */
const BORN = isMainThread ? Date.now() - process.uptime() * 1000 : -Infinity;
const NAME = /^([0-9a-f]{64})\.([0-9]+)\.[A-Za-z0-9-]+$/;

/** The stages of one operation. */
export class Stages {
  #folder;
  #stages;
  /** Stages that this operation has, by id: oid, path, and the bytes of what it found. */
  #ours = new Map();
  /** Stages that were left behind, by oid: their names and bytes. */
  #left;

  constructor(folder) {
    this.#folder = folder;
    this.#stages = join(folder, 'stages');
  }

  /** Whether a blob is kept here. */
  async has({ oid, size }) {
    const facts = await stat(join(this.#folder, oid), { bigint: true }).catch(() => undefined);
    if (!facts?.isFile() || facts.size !== size) return false;
    await this.#sweep(oid);
    return true;
  }

  /** Takes the longest beginning of a blob that was left behind, if there is one. Longer ones than the blob go. */
  async claim({ oid, size }) {
    // What was taken for an earlier try, and not used.
    for (const [id, stage] of this.#ours) if (stage.oid === oid && stage.bytes) return { id, bytes: stage.bytes };
    const left = (await this.#leftovers()).get(oid) ?? [];
    left.sort((a, b) => a.bytes - b.bytes);
    while (left.length > 0) {
      const from = join(this.#stages, left.pop().name);
      const id = randomUUID();
      const path = this.#path(oid, process.pid, id);
      if (!(await isAbandoned(from))) continue;
      try {
        // A new time first: to whoever looks from now on, it is in use. Then only one rename can succeed.
        await utimes(from, new Date(), new Date());
        await rename(from, path);
      } catch {
        continue;
      }
      const bytes = (await stat(path, { bigint: true })).size;
      this.#ours.set(id, { oid, path, bytes });
      if (bytes > 0 && bytes <= size) return { id, bytes };
      await this.drop(id);
    }
    return undefined;
  }

  /** Writes a stage: the beginning of an older one, and what arrives. Tells what it is; one that breaks off is left. */
  async write({ id, blob: { oid }, resume }, arriving, { signal, soFar }) {
    await mkdir(this.#stages, { recursive: true });
    const path = this.#path(oid, process.pid, id);
    const handle = await open(path, 'wx');
    this.#ours.set(id, { oid, path });
    const digest = new Digest();
    const write = async (piece) => {
      digest.update(piece);
      for (let at = 0; at < piece.length; ) at += (await handle.write(piece, at)).bytesWritten;
      soFar(digest.bytes);
    };
    let whole;
    try {
      if (resume) {
        const [older, length] = [this.#ours.get(resume.stage).path, Number(resume.bytes)];
        for await (const piece of pieces(older, { signal, length })) await write(piece);
        if (digest.bytes < length) throw fault('io', 'the beginning is gone');
        await this.drop(resume.stage);
      }
      for await (const piece of arriving) await write(piece);
      await handle.datasync();
      whole = digest.blob();
      return whole;
    } finally {
      await handle.close();
      if (!whole) await this.#leave(id);
    }
  }

  /** Makes a stage the blob. Its bytes are on the disk already. */
  async keep(id, oid) {
    await rename(this.#ours.get(id).path, join(this.#folder, oid));
    this.#ours.delete(id);
    await this.#sweep(oid);
  }

  /** Forgets a stage. */
  async drop(id) {
    await rm(this.#ours.get(id).path, { force: true });
    this.#ours.delete(id);
  }

  /** The end of the operation: what was not kept is there for the next one. */
  async close() {
    for (const id of [...this.#ours.keys()]) await this.#leave(id);
  }

  /** Of a blob that is kept, no beginning is of any use. */
  async #sweep(oid) {
    for (let found; (found = await this.claim({ oid, size: Infinity })); ) await this.drop(found.id);
  }

  /** Leaves a stage to which nobody writes any more. If it cannot be left in order, it is found once we are gone. */
  async #leave(id) {
    const { oid, path } = this.#ours.get(id);
    this.#ours.delete(id);
    const left = await this.#leftovers();
    try {
      const bytes = (await stat(path)).size;
      if (bytes === 0) return await rm(path);
      await rename(path, this.#path(oid, NOBODY, id));
      left.set(oid, [...(left.get(oid) ?? []), { name: `${oid}.${NOBODY}.${id}`, bytes }]);
    } catch {
      return undefined;
    }
  }

  #path(oid, owner, id) {
    return join(this.#stages, `${oid}.${owner}.${id}`);
  }

  #leftovers() {
    this.#left ??= look(this.#stages);
    return this.#left;
  }
}

/** What stands in a folder of stages. */
async function look(folder) {
  const found = new Map();
  for (const name of await readdir(folder).catch(() => [])) {
    const [, oid] = NAME.exec(name) ?? [];
    const facts = oid && (await stat(join(folder, name)).catch(() => undefined));
    if (facts) found.set(oid, [...(found.get(oid) ?? []), { name, bytes: facts.size }]);
  }
  return found;
}

/** Whether nobody can be writing to a stage any more. In doubt somebody is. */
async function isAbandoned(path) {
  const owner = Number(path.split('.').at(-2));
  if (owner === NOBODY) return true;
  if (owner === process.pid) {
    // Our own number, and not touched since we began: an earlier process had it.
    const facts = await stat(path).catch(() => undefined);
    return facts !== undefined && facts.mtimeMs < BORN;
  }
  try {
    process.kill(owner, 0);
    return false;
  } catch (error) {
    return error.code === 'ESRCH';
  }
}
