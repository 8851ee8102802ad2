// What reads: hydrate, download, batches, pointers, manifests, status. The module is in the text of this package, so
// that every bundler and every runtime takes it as it is.

import * as module from './wasm/read.js';
import text from './wasm/read_bg.wasm.js';
import { entry, inlined } from './entry.js';

export { HydrantError, Misuse } from './error.js';
export { Hasher } from './wasm/read.js';
export { MemoryStore } from './stores/memory.js';
export const {
  hydrate, open, digest, run, init, initSync, operations, pointers, manifests,
} = entry(module, inlined(text));
