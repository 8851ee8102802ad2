// What every entry is: the contract of a module, the paved path over it, and the loading of it.

import { contract } from './contract.js';
import { digested } from './driver/digest.js';
import { run } from './driver/loop.js';
import { HydrantError } from './error.js';
import { opener } from './held.js';
import { transfers } from './transfer.js';

/** How browsers say that the policy of a page keeps a module from being compiled. */
const BY_POLICY = /content security policy|blocked by csp/i;

function forbidden(cause) {
  const detail = "the page's Content Security Policy forbids WebAssembly: script-src needs 'wasm-unsafe-eval'";
  return Object.assign(new HydrantError({ code: 'blocked', detail }), { cause });
}

/** Everything that a module can do. `source` gives the module, as a URL or as bytes, to whoever gives none. */
export function entry(module, source) {
  let loaded;

  /** Loads the module, once. What returns a promise does it by itself. */
  async function init(given) {
    loaded ??= load(given).catch((error) => {
      loaded = undefined;
      throw error;
    });
    await loaded;
  }

  async function load(given) {
    try {
      await module.default({ module_or_path: given ?? (await source()) });
    } catch (error) {
      throw BY_POLICY.test(error?.message) ? forbidden(error) : error;
    }
  }

  /** The same at once, from the bytes of the module or from a compiled one. */
  function initSync(given) {
    module.initSync({ module: given });
    loaded = Promise.resolve();
  }

  const interfaces = contract(module);
  const { Hasher } = module;
  return {
    ...interfaces,
    ...transfers(interfaces, Hasher, init),
    open: opener(interfaces, Hasher, init),
    /** SHA-256 and length of a Blob, of bytes, or of a stream of bytes: `{ oid, size }`. */
    async digest(content) {
      await init();
      const { oid, size } = await digested(content, Hasher);
      return { oid, size: Number(size) };
    },
    run,
    init,
    initSync,
  };
}

/** A module in a text of base64, packed with gzip. An engine that unpacks that has SIMD, too. */
export function inlined(text) {
  return async () => {
    const packed = Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
    return new Response(new Blob([packed]).stream().pipeThrough(new DecompressionStream('gzip'))).arrayBuffer();
  };
}
