// Stages in the command's folder for stages, under names that the command never uses.
//
//   stage/.hydrant-OID.OWNER.ID.part        a stage of the process OWNER
//   stage/.hydrant-OID.OWNER.ID.part.from   what its answer called itself
//
// The command locks its stages, and JavaScript cannot. So nobody here touches a stage of the command, and the command
// removes one of ours only as a leftover. Among ourselves:
// - A stage is made exclusively, and written by one process.
// - What a process left that is gone is claimed by a rename, which one claimant alone can win.
// - What was claimed is copied before it is used: a process that seems to be gone may live in another container, and
//   the bytes that are hashed must be the bytes that are kept.

import { constants } from 'node:fs';
import { copyFile, open, rename, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import process from 'node:process';
import { isMainThread } from 'node:worker_threads';
import { badStage, noStage } from '../names.js';
import { CREATE_NEW, FILE_MODE, WRITE, asBlob, facts, named, names, remove, textAt, writeAt } from './files.js';

/** Milliseconds after which a stage of nobody is removed. */
const LEFTOVER_MS_MAX = 7 * 24 * 3600 * 1000;
/** Characters of a validator at most. */
const VALIDATOR_LENGTH_MAX = 512;
/** When this process began; a worker may know only its own beginning. */
const BORN = isMainThread ? Date.now() - process.uptime() * 1000 : -Infinity;
const TEMPORARY = /^\.hydrant-[0-9a-f]{64}\.[0-9a-f-]{36}\.tmp$/;
const NAME = /^\.hydrant-([0-9a-f]{64})\.([0-9]+)\.([A-Za-z0-9._-]{1,64})\.part$/;

/** The stages of this process in one folder. */
export class FolderStages {
  #folder;
  #isSynced;
  #layOut;
  /** By id. */
  #ours = new Map();

  /** `isSynced`: the bytes of a stage must be on the disk when it is closed. `layOut` makes the store's folders. */
  constructor(folder, isSynced, layOut) {
    this.#folder = folder;
    this.#isSynced = isSynced;
    this.#layOut = layOut;
  }

  /** The longest beginning of a blob to which nobody writes. */
  async begun(oid, size) {
    for (const name of await names(this.#folder)) {
      if (NAME.exec(name)?.[1] === oid && (await this.#isLeft(name))) await this.#claim(name, oid, size);
    }
    let best;
    for (const [id, stage] of this.#ours) {
      if (stage.oid !== oid || stage.handle) continue;
      if (stage.bytes > stage.size || stage.bytes === 0) await this.drop(id);
      else if (stage.bytes <= size && stage.bytes > (best?.bytes ?? 0)) {
        best = { stage: id, path: stage.path, bytes: stage.bytes };
      }
    }
    const blob = best && (await asBlob(best.path));
    // Without a file, somebody cleared the folder.
    return blob && { stage: best.stage, blob, validator: await validator(best.path) };
  }

  /** Makes a stage, with the first bytes of an older one, which is gone then. */
  async stage(id, { oid, size }, older, room) {
    if (this.#ours.has(id)) throw badStage('there is such a stage already');
    const stage = { oid, size, bytes: older?.bytes ?? 0, path: this.#path(oid, id), handle: undefined };
    // From here on its name is taken.
    this.#ours.set(id, stage);
    let beginning;
    try {
      if (older) await this.#goOn(stage, older);
      stage.handle = await this.here(() => open(stage.path, older ? WRITE : CREATE_NEW, FILE_MODE));
      await stage.handle.truncate(stage.bytes);
      beginning = older && (await asBlob(stage.path));
    } catch (error) {
      await stage.handle?.close();
      this.#ours.delete(id);
      throw named(error);
    }
    return {
      beginning,
      write: async (bytes) => {
        if (!stage.handle) throw badStage('the stage is closed');
        await room.with(size - stage.bytes, () => writeAt(stage.handle, bytes, stage.bytes));
        stage.bytes += bytes.length;
      },
      close: (validator) => this.#close(stage, validator),
    };
  }

  /** The file of a stage that is to be kept. It may be moved: nobody else has it. */
  async whole(id, oid) {
    const stage = this.#ours.get(id);
    if (!stage) throw noStage();
    if (stage.handle) throw badStage('somebody writes to the stage');
    if (stage.oid !== oid) throw badStage('the stage is of another blob');
    const found = await facts(stage.path);
    if (!found) throw noStage();
    if (Number(found.size) !== stage.bytes || stage.bytes !== stage.size) {
      throw badStage('the stage is not as long as the blob');
    }
    return stage;
  }

  /** A blob is kept: no stage of it is of use any more, unless somebody writes to it. */
  async kept(oid) {
    for (const [id, stage] of this.#ours) if (stage.oid === oid && !stage.handle) await this.drop(id);
  }

  has(id) {
    return this.#ours.has(id);
  }

  /** Makes something in the folder. Where somebody removed the folder meanwhile, it is made, and that once more. */
  async here(work) {
    try {
      return await work();
    } catch (error) {
      if (error?.code !== 'ENOENT') throw error;
      await this.#layOut();
      return work();
    }
  }

  /** A name for a file that lives for an instant. */
  temporary(oid) {
    return join(this.#folder, `.hydrant-${oid}.${crypto.randomUUID()}.tmp`);
  }

  async drop(id) {
    const stage = this.#ours.get(id);
    if (!stage) return;
    this.#ours.delete(id);
    const { handle } = stage;
    stage.handle = undefined;
    await handle?.close();
    await remove(`${stage.path}.from`);
    await remove(stage.path);
  }

  /** Brings a file to the disk, where an entry is trusted for good. */
  async settle(path) {
    if (!this.#isSynced) return;
    const handle = await open(path, WRITE);
    try {
      await handle.datasync();
    } finally {
      await handle.close();
    }
  }

  /** Removes what nobody can go on with any more. */
  async sweep() {
    for (const name of await names(this.#folder)) {
      if (!(await this.#isLeftover(name))) continue;
      const path = join(this.#folder, name);
      const found = await facts(path);
      if (!found || Date.now() - Number(found.mtimeMs) < LEFTOVER_MS_MAX) continue;
      await remove(`${path}.from`);
      await remove(path);
    }
  }

  /** Whether it is a temporary file, a stage of nobody, or a note without its stage. */
  async #isLeftover(name) {
    if (TEMPORARY.test(name)) return true;
    if (NAME.test(name)) return this.#isLeft(name);
    const stage = name.replace(/\.from$/, '');
    return stage !== name && NAME.test(stage) && !(await facts(join(this.#folder, stage)));
  }

  async #goOn(stage, { stage: id, bytes }) {
    const older = this.#ours.get(id);
    const fits = older && older.oid === stage.oid && !older.handle && older.bytes >= bytes && bytes <= stage.size;
    if (!fits) throw noStage();
    this.#ours.delete(id);
    await rename(older.path, stage.path);
    await rename(`${older.path}.from`, `${stage.path}.from`).catch(() => {});
  }

  async #close(stage, validator) {
    const { handle } = stage;
    if (!handle) return;
    try {
      if (this.#isSynced) await handle.datasync();
    } catch (error) {
      throw named(error);
    } finally {
      await handle.close();
      stage.handle = undefined;
    }
    await remove(`${stage.path}.from`);
    if (validator === undefined || validator.length > VALIDATOR_LENGTH_MAX) return;
    // A note that cannot be written only means that the rest is not asked for.
    await writeFile(`${stage.path}.from`, validator, { flag: 'wx', mode: FILE_MODE }).catch(() => {});
  }

  /** Whether the process of a stage is gone. In doubt it is not. */
  async #isLeft(name) {
    const [, , owner, id] = NAME.exec(name);
    // A link, a pipe or a folder is no stage.
    if (!(await facts(join(this.#folder, name)))) return false;
    if (Number(owner) === process.pid) {
      // Our own number, and not touched since we began: an earlier process had it.
      if (this.#ours.has(id)) return false;
      const found = await facts(join(this.#folder, name));
      return found !== undefined && Number(found.mtimeMs) < BORN;
    }
    try {
      process.kill(Number(owner), 0);
      return false;
    } catch (error) {
      return error.code === 'ESRCH';
    }
  }

  /** Takes what was left, unless somebody else does. */
  async #claim(name, oid, size) {
    const left = join(this.#folder, name);
    const id = crypto.randomUUID();
    const path = this.#path(oid, id);
    const taken = this.temporary(oid);
    try {
      // A new time first: to whoever looks from now on, it is in use. Then only one rename can succeed.
      await utimes(left, new Date(), new Date());
      await rename(left, taken);
      await copyFile(taken, path, constants.COPYFILE_EXCL | constants.COPYFILE_FICLONE);
      await this.settle(path);
      await rename(`${left}.from`, `${path}.from`).catch(() => {});
      const bytes = Number((await facts(path)).size);
      this.#ours.set(id, { oid, size, bytes, path, handle: undefined });
    } catch {
      await remove(path);
    }
    await remove(taken);
  }

  #path(oid, id) {
    return join(this.#folder, `.hydrant-${oid}.${process.pid}.${id}.part`);
  }
}

/** What an answer called itself, if its note is whole: a tag in quotes, or a date. */
async function validator(path) {
  const text = await textAt(`${path}.from`, VALIDATOR_LENGTH_MAX + 1);
  const isSendable = /^[ -~]+$/.test(text) && text.length <= VALIDATOR_LENGTH_MAX;
  const isWhole = !text.startsWith('"') || (text.length > 2 && text.endsWith('"'));
  return isSendable && isWhole ? text : undefined;
}
