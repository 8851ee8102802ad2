// In a process of its own: how quick the first 64 MiB are, as a share of the rate once it is warm; and what a gigabyte
// costs in memory of the module. Prints JSON.
//
// usage: node fresh.mjs PACKAGE

import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import process from 'node:process';
import { pathToFileURL } from 'node:url';
import { median } from './hash.mjs';

const FIRST_BYTES = 64 * 1024 * 1024;
const WHOLE_BYTES = 1024 * 1024 * 1024;
const PIECE = new Uint8Array(64 * 1024).map((_, at) => at);

const [folder] = process.argv.slice(2);
const module = await import(pathToFileURL(join(folder, 'wasm/read.js')));
const { memory } = module.initSync({ module: await readFile(join(folder, 'wasm/read_bg.wasm')) });
const before = memory.buffer.byteLength;

function hash(bytes) {
  const hasher = new module.Hasher();
  const began = performance.now();
  for (let at = 0; at < bytes; at += PIECE.length) hasher.update(PIECE);
  hasher.finish();
  return performance.now() - began;
}

const first = hash(FIRST_BYTES);
const warm = median(Array.from({ length: 9 }, () => hash(FIRST_BYTES)));
hash(WHOLE_BYTES);
console.log(JSON.stringify({ first: warm / first, grown: memory.buffer.byteLength - before }));
