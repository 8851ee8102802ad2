// A store in memory.

import { ProcessLocks } from './locks.js';
import { bytesMax } from './names.js';
import { MemoryStages } from './stages.js';
import { ShelfStore } from './store.js';

/** Keeps blobs in memory, for as long as something refers to it. */
export class MemoryStore extends ShelfStore {
  constructor(options) {
    super(new MemoryShelf(), { locks: new ProcessLocks(), maxBytes: bytesMax(options, Infinity) });
  }
}

class MemoryShelf {
  /** Blobs and when they came, by oid. */
  #blobs = new Map();
  #pins = new Set();
  #stages = new MemoryStages();

  holds(oid, size) {
    return this.#blobs.get(oid)?.pieces.bytes === size;
  }

  begun(oid, size) {
    return this.#stages.begun(oid, size);
  }

  stage(id, blob, older) {
    return this.#stages.stage(id, blob, older);
  }

  keep(stage, oid) {
    // Two may have had the same stage. It is kept, which is what both want.
    if (!this.#stages.has(stage) && this.#blobs.has(oid)) return undefined;
    const pieces = this.#stages.whole(stage, oid);
    this.#blobs.set(oid, { pieces, usedAt: Date.now() });
    this.#stages.kept(oid);
    return pieces.bytes;
  }

  drop(stage) {
    this.#stages.drop(stage);
  }

  read(oid) {
    return this.#blobs.get(oid)?.pieces.blob();
  }

  list() {
    return [...this.#blobs.keys()].map((oid) => ({ oid, ...this.look(oid) }));
  }

  look(oid) {
    const found = this.#blobs.get(oid);
    return found && { size: found.pieces.bytes, usedAt: found.usedAt, pinned: this.#pins.has(oid) };
  }

  /** The room remembers what this page uses, and there is nobody else. */
  note() {}

  pin(oid, pinned) {
    if (pinned) this.#pins.add(oid);
    else this.#pins.delete(oid);
  }

  remove(oid) {
    this.#blobs.delete(oid);
  }

  places() {
    return [...this.#blobs].map(([oid, { pieces }]) => {
      return { oid, size: pieces.bytes, blob: async () => pieces.blob(), remove: async () => this.remove(oid) };
    });
  }
}
