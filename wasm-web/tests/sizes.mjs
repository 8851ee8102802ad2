// How large the package is: what a page loads for each entry, packed with brotli 11, its JavaScript minified by
// esbuild; and what the module for reading consists of.
//
// usage: node sizes.mjs PACKAGE MODULE, where MODULE is what rustc built for reading, with names

import { build } from 'esbuild';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import process from 'node:process';
import { brotliCompressSync } from 'node:zlib';

const [folder, module] = process.argv.slice(2);
/** Crates that are named. */
const CRATES_MAX = 12;

const packed = (bytes) => brotliCompressSync(bytes).length;

/** JavaScript as a page gets it; without `bundle`, one file alone. */
async function minified(file, bundle) {
  const { outputFiles: [{ contents }] } = await build({
    entryPoints: [join(folder, file)], bundle, minify: true, format: 'esm', target: 'es2022', write: false,
  });
  return packed(contents);
}

const rows = [];
for (const [name, page] of [['read', 'page.js'], ['full', 'full-page.js']]) {
  const wasm = packed(await readFile(join(folder, 'wasm', `${name}_bg.wasm`)));
  const glue = await minified(`wasm/${name}.js`, false);
  const all = wasm + (await minified(page, true));
  rows.push([name, wasm, glue, all - wasm - glue, all]);
  console.log(`${name} ${wasm + glue}`);
}
console.log('\n| entry | module | its glue | the rest of JavaScript | all |\n| --- | --- | --- | --- | --- |');
for (const [name, ...sizes] of rows) {
  console.log(`| ${name} | ${sizes.map((size) => size.toLocaleString('en')).join(' | ')} |`);
}

const crates = await shares(await readFile(module));
const whole = crates.reduce((sum, [, bytes]) => sum + bytes, 0);
console.log(`\ncode for reading by crate, of ${whole.toLocaleString('en')} bytes unpacked`);
for (const [crate, bytes] of crates.slice(0, CRATES_MAX)) {
  console.log(`${(100 * bytes / whole).toFixed(1).padStart(5)} %  ${crate}`);
}

/** Bytes of code by crate, the largest first. The sections are those of the WebAssembly core specification. */
async function shares(bytes) {
  let at = 8;
  const number = () => {
    let [value, shift] = [0, 0];
    for (;;) {
      const byte = bytes[at++];
      value += (byte & 0x7f) * 2 ** shift;
      if (byte < 0x80) return value;
      shift += 7;
    }
  };
  const text = () => {
    const length = number();
    at += length;
    return bytes.subarray(at - length, at).toString('utf8');
  };
  const imports = WebAssembly.Module.imports(await WebAssembly.compile(bytes));
  const imported = imports.filter(({ kind }) => kind === 'function');
  const sizes = [];
  const names = new Map();
  while (at < bytes.length) {
    const id = bytes[at++];
    const end = number() + at;
    if (id === 10) {
      for (let left = number(); left > 0; left -= 1) {
        const size = number();
        sizes.push(size);
        at += size;
      }
    } else if (id === 0 && text() === 'name') {
      while (at < end) {
        const kind = bytes[at++];
        const next = number() + at;
        if (kind === 1) for (let left = number(); left > 0; left -= 1) names.set(number(), text());
        at = next;
      }
    }
    at = end;
  }
  const sums = new Map();
  sizes.forEach((size, index) => {
    const name = names.get(imported.length + index) ?? '';
    // The macros' notes for wasm-bindgen, which takes them out.
    if (name.includes('__wbindgen_describe')) return;
    sums.set(crate(name), (sums.get(crate(name)) ?? 0) + size);
  });
  return [...sums].sort(([, a], [, b]) => b - a);
}

/** The crate in a mangled name. What has none is an export of ours. */
function crate(name) {
  const [, legacy] = /^_ZN\d+(?:_?\$LT\$(?:\$RF\$)?)?([a-z0-9_]+?)(?:\.\.|\d|\$)/.exec(name) ?? [];
  const [, length, rest] = /^_R.*?Cs[0-9A-Za-z]+_(\d+)(\w+)/.exec(name) ?? [];
  if (rest) return rest.slice(0, Number(length));
  return legacy ?? 'hydrant_web';
}
