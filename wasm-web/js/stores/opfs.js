// A store in the origin private file system of a browser. In a dedicated worker it is quickest.
//
//   blobs/OID    a blob. It got its name by one move, after it was verified
//   used/OID     the time of the last use, as text; without it, the blob counts as used when it came
//   pins/OID     an empty file: the blob is pinned
//   stages       what `opfs/stages.js` explains

import { TabLocks, alone } from './locks.js';
import { isOid, needBytesMax, needFolder, unsupported } from './names.js';
import { fileIn, namesIn, removeIn, textIn, writeIn } from './opfs/folder.js';
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
  static async open(name = 'hydrant', { maxBytes = PERSISTENT_BYTES_MAX } = {}) {
    needFolder(name);
    needBytesMax(maxBytes);
    if (typeof globalThis.FileSystemFileHandle?.prototype.move !== 'function') {
      throw unsupported('this browser cannot move files in its own file system');
    }
    const root = await (await navigator.storage.getDirectory()).getDirectoryHandle(name, { create: true });
    const folders = ['blobs', 'used', 'pins', 'stages'].map((part) => root.getDirectoryHandle(part, { create: true }));
    const [blobs, used, pins, stages] = await Promise.all(folders);
    const place = `hydrant:opfs:${name}`;
    const locks = new TabLocks(place);
    if (!stagesAt.has(place)) stagesAt.set(place, new OpfsStages(stages, locks));
    const shelf = new OpfsShelf({ blobs, used, pins }, stagesAt.get(place), locks);
    await shelf.sweep();
    return new OpfsStore(shelf, { locks, maxBytes, holds: holdsAt(place) });
  }
}

class OpfsShelf {
  #blobs;
  #used;
  #pins;
  #stages;
  #locks;

  constructor({ blobs, used, pins }, stages, locks) {
    this.#blobs = blobs;
    this.#used = used;
    this.#pins = pins;
    this.#stages = stages;
    this.#locks = locks;
  }

  async sweep() {
    await this.#stages.sweep();
  }

  async holds(oid, size) {
    return (await fileIn(this.#blobs, oid))?.size === size;
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
      const there = await fileIn(this.#blobs, oid);
      // Two may have had the same stage. It is kept, which is what both want.
      if (there && !this.#stages.has(id)) return undefined;
      const { handle, size } = await this.#stages.whole(id, oid);
      if (there?.size !== size) await handle.move(this.#blobs, oid);
      await this.#stages.kept(oid);
      return size;
    });
  }

  async drop(id) {
    await this.#stages.drop(id);
  }

  async read(oid) {
    return fileIn(this.#blobs, oid);
  }

  async list() {
    const names = (await namesIn(this.#blobs)).filter(isOid);
    const used = new Set(await namesIn(this.#used));
    const pins = new Set(await namesIn(this.#pins));
    const all = [];
    for (let at = 0; at < names.length; at += LOOKS_MAX) {
      const some = names.slice(at, at + LOOKS_MAX);
      all.push(...await Promise.all(some.map((oid) => this.#facts(oid, used.has(oid), pins.has(oid)))));
    }
    return all.filter(Boolean);
  }

  async look(oid) {
    return this.#facts(oid, true, (await fileIn(this.#pins, oid)) !== undefined);
  }

  async note(oid, usedAt) {
    await writeIn(this.#used, oid, String(usedAt));
  }

  async pin(oid, pinned) {
    if (pinned) await this.#pins.getFileHandle(oid, { create: true });
    else await removeIn(this.#pins, oid);
  }

  async remove(oid) {
    await removeIn(this.#blobs, oid);
    // Somebody may be writing it just now. A note without a blob means nothing.
    await removeIn(this.#used, oid).catch(() => {});
  }

  async places() {
    return (await this.list()).map(({ oid, size }) => {
      return { oid, size, blob: () => fileIn(this.#blobs, oid), remove: () => this.remove(oid) };
    });
  }

  async #facts(oid, isUsed, pinned) {
    const file = await fileIn(this.#blobs, oid);
    if (!file) return undefined;
    const noted = isUsed ? Number(await textIn(this.#used, oid)) : 0;
    // A time that cannot be read is as good as none.
    return { oid, size: file.size, usedAt: Math.max(file.lastModified, noted || 0), pinned };
  }
}
