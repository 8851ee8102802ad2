// Entries in the layout of the command's cache:
//
//   cache/AA/OID         a blob that is trusted within this boot
//   unproved/N/AA/OID    one of an earlier boot: hashed before it is used, and moved to `cache` then
//   pins/OID             an empty file: the blob is pinned. The command knows nothing of pins
//   stage, adopted, boot what the other files of this folder explain

import { open, utimes } from 'node:fs/promises';
import { join } from 'node:path';
import { isOid } from '../names.js';
import { copyAdopted } from './adopted.js';
import { CREATE_NEW, FILE_MODE, asBlob, facts, folder, hashed, move, names, remove } from './files.js';

/** The shelf of a folder store. */
export class FolderShelf {
  #root;
  #unproved;
  #stages;

  /** `unproved`: the folders of earlier boots, the newest first. */
  constructor(root, unproved, stages) {
    this.#root = root;
    this.#unproved = unproved;
    this.#stages = stages;
  }

  async holds(oid, size) {
    const found = await facts(this.#entry(oid));
    return (found && Number(found.size) === size) || this.#prove(oid, size);
  }

  async begun(oid, size) {
    return this.#stages.begun(oid, size);
  }

  async stage(id, blob, older, room) {
    return this.#stages.stage(id, blob, older, room);
  }

  async keep(id, oid) {
    const entry = this.#entry(oid);
    // Two may have had the same stage. It is kept, which is what both want.
    if (!this.#stages.has(id) && (await facts(entry))) return undefined;
    const { path, bytes } = await this.#stages.whole(id, oid);
    // The note goes first: afterwards the name of the stage may be somebody else's.
    await remove(`${path}.from`);
    try {
      await move(path, entry);
    } catch (error) {
      // Whoever kept the blob since then dropped its other stages, this one too.
      if (error.name !== 'NotFoundError' || !(await facts(entry))) throw error;
    }
    await this.#stages.kept(oid);
    return bytes;
  }

  async drop(id) {
    await this.#stages.drop(id);
  }

  async read(oid) {
    const path = this.#entry(oid);
    let found = await facts(path);
    if (!found && (await this.#prove(oid))) found = await facts(path);
    if (!found) return undefined;
    // A Blob of Node is void once the file's time changes. A time in whole seconds can be set again as it is.
    if (found.mtimeNs % 1_000_000_000n !== 0n) await this.note(oid, Date.now()).catch(() => {});
    return asBlob(path);
  }

  async list() {
    const all = new Map();
    for (const { oid, found } of await this.#entries()) {
      const before = all.get(oid);
      const usedAt = Math.max(used(found), before?.usedAt ?? 0);
      all.set(oid, { oid, size: before?.size ?? Number(found.size), usedAt });
    }
    const pins = new Set(await names(join(this.#root, 'pins')));
    return [...all.values()].map((entry) => ({ ...entry, pinned: pins.has(entry.oid) }));
  }

  async look(oid) {
    const name = join(oid.slice(0, 2), oid);
    const paths = [this.#entry(oid), ...this.#unproved.map((folder) => join(folder, name))];
    const found = (await Promise.all(paths.map(facts))).filter(Boolean);
    if (found.length === 0) return undefined;
    const pinned = (await facts(this.#pin(oid))) !== undefined;
    return { size: Number(found[0].size), usedAt: Math.max(...found.map(used)), pinned };
  }

  async note(oid, usedAt) {
    const path = this.#entry(oid);
    const found = await facts(path);
    if (!found) return;
    // The middle of the millisecond, for a fraction of a second has no exact number.
    await utimes(path, (usedAt + 0.5) / 1000, Number(found.mtimeNs / 1_000_000_000n));
  }

  async pin(oid, pinned) {
    if (!pinned) return remove(this.#pin(oid));
    await folder(join(this.#root, 'pins'));
    const handle = await open(this.#pin(oid), CREATE_NEW, FILE_MODE).catch((error) => {
      if (error.code !== 'EEXIST') throw error;
    });
    await handle?.close();
  }

  async remove(oid) {
    const name = join(oid.slice(0, 2), oid);
    await remove(this.#entry(oid));
    for (const folder of this.#unproved) await remove(join(folder, name));
  }

  async places() {
    return (await this.#entries()).map(({ oid, path, found }) => ({
      oid,
      size: Number(found.size),
      // One that is there and cannot be opened is as good as none: it counts as wrong.
      blob: () => settle(path, found).then(() => asBlob(path)).catch(() => new Blob()),
      remove: () => remove(path),
    }));
  }

  /** Everything that is called an oid, wherever it lies; one that lies in two places comes twice. */
  async #entries() {
    const all = [];
    for (const home of [join(this.#root, 'cache'), ...this.#unproved]) {
      for (const fan of (await names(home)).filter((name) => name.length === 2)) {
        for (const oid of (await names(join(home, fan))).filter((name) => isOid(name) && name.startsWith(fan))) {
          const path = join(home, fan, oid);
          const found = await facts(path);
          if (found) all.push({ oid, path, found });
        }
      }
    }
    return all;
  }

  /** Makes an entry of what may be this blob, if that is what it hashes to. */
  async #prove(oid, size) {
    const entry = this.#entry(oid);
    for (const home of this.#unproved) {
      const path = join(home, oid.slice(0, 2), oid);
      const found = await facts(path);
      if (!found || (size !== undefined && Number(found.size) !== size)) continue;
      const is = await hashed(path);
      // What cannot be read is not there, and stays.
      if (!is) continue;
      if (is.oid !== oid) {
        await remove(path);
        continue;
      }
      // Another process may be quicker: then the entry is there.
      await move(path, entry).catch((error) => {
        if (error.name !== 'NotFoundError') throw error;
      });
      const proved = await facts(entry);
      if (proved && (size === undefined || Number(proved.size) === size)) return true;
    }
    const copy = this.#stages.temporary(oid);
    const isCopied = await this.#stages.here(() => copyAdopted(join(this.#root, 'adopted'), oid, size, copy));
    if (!isCopied) return false;
    await this.#stages.settle(copy);
    await move(copy, entry);
    return true;
  }

  #entry(oid) {
    return join(this.#root, 'cache', oid.slice(0, 2), oid);
  }

  #pin(oid) {
    return join(this.#root, 'pins', oid);
  }
}

/** Gives a file a time in whole seconds, so that a note of its use changes nothing: a Blob of Node would be void. */
async function settle(path, { atimeNs, mtimeNs }) {
  if (mtimeNs % 1_000_000_000n === 0n) return;
  await utimes(path, Number(atimeNs) / 1e9, Number(mtimeNs / 1_000_000_000n)).catch(() => {});
}

/** Milliseconds since 1970 of the last use, as the times of a file tell it. */
function used({ atimeNs, mtimeNs }) {
  return Number((atimeNs > mtimeNs ? atimeNs : mtimeNs) / 1_000_000n);
}
