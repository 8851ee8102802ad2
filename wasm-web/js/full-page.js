// All that `full.js` has, for a page without a bundler: the module lies beside this file.

import * as module from './wasm/full.js';
import { beside } from './beside.js';
import { entry } from './entry.js';

export { HydrantError, Misuse } from './error.js';
export { Hasher } from './wasm/full.js';
export { MemoryStore } from './stores/memory.js';
export const {
  hydrate, upload, open, digest, run, init, initSync,
  operations, pointers, endpoints, batches, manifests, sessions,
} = entry(module, beside('full'));
