// Stages in OPFS.
//
//   stages/OID.part         the stage of a blob, which whoever comes later can go on with
//   stages/OID.part.from    what its answer called itself
//   stages/OID.ID.tmp       a stage for one page, while another one has the stage of that blob
//
// A stage is its page's from when it is made or found until it is kept or dropped: a lock says so, and a page that is
// gone has no locks.

import { borrows } from '../../driver/pieces.js';
import { badStage, noStage } from '../names.js';
import { fileIn, handleIn, namesIn, removeIn, textIn, writeIn } from './folder.js';
import { writer } from './writers.js';

/** Milliseconds after which a stage of nobody is removed. */
const LEFTOVER_MS_MAX = 7 * 24 * 3600 * 1000;
/** Characters of a validator at most. */
const VALIDATOR_LENGTH_MAX = 512;
/** What Chromium writes in the place of a stage or its note, and leaves behind where it crashes; the stage. */
const COPY = /^(.+?\.(?:part|tmp))(?:\.from)?(?:\.\d+)?\.crswap$/;

/** The stages of one store. */
export class OpfsStages {
  #folders;
  #locks;
  /** Those of this page, by id. */
  #ours = new Map();

  constructor(folders, locks) {
    this.#folders = folders;
    this.#locks = locks;
  }

  get #folder() {
    return this.#folders.stages;
  }

  /** The longest beginning of a blob to which nobody writes. */
  async begun(oid, size) {
    await this.#claim(oid, size);
    let best;
    for (const [id, stage] of this.#ours) {
      if (stage.oid !== oid || stage.isOpen) continue;
      if (stage.bytes > stage.size || stage.bytes === 0) await this.drop(id);
      else if (stage.bytes <= size && stage.bytes > (best?.stage.bytes ?? 0)) best = { id, stage };
    }
    const blob = best && (await fileIn(this.#folder, best.stage.name));
    if (!blob) return undefined;
    return { stage: best.id, blob, validator: await textIn(this.#folder, `${best.stage.name}.from`) };
  }

  /** Makes a stage, with the first bytes of an older one, which is gone then. */
  async stage(id, { oid, size }, older, room) {
    if (this.#ours.has(id)) throw badStage('there is such a stage already');
    const before = older && this.#older(oid, size, older);
    const stage = before ?? { oid, size, bytes: 0, name: undefined, release: undefined };
    // From here on nobody else gets it.
    if (older) this.#ours.delete(older.stage);
    this.#ours.set(id, stage);
    stage.isOpen = true;
    let beginning;
    try {
      if (!older) await this.#place(stage, id);
      const handle = await this.#folders.here(() => this.#folder.getFileHandle(stage.name, { create: !older }));
      stage.writer = writer(handle, room, size);
      await stage.writer.cut(older?.bytes ?? 0);
      if (!older) await removeIn(this.#folder, `${stage.name}.from`);
      beginning = older && (await fileIn(this.#folder, stage.name));
    } catch (error) {
      await stage.writer?.close().catch(() => {});
      stage.isOpen = false;
      this.#ours.delete(id);
      stage.release?.();
      throw error;
    }
    return {
      beginning,
      write: borrows(async (bytes) => {
        if (!stage.isOpen) throw badStage('the stage is closed');
        stage.writing = stage.writer.write(bytes);
        await stage.writing;
      }),
      close: (validator) => this.#close(stage, validator),
    };
  }

  /** The handle of a stage that is to be kept, its length, and what is to be done once it was moved. */
  async whole(id, oid) {
    const stage = this.#ours.get(id);
    if (!stage) throw noStage();
    if (stage.isOpen) throw badStage('somebody writes to the stage');
    if (stage.oid !== oid) throw badStage('the stage is of another blob');
    const handle = await handleIn(this.#folder, stage.name);
    if (!handle) throw noStage();
    const { size } = await handle.getFile();
    if (size !== stage.size) throw badStage('the stage is not as long as the blob');
    await removeIn(this.#folder, `${stage.name}.from`);
    return { handle, size };
  }

  /** A blob is kept: no stage of it is of use any more, unless somebody writes to it. */
  async kept(oid) {
    for (const [id, stage] of this.#ours) if (stage.oid === oid && !stage.isOpen) await this.drop(id);
  }

  has(id) {
    return this.#ours.has(id);
  }

  async drop(id) {
    const stage = this.#ours.get(id);
    if (!stage) return;
    this.#ours.delete(id);
    stage.isOpen = false;
    try {
      // A file to which somebody writes cannot be removed.
      await stage.writing?.catch(() => {});
      await stage.writer?.close().catch(() => {});
      await removeIn(this.#folder, `${stage.name}.from`);
      await removeIn(this.#folder, stage.name);
    } finally {
      stage.release();
    }
  }

  /** Removes what nobody can go on with any more. */
  async sweep() {
    for (const name of await namesIn(this.#folder)) {
      const [, copied] = COPY.exec(name) ?? [];
      if (!copied && !name.endsWith('.part') && !name.endsWith('.tmp')) continue;
      const release = await this.#locks.tryClaim(`stage:${copied ?? name}`);
      if (!release) continue;
      const file = await fileIn(this.#folder, name);
      const isOld = file && Date.now() - file.lastModified >= LEFTOVER_MS_MAX;
      // A copy is only in the way. One that cannot be removed must not keep anybody from the store.
      if (copied) await removeIn(this.#folder, name).catch(() => {});
      else if (isOld || name.endsWith('.tmp')) {
        await removeIn(this.#folder, `${name}.from`);
        await removeIn(this.#folder, name);
      }
      release();
    }
  }

  /** Takes the stage of a blob that a page left which is gone, if there is one. */
  async #claim(oid, size) {
    const name = `${oid}.part`;
    if (!(await handleIn(this.#folder, name))) return;
    const release = await this.#locks.tryClaim(`stage:${name}`);
    if (!release) return;
    // Only now: before, it may have been somebody's.
    const file = await fileIn(this.#folder, name);
    if (!file) return release();
    const stage = { oid, size, bytes: file.size, name, release, isOpen: false };
    this.#ours.set(crypto.randomUUID(), stage);
  }

  #older(oid, size, { stage: id, bytes }) {
    const stage = this.#ours.get(id);
    const fits = stage && stage.oid === oid && !stage.isOpen && stage.bytes >= bytes && bytes <= size;
    if (!fits) throw noStage();
    return stage;
  }

  /** Gives a stage its file: that of the blob, unless somebody has it. */
  async #place(stage, id) {
    for (const name of [`${stage.oid}.part`, `${stage.oid}.${id}.tmp`]) {
      stage.name = name;
      stage.release = await this.#locks.tryClaim(`stage:${name}`);
      if (stage.release) return;
    }
    throw badStage('there is such a stage already');
  }

  async #close(stage, validator) {
    if (!stage.isOpen) return;
    try {
      await stage.writer.close();
    } finally {
      stage.isOpen = false;
      stage.bytes = stage.writer.bytes;
    }
    if (validator === undefined || validator.length > VALIDATOR_LENGTH_MAX) {
      return removeIn(this.#folder, `${stage.name}.from`);
    }
    // A note that cannot be written only means that the rest is not asked for.
    await writeIn(this.#folder, `${stage.name}.from`, validator).catch(() => {});
  }
}
