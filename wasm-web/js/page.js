// All that `index.js` has, for a page without a bundler: the module lies beside this file.

import * as module from './wasm/read.js';
import { beside } from './beside.js';
import { entry } from './entry.js';

export { HydrantError, Misuse } from './error.js';
export { Hasher } from './wasm/read.js';
export { MemoryStore } from './stores/memory.js';
export const {
  hydrate, open, digest, run, init, initSync, operations, pointers, manifests,
} = entry(module, beside('read'));
