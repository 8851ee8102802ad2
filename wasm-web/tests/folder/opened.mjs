// A store in a folder, and where its files are.

import { mkdir, rename, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { folder as built } from '../package.mjs';

export const MODULE = join(built, 'stores', 'folder.js');
export const { FolderStore } = await import(pathToFileURL(MODULE));

/** A store in an empty folder. */
export async function opened(place, options) {
  const folder = join(place.folder, 'cache');
  return { folder, store: await FolderStore.open(folder, options) };
}

/** Where an entry is. */
export const entry = (folder, oid) => join(folder, 'cache', oid.slice(0, 2), oid);

/** Puts a file where the command puts one that gave way to its pointer; its path. */
export async function displace(folder, { oid }, bytes) {
  await mkdir(join(folder, 'adopted'), { recursive: true });
  const path = join(folder, 'adopted', 'new');
  await writeFile(path, bytes);
  const { ino, size, mtimeNs } = await stat(path, { bigint: true });
  const [seconds, nanoseconds] = [mtimeNs / 1_000_000_000n, mtimeNs % 1_000_000_000n];
  const state = [ino, size].map((number) => number.toString(16)).join('.');
  const name = `${oid}.${state}.${seconds.toString(16)}-${nanoseconds.toString(16)}.session`;
  await rename(path, join(folder, 'adopted', name));
  return join(folder, 'adopted', name);
}
