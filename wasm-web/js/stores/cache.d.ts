import type { KeepingStore, StoreOptions } from '../index.js';

/**
 * Keeps blobs in the Cache API: in pages, workers and service workers of a secure context.
 *
 * `open` of a blob reads all of it, once for as long as somebody has it. Stages are in memory: what a page has begun
 * ends with it. `maxBytes` is 4 GiB unless it is given.
 */
export class CacheStore {
  private constructor();
  /** Opens the cache of this name, `hydrant` by default. NotSupportedError: the platform has no such thing. */
  static open(name?: string, options?: StoreOptions): Promise<CacheStore>;
}
export interface CacheStore extends KeepingStore {}
