// Boots with names of our own, for this process: what the store reads as the name of the running boot.

import fs from 'node:fs/promises';
import { syncBuiltinESMExports } from 'node:module';

const BOOT_ID = '/proc/sys/kernel/random/boot_id';
const own = fs.readFile;
let boot;

fs.readFile = async (path, ...given) => {
  if (path !== BOOT_ID || boot === undefined) return own(path, ...given);
  if (boot === null) throw Object.assign(new Error('ENOENT'), { code: 'ENOENT' });
  return `${boot}\n`;
};
syncBuiltinESMExports();

/** From now on this is the running boot; null where boots have no names. */
export function bootAs(name) {
  boot = name;
}
