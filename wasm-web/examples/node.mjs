// Brings a file into a folder that the command `hydrant` could also use as its cache, and prints its beginning.
//
// usage: node node.mjs ENDPOINT POINTER-FILE [FOLDER]

import { readFile } from 'node:fs/promises';
import process from 'node:process';
import { hydrate } from 'hydrant';
import { FolderStore } from 'hydrant/stores/folder';

const [endpoint, pointer, folder = 'hydrant-cache'] = process.argv.slice(2);
const store = await FolderStore.open(folder);
const [file] = await hydrate({ endpoint, wants: [await readFile(pointer, 'utf8')], store });
if (file.error) {
  console.error(`${file.error.code}: ${file.error.message}`);
  process.exitCode = 1;
} else {
  console.log(`${file.oid} ${file.size} bytes`);
  console.log(new TextDecoder().decode(await file.slice(0, 60)));
}
