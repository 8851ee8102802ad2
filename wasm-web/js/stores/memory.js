/**
 * Keeps blobs in memory, for as long as it is referred to.
 */
export class MemoryStore {
  #blobs = new Map();
  #stages = new Map();

  /** True: the blob is here. An object: the beginning of it, from an earlier try. */
  has(oid, size) {
    if (this.#blobs.has(oid)) return true;
    for (const [stage, { of, pieces, validator, isOpen }] of this.#stages) {
      if (of !== oid || isOpen) continue;
      const blob = new Blob(pieces);
      if (blob.size > 0 && blob.size <= size) return { stage, blob, validator };
    }
    return undefined;
  }

  /** Makes a stage for a blob, with the first bytes of an older one. */
  stage(id, { oid }, older) {
    const beginning = older && new Blob(this.#stages.get(older.stage).pieces).slice(0, older.bytes);
    if (older) this.#stages.delete(older.stage);
    const stage = { of: oid, pieces: beginning ? [beginning] : [], validator: undefined, isOpen: true };
    this.#stages.set(id, stage);
    return {
      beginning,
      write(bytes) {
        stage.pieces.push(bytes);
      },
      async close(validator) {
        stage.validator = validator;
        stage.isOpen = false;
      },
    };
  }

  /** Makes a stage the blob that its bytes were proved to be. */
  keep(id, oid) {
    this.#blobs.set(oid, new Blob(this.#stages.get(id).pieces));
    this.#stages.delete(id);
  }

  /** Removes a stage. */
  drop(id) {
    this.#stages.delete(id);
  }

  /** The blob, if it is here. */
  async open(oid) {
    return this.#blobs.get(oid);
  }
}
