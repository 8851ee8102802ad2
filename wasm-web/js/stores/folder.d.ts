import type { KeepingStore, StoreOptions } from '../index.js';

/**
 * Keeps blobs in a folder, for Node, Deno and Bun. It is the cache of the `hydrant` command, which
 * can use it at the same time: `.git/hydrant` of a repository.
 *
 * `open` of a blob reads only what is asked for. What a process leaves that is killed is gone on with. Claims are for
 * one process: two may fetch the same blob at once, and neither disturbs the other. Without `maxBytes` nothing is ever
 * removed unasked, as by the command; with it, blobs also go when the disk is full. The command does not know pins.
 */
export class FolderStore {
  private constructor();
  /** Opens the folder; one that is not there is made. NotAllowedError: it is not ours, or a part of it is a link. */
  static open(path: string, options?: StoreOptions): Promise<FolderStore>;
}
export interface FolderStore extends KeepingStore {}
