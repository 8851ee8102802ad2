import type { KeepingStore, StoreOptions } from '../index.js';

/**
 * Keeps blobs in the origin private file system of a browser: in pages and workers of a secure context.
 *
 * `open` of a blob gives a File, of which only what is asked for is read. In a dedicated worker, what was written to a
 * stage is there after a crash. A page writes to a copy of the stage, and a crash loses what was not saved: it is saved
 * for the first time at 8 MiB, and then each time it has grown to twice its length, because each saving copies all of
 * it. `maxBytes` is 4 GiB unless it is given.
 */
export class OpfsStore {
  private constructor();
  /**
   * Opens the folder of this name, `hydrant` by default; a name is as the id of a stage. NotSupportedError: the
   * platform has no such thing, or cannot move files in it.
   */
  static open(name?: string, options?: StoreOptions): Promise<OpfsStore>;
}
export interface OpfsStore extends KeepingStore {}
