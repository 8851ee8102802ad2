// All that `index.js` has, and what writes: uploads, locks, batch requests of one's own.

import * as module from './wasm/full.js';
import { contract } from './contract.js';
import { transfers } from './transfer.js';

export { HydrantError, Misuse } from './error.js';
export { MemoryStore } from './stores/memory.js';
const interfaces = contract(module);
export const { operations, pointers, endpoints, batches, manifests, sessions } = interfaces;
export const { hydrate, upload } = transfers(interfaces, init);

let initialised;

/** Loads the module, once. The paved path does it by itself. */
export async function init(given) {
  initialised ??= module.default(given);
  await initialised;
}

/** The same at once, from the bytes of the module or from a compiled one. */
export function initSync(given) {
  initialised ??= Promise.resolve(module.initSync({ module: given }));
}
