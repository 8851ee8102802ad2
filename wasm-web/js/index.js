// What reads: hydrate, download, batches, pointers, manifests, status.

import * as module from './wasm/read.js';
import { entry } from './entry.js';

export { HydrantError, Misuse } from './error.js';
export { Hasher } from './wasm/read.js';
export { MemoryStore } from './stores/memory.js';
export const { hydrate, init, initSync, operations, pointers, endpoints, manifests, sessions } = entry(module);
