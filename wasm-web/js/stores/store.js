// What all stores do alike: names are checked at the door, blobs are claimed, pinned and verified, and room is made.
//
// A store stands on a shelf, which only knows how to keep things at one place:
//   holds(oid, size)            whether the blob is there, of this size, and may be trusted
//   begun(oid, size)            { stage, blob, validator } of an older stage that nobody uses, or nothing
//   stage(id, blob, older, room), keep(stage, oid, room) -> bytes, or nothing if it was kept already, drop(stage)
//   read(oid)                   the blob, or nothing
//   list(), look(oid)           { oid, size, usedAt, pinned } of all, or of one
//   note(oid, usedAt), pin(oid, pinned), remove(oid)
//   places()                    { oid, size, blob(), remove() } for every place where something calls itself a blob

import { heard } from '../options.js';
import { digest, needHasher } from './digest.js';
import { needBytes, needOid, needStage } from './names.js';
import { Room } from './room.js';

/** Bytes that a store which outlives its page keeps, unless it is told otherwise. */
export const PERSISTENT_BYTES_MAX = 4 * 2 ** 30;

/** A store on a shelf. */
export class ShelfStore {
  #shelf;
  #locks;
  #room;
  /** What hashes large blobs in `verify`: whoever hydrates into the store gives it. */
  Hasher;

  /** `locks`, `maxBytes`, `holds` and `freesUnasked` as the room takes them. */
  constructor(shelf, given) {
    if (!given) throw new TypeError('a store is made by its function open');
    this.#shelf = shelf;
    this.#locks = given.locks;
    this.#room = new Room(shelf, given);
  }

  async has(oid, size) {
    needOid(oid);
    if (!(await this.#shelf.holds(oid, size))) return this.#shelf.begun(oid, size);
    this.#room.use(oid);
    return true;
  }

  async stage(id, { oid, size }, older) {
    needStage(id);
    needOid(oid);
    needBytes(size);
    if (older) {
      needStage(older.stage);
      needBytes(older.bytes);
    }
    return this.#shelf.stage(id, { oid, size }, older, this.#room);
  }

  async keep(stage, oid) {
    needStage(stage);
    needOid(oid);
    const size = await this.#shelf.keep(stage, oid, this.#room);
    // It is kept. That others cannot go would change nothing about that.
    if (size !== undefined) await this.#room.kept(oid, size).catch(() => {});
  }

  async drop(stage) {
    needStage(stage);
    await this.#shelf.drop(stage);
  }

  async open(oid) {
    needOid(oid);
    const blob = await this.#shelf.read(oid);
    if (blob) this.#room.use(oid);
    return blob;
  }

  /** Waits until nobody else fetches this blob. It is in use until the function is called that this gives. */
  async claim(oid, signal) {
    needOid(oid);
    const release = await this.#locks.claim(`fetch:${oid}`, signal);
    const unhold = this.#room.hold(oid);
    return () => {
      unhold();
      release();
    };
  }

  hold(oid) {
    needOid(oid);
    return this.#room.hold(oid);
  }

  async list() {
    return this.#room.list();
  }

  async pin(oid) {
    needOid(oid);
    await this.#room.pin(oid, true);
  }

  async unpin(oid) {
    needOid(oid);
    await this.#room.pin(oid, false);
  }

  async remove(oid) {
    needOid(oid);
    await this.#shelf.remove(oid);
    this.#room.gone(oid);
  }

  /** Hashes everything. What is not what it is called goes; a removal that fails is told at the end. */
  async verify(options) {
    const { signal, onProgress, Hasher = this.Hasher } = options ?? {};
    signal?.throwIfAborted();
    const places = await this.#shelf.places();
    for (const { size } of places) needHasher(size, Hasher);
    const found = { checked: 0, removed: [] };
    let failed;
    for (const [at, place] of places.entries()) {
      const blob = await place.blob();
      // Without a blob somebody removed it meanwhile.
      const isWrong = blob && (await digest(blob, Hasher, signal)) !== place.oid;
      signal?.throwIfAborted();
      if (blob) found.checked += 1;
      if (isWrong) {
        try {
          await place.remove();
          this.#room.gone(place.oid);
          found.removed.push(place.oid);
        } catch (error) {
          failed ??= error;
        }
      }
      heard(onProgress?.({ done: at + 1, total: places.length }), (error) => {
        failed ??= error;
      });
    }
    if (failed) throw failed;
    return found;
  }
}
