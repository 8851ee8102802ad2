// What the folder store asks of the file system, for Node, Deno and Bun.

import { Buffer } from 'node:buffer';
import { createHash } from 'node:crypto';
import * as fs from 'node:fs';
import { lstat, mkdir, open, readdir, rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';

/** Nobody else reads the cache. */
export const FILE_MODE = 0o600;
const FOLDER_MODE = 0o700;
/** Links are not followed. Windows has no such flag. */
const NO_FOLLOW = fs.constants.O_NOFOLLOW ?? 0;
/** Nobody waits for the other end of a pipe. */
const NO_WAIT = fs.constants.O_NONBLOCK ?? 0;
const READ = fs.constants.O_RDONLY | NO_FOLLOW;
export const CREATE_NEW = fs.constants.O_RDWR | fs.constants.O_CREAT | fs.constants.O_EXCL | NO_FOLLOW;
export const WRITE = fs.constants.O_RDWR | NO_FOLLOW;

/** Bytes that are read at once. */
const READ_BYTES = 256 << 10;

/** Names of errors as a browser has them: the driver goes by these. */
const NAMES = {
  ENOSPC: 'QuotaExceededError',
  EDQUOT: 'QuotaExceededError',
  ENOENT: 'NotFoundError',
  EACCES: 'NotAllowedError',
  EPERM: 'NotAllowedError',
  EROFS: 'NotAllowedError',
};

/** An error of the file system in the words of a browser. Its path stays out of the message. */
export function named(error) {
  const name = NAMES[error?.code];
  return name ? new DOMException(`the folder of the store: ${error.code}`, name) : error;
}

/** What a regular file is; nothing if there is none. */
export async function facts(path) {
  try {
    const found = await lstat(path, { bigint: true });
    return found.isFile() ? found : undefined;
  } catch (error) {
    if (error.code === 'ENOENT' || error.code === 'ENOTDIR') return undefined;
    throw named(error);
  }
}

/** Names in a folder, in order; none if it is not there, or is a link. */
export async function names(path) {
  return (await isFolder(path)) ? (await readdir(path)).sort() : [];
}

/** Whether a folder is there, and no link. */
export async function isFolder(path) {
  return lstat(path).then((found) => found.isDirectory(), () => false);
}

/** A small text in a file of its own; empty if there is none. Neither a link nor a pipe is one. */
export async function textAt(path, bytesMax) {
  const handle = await open(path, READ | NO_WAIT).catch(() => undefined);
  try {
    if (!(await handle?.stat())?.isFile()) return '';
    const room = Buffer.alloc(bytesMax);
    const { bytesRead } = await handle.read(room, 0, bytesMax, 0);
    return room.toString('utf8', 0, bytesRead);
  } catch {
    return '';
  } finally {
    await handle?.close();
  }
}

/** Makes a folder. What stands there and is none, or is a link, is an error. */
export async function folder(path) {
  await mkdir(path, { recursive: true, mode: FOLDER_MODE });
  if (!(await lstat(path)).isDirectory()) throw new DOMException('a folder of the store is a link', 'NotAllowedError');
}

/** Moves a file to a name whose folder may not be there. */
export async function move(from, to) {
  try {
    await rename(from, to);
  } catch (error) {
    if (error.code !== 'ENOENT') throw named(error);
    await mkdir(dirname(to), { recursive: true, mode: FOLDER_MODE });
    await rename(from, to).catch((again) => {
      throw named(again);
    });
  }
}

/** Removes a file; one that is not there is as good. */
export async function remove(path) {
  await rm(path, { force: true }).catch((error) => {
    throw named(error);
  });
}

/** Writes all of it at a position. */
export async function writeAt(handle, bytes, position) {
  try {
    for (let at = 0; at < bytes.length; ) {
      at += (await handle.write(bytes, at, bytes.length - at, position + at)).bytesWritten;
    }
  } catch (error) {
    throw named(error);
  }
}

/** What a file hashes to, and its length; each piece goes to `take` first, if there is one. Nothing if unreadable. */
export async function hashed(path, take) {
  const handle = await open(path, READ).catch(() => undefined);
  if (!handle) return undefined;
  const hash = createHash('sha256');
  const room = new Uint8Array(READ_BYTES);
  try {
    for (let size = 0; ; ) {
      let read;
      try {
        ({ bytesRead: read } = await handle.read(room, 0, room.length, size));
      } catch {
        return undefined;
      }
      if (read === 0) return { oid: hash.digest('hex'), size };
      hash.update(room.subarray(0, read));
      await take?.(room.subarray(0, read), size);
      size += read;
    }
  } finally {
    await handle.close();
  }
}

/** A file as a Blob that reads only what is asked for; nothing if it is not there. */
export async function asBlob(path) {
  if (!(await facts(path))) return undefined;
  if ('Bun' in globalThis) return globalThis.Bun.file(path);
  try {
    return await fs.openAsBlob(path);
  } catch {
    if (!(await facts(path))) return undefined;
    throw new DOMException('a file of the store cannot be read', 'NotReadableError');
  }
}
