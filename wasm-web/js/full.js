// All that `index.js` has, and what writes: uploads, locks, batch requests of one's own.

import * as module from './wasm/full.js';
import { entry } from './entry.js';

export { HydrantError, Misuse } from './error.js';
export { Hasher } from './wasm/full.js';
export { MemoryStore } from './stores/memory.js';
export const {
  hydrate, upload, init, initSync, operations, pointers, endpoints, batches, manifests, sessions,
} = entry(module);
