// Which files of the package its exports lead to.

import { build } from 'esbuild';
import { readFile, readdir } from 'node:fs/promises';
import { join, posix, relative } from 'node:path';

/** Every file of `root` that `exports` names, or that such a file imports. Fails if one is not there. */
export async function reachable(root, exports) {
  const flat = (target) => (typeof target === 'string' ? target : Object.values(target));
  const targets = Object.values(exports).flatMap(flat);
  const [patterns, names] = [targets.filter((it) => it.includes('*')), targets.filter((it) => !it.includes('*'))];
  const scripts = names.filter((name) => name.endsWith('.js'));
  const { metafile } = await build({
    entryPoints: scripts.map((name) => join(root, name)),
    absWorkingDir: root, bundle: true, format: 'esm', platform: 'node', metafile: true, write: false, outdir: 'out',
  });
  const found = Object.keys(metafile.inputs).map((path) => relative(root, join(root, path)));
  for (const name of names.filter((name) => name.endsWith('.d.ts'))) await declared(root, posix.normalize(name), found);
  for (const name of names.filter((name) => name.endsWith('.json'))) found.push(posix.normalize(name));
  for (const pattern of patterns) found.push(...await matching(root, posix.normalize(pattern)));
  return found;
}

/** A declaration and those it takes from. */
async function declared(root, name, found) {
  if (found.includes(name)) return;
  found.push(name);
  const text = await readFile(join(root, name), 'utf8');
  for (const [, from] of text.matchAll(/from '(\.[^']+)\.js'/g)) {
    await declared(root, posix.join(posix.dirname(name), `${from}.d.ts`), found);
  }
}

async function matching(root, pattern) {
  const [start, end] = pattern.split('*');
  const names = await readdir(join(root, posix.dirname(pattern)));
  const found = names.map((name) => posix.join(posix.dirname(pattern), name));
  return found.filter((name) => name.startsWith(start) && name.endsWith(end));
}
