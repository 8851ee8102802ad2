import type { KeepingStore, StoreOptions } from '../index.js';

/**
 * Keeps blobs in the origin private file system of a browser: in pages and workers of a secure context.
 *
 * `open` of a blob gives a File, of which only what is asked for is read. In a dedicated worker, what was written to a
 * stage is there after a crash. In a page it is quickest to close stages soon: bytes are gathered, and saved for the
 * first time at 8 MiB and then whenever they have doubled, because each saving copies the file. `maxBytes` is 4 GiB
 * unless it is given.
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
