// Modules as files beside this one, for pages without a bundler. It is a file of its own because bundlers take every
// file that an address like this could name: who has the module in the text of the package must not get it once more.

/** A module that lies beside this file: `NAME_bg.wasm`, or `NAME_plain_bg.wasm` for an engine without SIMD. */
export function beside(name) {
  return () => new URL(`./wasm/${name}${hasSimd() ? '' : '_plain'}_bg.wasm`, import.meta.url);
}

/** Whether the engine takes a module whose one function makes a vector. */
function hasSimd() {
  return WebAssembly.validate(new Uint8Array([
    0, 97, 115, 109, 1, 0, 0, 0, 1, 5, 1, 96, 0, 1, 123, 3, 2, 1, 0, 10, 10, 1, 8, 0, 65, 0, 253, 15, 253, 98, 11,
  ]));
}
