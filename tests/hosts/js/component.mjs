// The component as a module of JavaScript: transpiled once into the target folder, instantiated with no import at all.
//
// `node component.mjs` only transpiles: jco itself runs in Node, what it writes runs everywhere.

import { createHash } from 'node:crypto';
import { mkdir, mkdtemp, readFile, readdir, rename, rm, writeFile } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import process from 'node:process';
import { fileURLToPath, pathToFileURL } from 'node:url';

const here = dirname(fileURLToPath(import.meta.url));
export const workspace = join(here, '..', '..', '..');

/** Cargo's target folder. */
export const target = resolve(workspace, process.env.CARGO_TARGET_DIR ?? 'target');

/** The component as `cargo xtask build` leaves it. */
const componentPath = process.env.HYDRANT_ENGINE_WASM ?? join(target, 'dist', 'hydrant-engine.wasm');

/** It asks for nothing, so nothing is there to be asked for. */
const NOTHING = new Proxy({}, {
  get(_, name) {
    throw new Error(`the component asks for ${String(name)}`);
  },
});

/** A fresh instance. */
export async function instantiate() {
  const { module, cores } = await loaded();
  return module.instantiate((name) => cores.get(name), NOTHING);
}

/** The transpiled module and its compiled cores, once a process. */
function loaded() {
  loaded.once ??= load();
  return loaded.once;
}

async function load() {
  const folder = await transpiled();
  const cores = new Map();
  for (const name of await readdir(folder)) {
    if (name.endsWith('.wasm')) cores.set(name, await WebAssembly.compile(await readFile(join(folder, name))));
  }
  return { module: await import(pathToFileURL(join(folder, 'engine.js'))), cores };
}

/** The folder with the transpiled component. It is named after what went in, so it is either right or not there. */
async function transpiled() {
  const bytes = await readFile(componentPath).catch(() => {
    throw new Error('the component is not there: run `cargo xtask build` first');
  });
  const { devDependencies } = JSON.parse(await readFile(join(here, 'package.json'), 'utf8'));
  const version = devDependencies['@bytecodealliance/jco'];
  const digest = createHash('sha256').update(version).update(bytes).digest('hex').slice(0, 16);
  const hosts = join(target, 'hosts', 'js');
  const folder = join(hosts, digest);
  if (await readdir(folder).catch(() => null)) return folder;
  await mkdir(hosts, { recursive: true });
  const draft = await mkdtemp(join(hosts, 'draft-'));
  const { transpile } = await import('@bytecodealliance/jco');
  const { files } = await transpile(bytes, { name: 'engine', instantiation: 'sync' });
  for (const [name, contents] of Object.entries(files)) {
    await mkdir(dirname(join(draft, name)), { recursive: true });
    await writeFile(join(draft, name), contents);
  }
  // Of several processes that do this at once, one wins; the others made the same.
  await rename(draft, folder).catch(() => rm(draft, { recursive: true }));
  return folder;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await transpiled();
