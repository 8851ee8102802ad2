// All that `index.js` has, and what writes or is rarely needed: uploads, locks, batch requests of one's own, endpoints
// from git's settings, the sessions of a ledger.

import * as module from './wasm/full.js';
import text from './wasm/full_bg.wasm.js';
import { entry, inlined } from './entry.js';

export { HydrantError, Misuse } from './error.js';
export { Hasher } from './wasm/full.js';
export { MemoryStore } from './stores/memory.js';
export const {
  hydrate, upload, open, digest, run, init, initSync,
  operations, pointers, endpoints, batches, manifests, sessions,
} = entry(module, inlined(text));
