// A store in the Cache API, for pages, workers and service workers.
//
//   https://hydrant.invalid/blobs/OID    a blob, with its length and the time when it came
//   https://hydrant.invalid/used/OID     nothing, with the time of the last use
//   https://hydrant.invalid/pins/OID     nothing: the blob is pinned
//
// No server has such a name, so no page ever asks for these by accident. A Response is stored whole or not at all, and
// cannot be added to. So stages are in memory: they can go on for as long as the page lives, and are gone with it.

import { TabLocks } from './locks.js';
import { bytesMax, isOid, unsupported } from './names.js';
import { holdsAt } from './room.js';
import { MemoryStages } from './stages.js';
import { PERSISTENT_BYTES_MAX, ShelfStore } from './store.js';

const ORIGIN = 'https://hydrant.invalid';
const BYTES = 'x-hydrant-bytes';
const TIME = 'x-hydrant-time';
/** What is looked at side by side. */
const LOOKS_MAX = 64;

/** Keeps blobs in the Cache API. */
export class CacheStore extends ShelfStore {
  /** Opens the cache of this name; one that is not there is made. */
  static async open(called, options) {
    const name = called ?? 'hydrant';
    const maxBytes = bytesMax(options, PERSISTENT_BYTES_MAX);
    if (!globalThis.caches) throw unsupported('there is no Cache API here');
    const place = `hydrant:cache:${name}`;
    const given = { locks: new TabLocks(place), maxBytes, holds: holdsAt(place) };
    return new CacheStore(new CacheShelf(await caches.open(name)), given);
  }
}

class CacheShelf {
  #cache;
  #stages = new MemoryStages();
  /** Blobs that somebody may still have, by oid: opening one again costs as much as reading all of it. */
  #opened = new Map();

  constructor(cache) {
    this.#cache = cache;
  }

  async holds(oid, size) {
    return number(await this.#headers('blobs', oid), BYTES) === size;
  }

  begun(oid, size) {
    return this.#stages.begun(oid, size);
  }

  stage(id, blob, older) {
    return this.#stages.stage(id, blob, older);
  }

  async keep(id, oid, room) {
    // Two may have had the same stage. It is kept, which is what both want.
    if (!this.#stages.has(id) && (await this.#headers('blobs', oid))) return undefined;
    const blob = this.#stages.whole(id, oid).blob();
    await room.with(blob.size, () => this.#put('blobs', oid, blob, { [BYTES]: blob.size, [TIME]: Date.now() }));
    this.#opened.delete(oid);
    this.#stages.kept(oid);
    return blob.size;
  }

  drop(id) {
    this.#stages.drop(id);
  }

  async read(oid) {
    const opened = this.#opened.get(oid);
    const known = opened?.blob.deref();
    // Another tab may have found it wrong, and fetched it again.
    if (known && number(await this.#headers('blobs', oid), TIME) === opened.at) return known;
    this.#opened.delete(oid);
    const response = await this.#cache.match(url('blobs', oid));
    if (!response) return undefined;
    const blob = await response.blob();
    this.#opened.set(oid, { blob: new WeakRef(blob), at: number(response.headers, TIME) });
    return blob;
  }

  async list() {
    const kinds = { blobs: [], used: [], pins: [] };
    for (const request of await this.#cache.keys()) {
      const [, kind, oid] = new URL(request.url).pathname.split('/');
      if (request.url.startsWith(`${ORIGIN}/`) && isOid(oid)) kinds[kind]?.push(oid);
    }
    const pins = new Set(kinds.pins);
    const isUsed = new Set(kinds.used);
    const all = [];
    for (let at = 0; at < kinds.blobs.length; at += LOOKS_MAX) {
      const some = kinds.blobs.slice(at, at + LOOKS_MAX);
      all.push(...await Promise.all(some.map((oid) => this.#facts(oid, isUsed.has(oid), pins.has(oid)))));
    }
    return all.filter(Boolean);
  }

  async look(oid) {
    return this.#facts(oid, true, (await this.#headers('pins', oid)) !== undefined);
  }

  async note(oid, usedAt) {
    await this.#put('used', oid, null, { [TIME]: usedAt });
  }

  async pin(oid, pinned) {
    if (pinned) await this.#put('pins', oid, null, {});
    else await this.#cache.delete(url('pins', oid));
  }

  async remove(oid) {
    this.#opened.delete(oid);
    await this.#cache.delete(url('blobs', oid));
    await this.#cache.delete(url('used', oid));
  }

  async places() {
    return (await this.list()).map(({ oid, size }) => {
      const blob = async () => (await this.#cache.match(url('blobs', oid)))?.blob().catch(() => new Blob());
      return { oid, size, blob, remove: () => this.remove(oid) };
    });
  }

  async #facts(oid, isUsed, pinned) {
    const headers = await this.#headers('blobs', oid);
    if (!headers) return undefined;
    const used = isUsed ? await this.#headers('used', oid) : undefined;
    // A time that cannot be read is as good as none.
    const usedAt = Math.max(number(headers, TIME) || 0, number(used, TIME) || 0);
    return { oid, size: number(headers, BYTES) || 0, usedAt, pinned };
  }

  /** Headers of an entry. Its body is let go: as long as somebody has it, the room of a removed entry is not free. */
  async #headers(kind, oid) {
    const response = await this.#cache.match(url(kind, oid));
    await response?.body?.cancel();
    return response?.headers;
  }

  async #put(kind, oid, body, headers) {
    await this.#cache.put(url(kind, oid), new Response(body, { headers }));
  }
}

function url(kind, oid) {
  return `${ORIGIN}/${kind}/${oid}`;
}

/** The number of a header; NaN if there is none. */
function number(headers, name) {
  return Number(headers?.get(name) ?? NaN);
}
