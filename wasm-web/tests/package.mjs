// The package as `cargo xtask web` leaves it.

import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { target } from '../../tests/hosts/js/component.mjs';

/** Its folder. */
export const folder = join(target, 'dist', 'web');

/** An entry of it, ready for use. */
export async function load(name) {
  const entry = await import(pathToFileURL(join(folder, `${name}.js`)));
  const module = { index: 'read', full: 'full' }[name];
  entry.initSync(await readFile(join(folder, 'wasm', `${module}_bg.wasm`)));
  return entry;
}
