// What both entries are: the contract of a module, the paved path over it, and the loading of it.

import { contract } from './contract.js';
import { run } from './driver/loop.js';
import { transfers } from './transfer.js';

/** Everything that a module can do. */
export function entry(module) {
  let loaded;

  /** Loads the module, once. The paved path does it by itself. */
  async function init(given) {
    loaded ??= module.default(given);
    await loaded;
  }

  /** The same at once, from the bytes of the module or from a compiled one. */
  function initSync(given) {
    loaded ??= module.initSync({ module: given });
  }

  const interfaces = contract(module);
  return { ...interfaces, ...transfers(interfaces, module.Hasher, init), run, init, initSync };
}
