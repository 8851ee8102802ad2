// A process of its own with a store on a folder. It says what it has done, and then waits to be ended.
//
//   node child.mjs store.js FOLDER half SIZE     writes half a blob and leaves its stage open
//   node child.mjs store.js FOLDER keep NUMBER   keeps blobs of 100 kB, and says so after each

import process from 'node:process';
import { pathToFileURL } from 'node:url';
import { PIECE_BYTES, blob, keep, newId } from './bytes.mjs';

const [module, folder, what, number] = process.argv.slice(2);
const { FolderStore } = await import(pathToFileURL(module));
const store = await FolderStore.open(folder);

if (what === 'half') {
  const it = await blob(Number(number));
  const stage = await store.stage(newId(), it);
  for (let at = 0; at < it.size / 2; at += PIECE_BYTES) await stage.write(it.bytes.slice(at, at + PIECE_BYTES));
  process.stdout.write('written\n');
  setInterval(() => {}, 1000);
}
for (let at = 0; what === 'keep' && at < Number(number); at += 1) {
  await keep(store, await blob(100_000, at));
  process.stdout.write(`${at}\n`);
}
