// Files that gave way to their pointers, and serve the command as blobs from then on.
//
// A program that had such a file open can still write to it. So it is copied while it is hashed, and only the copy is
// used. It stays where it is: it is the command's to look after.

import { lstat, open } from 'node:fs/promises';
import { join } from 'node:path';
import { CREATE_NEW, FILE_MODE, hashed, names, remove, writeAt } from './files.js';

/** The oid, the inode, the length, and when it was modified; all but the oid in hexadecimal digits. */
const NAME = /^([0-9a-f]{64})\.[0-9a-f]+\.([0-9a-f]+)\.([0-9a-f]+)-([0-9a-f]+)\../;

/** Copies a displaced file of this oid to a new file, if there is one and it is still what it was. */
export async function copyAdopted(folder, oid, size, to) {
  for (const name of await names(folder)) {
    const [, of, bytes, seconds, nanoseconds] = NAME.exec(name) ?? [];
    if (of !== oid || (size !== undefined && Number(`0x${bytes}`) !== size)) continue;
    const path = join(folder, name);
    const found = await lstat(path, { bigint: true }).catch(() => undefined);
    const modified = BigInt.asIntN(64, BigInt(`0x${seconds}`)) * 1_000_000_000n + BigInt(`0x${nanoseconds}`);
    const isAsItWas = found?.isFile() && found.size === BigInt(`0x${bytes}`) && found.mtimeNs === modified;
    if (isAsItWas && (await copy(path, oid, to))) return true;
  }
  return false;
}

async function copy(from, oid, to) {
  const handle = await open(to, CREATE_NEW, FILE_MODE);
  let isRight = false;
  try {
    isRight = (await hashed(from, (bytes, at) => writeAt(handle, bytes, at)))?.oid === oid;
  } finally {
    await handle.close();
    if (!isRight) await remove(to);
  }
  return isRight;
}
