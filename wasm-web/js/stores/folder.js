// A store in a folder, for Node, Deno and Bun: the same cache as the command's.

import { realpath } from 'node:fs/promises';
import { join } from 'node:path';
import { bootName, checkFormat, layOut, makeRoot } from './folder/boot.js';
import { named } from './folder/files.js';
import { FolderShelf } from './folder/shelf.js';
import { FolderStages } from './folder/stages.js';
import { ProcessLocks } from './locks.js';
import { bytesMax } from './names.js';
import { holdsAt } from './room.js';
import { ShelfStore } from './store.js';

/** What the stores of this process on one folder have in common, by its path. */
const shared = new Map();

/** Keeps blobs in a folder, which the command can use at the same time: it is `.git/hydrant` of a repository. */
export class FolderStore extends ShelfStore {
  /** Opens the folder; one that is not there is made. */
  static async open(path, options) {
    const maxBytes = bytesMax(options, Infinity);
    try {
      await makeRoot(path);
      const root = await realpath(path);
      await checkFormat(root);
      const boot = await bootName();
      const unproved = await layOut(root, boot);
      if (!shared.has(root)) {
        // Where boots have no names, nothing says which entries a power loss may have torn: each is synced.
        const stages = new FolderStages(join(root, 'stage'), boot === undefined, () => layOut(root, boot));
        shared.set(root, { stages, locks: new ProcessLocks() });
      }
      const { stages, locks } = shared.get(root);
      await stages.sweep();
      const shelf = new FolderShelf(root, unproved, stages);
      // The command removes nothing unasked, and its cache may hold the last copy of something: nor do we.
      const holds = holdsAt(`folder:${root}`);
      return new FolderStore(shelf, { locks, maxBytes, holds, freesUnasked: false });
    } catch (error) {
      throw named(error);
    }
  }
}
