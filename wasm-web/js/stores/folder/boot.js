// Entries are trusted within the boot of the machine that wrote them, as in the command's cache.
//
// A power loss can leave an entry whose bytes never reached the disk. It also ends the boot. So whoever opens the
// folder first within another boot moves all of `cache` to `unproved/<n>`, and what lies there is hashed before it is
// used. The command does this under a lock that JavaScript cannot take. Without it the worst that can happen is that
// entries which another process wrote just now are moved, too: they are hashed once more, and nothing gets trust that
// it did not have, because the boot is noted only after everything was moved.

import { mkdir, readFile, rename, rm, rmdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import process from 'node:process';
import { FILE_MODE, facts, folder, isFolder, names, textAt } from './files.js';

/** Where Linux names its boot. */
const BOOT_ID = '/proc/sys/kernel/random/boot_id';
/** Bytes of a boot's name at most. */
const BOOT_BYTES_MAX = 128;
/** The form of the folder that this version reads and writes. Today's needs no note. */
const FORMAT = '1';
/** Bytes of the note at most. */
const FORMAT_BYTES_MAX = 32;
/** Times that another number is tried because somebody took it. */
const TRIES_MAX = 100;

/** Refuses a folder of a later form. It comes before anything is written there. */
export async function checkFormat(root) {
  if (!(await facts(join(root, 'format')))) return;
  const said = (await textAt(join(root, 'format'), FORMAT_BYTES_MAX)).trim();
  if (said === FORMAT) return;
  const detail = `the folder of the store says format ${JSON.stringify(said)}, and this version knows ${FORMAT}`;
  throw new DOMException(detail, 'NotSupportedError');
}

/** The name of the running boot; nothing where boots have no names. */
export async function bootName() {
  return nameIn(await readFile(BOOT_ID, 'utf8').catch(() => ''));
}

/** Makes the folders that are always there. Gives those of all that was moved aside, the newest first. */
export async function layOut(root, boot) {
  await makeRoot(root);
  const unproved = await enter(root, boot);
  await folder(join(root, 'stage'));
  return unproved;
}

/** Moves entries of another boot aside. Gives the folders of all that was moved, the newest first. */
async function enter(root, boot) {
  if (boot && (await recorded(root)) !== boot) {
    await setAside(root, boot);
    await folder(join(root, 'cache'));
    await record(root, boot);
  }
  await folder(join(root, 'cache'));
  const kept = [];
  for (const number of (await numbered(root)).reverse()) {
    const path = join(root, 'unproved', String(number));
    if (!(await isEmpty(path))) kept.push(path);
  }
  return kept;
}

/** Whether this is no folder, or was one without entries, which is gone now. */
async function isEmpty(path) {
  if (!(await isFolder(path))) return true;
  try {
    for (const fan of await names(path)) await rmdir(join(path, fan));
    await rmdir(path);
    return true;
  } catch {
    return false;
  }
}

async function recorded(root) {
  return nameIn(await textAt(join(root, 'boot'), BOOT_BYTES_MAX));
}

async function setAside(root, boot) {
  const unproved = join(root, 'unproved');
  for (let tries = 0; tries < TRIES_MAX; tries += 1) {
    if ((await names(join(root, 'cache'))).length === 0) return;
    await folder(unproved);
    const next = ((await numbered(root)).at(-1) ?? 0) + 1;
    if ((await recorded(root)) === boot) return;
    try {
      return await rename(join(root, 'cache'), join(unproved, String(next)));
    } catch (error) {
      if (error.code === 'ENOENT') return;
      if (error.code !== 'ENOTEMPTY' && error.code !== 'EEXIST') throw error;
    }
  }
  throw new Error('entries of an earlier boot cannot be moved');
}

async function record(root, boot) {
  const temporary = join(root, `boot.${process.pid}-${crypto.randomUUID()}`);
  try {
    await writeFile(temporary, boot, { flag: 'wx', mode: FILE_MODE });
    await rename(temporary, join(root, 'boot'));
  } finally {
    await rm(temporary, { force: true });
  }
}

/** Numbers of the folders of earlier boots. Nothing else that lies there is ours. */
async function numbered(root) {
  const all = (await names(join(root, 'unproved'))).filter((name) => /^(0|[1-9][0-9]{0,14})$/.test(name));
  return all.map(Number).sort((a, b) => a - b);
}

function nameIn(text) {
  return text.slice(0, BOOT_BYTES_MAX).trim() || undefined;
}

/** Makes the folder itself, for its user alone. */
export async function makeRoot(path) {
  await mkdir(path, { recursive: true, mode: 0o700 });
}
