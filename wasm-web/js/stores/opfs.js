// A store in the origin private file system of a browser. In a dedicated worker it is quickest.
//
//   blobs/OID    a blob. It got its name by one move, after it was verified
//   used/OID     the time of the last use, as text; without it, the blob counts as used when it came
//   pins/OID     an empty file: the blob is pinned
//   stages       what `opfs/stages.js` explains

import { TabLocks, alone } from './locks.js';
import { bytesMax, isOid, needFolder, unsupported } from './names.js';
import { Folders, fileIn, namesIn, removeIn, textIn, writeIn } from './opfs/folder.js';
import { OpfsStages } from './opfs/stages.js';
import { holdsAt } from './room.js';
import { PERSISTENT_BYTES_MAX, ShelfStore } from './store.js';

/** What is looked at side by side. */
const LOOKS_MAX = 64;

/** The stages of this page, by the place of a store: what one store began, another one of this page goes on with. */
const stagesAt = new Map();

/** Keeps blobs in the origin private file system. */
export class OpfsStore extends ShelfStore {
  /** Opens the folder of this name; one that is not there is made. */
  static async open(called, options) {
    const name = called ?? 'hydrant';
    needFolder(name);
    const maxBytes = bytesMax(options, PERSISTENT_BYTES_MAX);
    if (typeof globalThis.FileSystemFileHandle?.prototype.move !== 'function') {
      throw unsupported('this browser cannot move files in its own file system');
    }
    const folders = await new Folders(name).make();
    const place = `hydrant:opfs:${name}`;
    const locks = new TabLocks(place);
    if (!stagesAt.has(place)) stagesAt.set(place, new OpfsStages(folders, locks));
    const shelf = new OpfsShelf(folders, stagesAt.get(place), locks);
    await shelf.sweep();
    return new OpfsStore(shelf, { locks, maxBytes, holds: holdsAt(place) });
  }
}

class OpfsShelf {
  #folders;
  #stages;
  #locks;

  constructor(folders, stages, locks) {
    this.#folders = folders;
    this.#stages = stages;
    this.#locks = locks;
  }

  async sweep() {
    await this.#stages.sweep();
  }

  async holds(oid, size) {
    return (await fileIn(this.#folders.blobs, oid))?.size === size;
  }

  async begun(oid, size) {
    return this.#stages.begun(oid, size);
  }

  async stage(id, blob, older, room) {
    return this.#stages.stage(id, blob, older, room);
  }

  async keep(id, oid) {
    // Two moves to one name at once fail.
    return alone(this.#locks, `keep:${oid}`, async () => {
      const there = await fileIn(this.#folders.blobs, oid);
      // Two may have had the same stage. It is kept, which is what both want.
      if (there && !this.#stages.has(id)) return undefined;
      const { handle, size } = await this.#stages.whole(id, oid);
      if (there?.size !== size) await this.#folders.here(() => handle.move(this.#folders.blobs, oid));
      await this.#stages.kept(oid);
      return size;
    });
  }

  async drop(id) {
    await this.#stages.drop(id);
  }

  async read(oid) {
    return fileIn(this.#folders.blobs, oid);
  }

  async list() {
    const names = (await namesIn(this.#folders.blobs)).filter(isOid);
    const used = new Set(await namesIn(this.#folders.used));
    const pins = new Set(await namesIn(this.#folders.pins));
    const all = [];
    for (let at = 0; at < names.length; at += LOOKS_MAX) {
      const some = names.slice(at, at + LOOKS_MAX);
      all.push(...await Promise.all(some.map((oid) => this.#facts(oid, used.has(oid), pins.has(oid)))));
    }
    return all.filter(Boolean);
  }

  async look(oid) {
    return this.#facts(oid, true, (await fileIn(this.#folders.pins, oid)) !== undefined);
  }

  async note(oid, usedAt) {
    await this.#folders.here(() => writeIn(this.#folders.used, oid, String(usedAt)));
  }

  async pin(oid, pinned) {
    if (pinned) await this.#folders.here(() => this.#folders.pins.getFileHandle(oid, { create: true }));
    else await removeIn(this.#folders.pins, oid);
  }

  async remove(oid) {
    await removeIn(this.#folders.blobs, oid);
    // Somebody may be writing it just now. A note without a blob means nothing.
    await removeIn(this.#folders.used, oid).catch(() => {});
  }

  async places() {
    return (await this.list()).map(({ oid, size }) => {
      return { oid, size, blob: () => fileIn(this.#folders.blobs, oid), remove: () => this.remove(oid) };
    });
  }

  async #facts(oid, isUsed, pinned) {
    const file = await fileIn(this.#folders.blobs, oid);
    if (!file) return undefined;
    const noted = isUsed ? Number(await textIn(this.#folders.used, oid)) : 0;
    // A time that cannot be read is as good as none.
    return { oid, size: file.size, usedAt: Math.max(file.lastModified, noted || 0), pinned };
  }
}
