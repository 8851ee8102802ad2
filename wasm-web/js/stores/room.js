// Which blobs go when there is no room: the least recently used one first, never one that is pinned or in use.
//
// There is no index in a file that could tear. A store tells what it holds by looking; times of use and pins are notes
// of one blob each, and a note that is lost only means that the blob counts as used when it came.

import { alone } from './locks.js';

/** Milliseconds between two notes of one blob at least, in this page. */
const NOTED_MS_MIN = 60_000;
/** This page looks again at what other pages keep once it kept this part of what may be kept. */
const LOOK_PART = 1 / 16;
/** The name of the lock under which blobs are pinned and removed. */
const ROOM = 'room';

/** What is in use in this page, by the place of a store. */
const inUse = new Map();

/** The holds of all stores of this page that have the same place. */
export function holdsAt(place) {
  if (!inUse.has(place)) inUse.set(place, new Map());
  return inUse.get(place);
}

/** Makes room on a shelf. */
export class Room {
  #shelf;
  #locks;
  #bytesMax;
  #mayFree;
  /** How often a blob is in use, by oid. */
  #holds;
  /** What is there, by oid, once anybody had to know. */
  #blobs;
  #bytes = 0;
  #bytesSinceLook = 0;
  /** When this page used a blob, and when that was noted; by oid. */
  #used = new Map();
  #clock = 0;
  #noting = Promise.resolve();

  /** `freesUnasked`: blobs may go for want of room, even if nobody said how much may be kept. */
  constructor(shelf, { locks, maxBytes, holds = new Map(), freesUnasked = true }) {
    this.#shelf = shelf;
    this.#locks = locks;
    this.#bytesMax = maxBytes;
    this.#holds = holds;
    this.#mayFree = freesUnasked || maxBytes !== Infinity;
  }

  /** From now on a blob is in use; ends with the function that it gives. */
  hold(oid) {
    this.#holds.set(oid, (this.#holds.get(oid) ?? 0) + 1);
    let isHeld = true;
    return () => {
      if (!isHeld) return;
      isHeld = false;
      const left = this.#holds.get(oid) - 1;
      if (left > 0) this.#holds.set(oid, left);
      else this.#holds.delete(oid);
    };
  }

  /** A blob is used now. Nobody waits for the note: it only decides what goes first. */
  use(oid) {
    const at = this.#tick();
    let { notedAt } = this.#used.get(oid) ?? {};
    if (notedAt === undefined || at - notedAt >= NOTED_MS_MIN) {
      notedAt = at;
      this.#noting = this.#noting.then(() => this.#shelf.note(oid, at)).catch(() => {});
    }
    this.#used.set(oid, { at, notedAt });
  }

  /** A blob is there now. Others go if that is too much. */
  async kept(oid, size) {
    this.#used.set(oid, { ...this.#used.get(oid), at: this.#tick() });
    if (this.#bytesMax === Infinity) return;
    this.#bytesSinceLook += size;
    if (!this.#blobs || this.#bytesSinceLook > this.#bytesMax * LOOK_PART) await this.#look();
    else this.#know({ oid, size, usedAt: this.#clock, pinned: this.#blobs.get(oid)?.pinned ?? false });
    if (this.#bytes > this.#bytesMax) await this.#evict(() => this.#bytes - this.#bytesMax, oid);
  }

  /** Does something that may need room for so many bytes. If there is none, blobs go, and it is done once more. */
  async with(bytes, work) {
    try {
      return await work();
    } catch (error) {
      if (error?.name !== 'QuotaExceededError' || !this.#mayFree) throw error;
      if (!(await this.#free(bytes).catch(() => false))) throw error;
    }
    // Chromium may go on counting what was removed until somebody asks.
    await globalThis.navigator?.storage?.estimate?.().catch(() => {});
    return work();
  }

  /** What is there. */
  async list() {
    await this.#look();
    const all = [...this.#blobs].map(([oid, { size, usedAt, pinned }]) => ({ oid, size, usedAt, pinned }));
    return all.sort((a, b) => a.usedAt - b.usedAt || (a.oid < b.oid ? -1 : 1));
  }

  /** Pins a blob, or no longer. One that comes later is pinned, too. */
  async pin(oid, pinned) {
    await alone(this.#locks, ROOM, () => this.#shelf.pin(oid, pinned));
    const known = this.#blobs?.get(oid);
    if (known) known.pinned = pinned;
  }

  /** A blob is there no more. */
  gone(oid) {
    this.#used.delete(oid);
    this.#bytes -= this.#blobs?.get(oid)?.size ?? 0;
    this.#blobs?.delete(oid);
  }

  /** Removes blobs that have at least so many bytes, if there are any; whether one went. */
  async #free(bytes) {
    await this.#look();
    const before = this.#bytes;
    await this.#evict(() => bytes - (before - this.#bytes));
    return this.#bytes < before;
  }

  async #look() {
    await this.#noting;
    const blobs = await this.#shelf.list();
    this.#blobs = new Map();
    this.#bytes = 0;
    this.#bytesSinceLook = 0;
    blobs.forEach((blob) => this.#know(blob));
  }

  #know({ oid, size, usedAt, pinned }) {
    this.#bytes += size - (this.#blobs.get(oid)?.size ?? 0);
    this.#blobs.set(oid, { size, usedAt: Math.max(usedAt, this.#used.get(oid)?.at ?? 0), pinned });
  }

  /** Removes blobs for as long as there are bytes too many. */
  async #evict(tooMany, spared) {
    await alone(this.#locks, ROOM, async () => {
      const stuck = new Set([spared]);
      let oid;
      let failed;
      while (tooMany() > 0 && (oid = this.#oldest(stuck))) {
        const known = this.#blobs.get(oid);
        // Another page may have used, pinned or removed it.
        const now = await this.#shelf.look(oid);
        if (!now) this.gone(oid);
        else if (now.pinned || now.usedAt > known.usedAt) this.#know({ oid, ...now });
        else if (!this.#holds.has(oid)) {
          try {
            await this.#shelf.remove(oid);
            this.gone(oid);
          } catch (error) {
            // One that cannot be removed must not keep the others.
            stuck.add(oid);
            failed ??= error;
          }
        }
      }
      if (failed && tooMany() > 0) throw failed;
    });
  }

  #oldest(stuck) {
    let oldest;
    for (const [oid, { usedAt, pinned }] of this.#blobs) {
      if (pinned || stuck.has(oid) || this.#holds.has(oid)) continue;
      if (!oldest || usedAt < this.#blobs.get(oldest).usedAt) oldest = oid;
    }
    return oldest;
  }

  /** Milliseconds since 1970, later each time: two uses are never at once. */
  #tick() {
    this.#clock = Math.max(Date.now(), this.#clock + 1);
    return this.#clock;
  }
}
