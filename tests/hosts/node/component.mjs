// The component as a module of JavaScript: transpiled once into the target folder, instantiated with no import at all.

import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { transpileBytes } from '@bytecodealliance/jco-transpile';

const workspace = join(dirname(fileURLToPath(import.meta.url)), '..', '..', '..');

/** Cargo's target folder. */
export const target = join(workspace, process.env.CARGO_TARGET_DIR ?? 'target');

/** The component as `cargo xtask build` leaves it. */
export const componentPath = process.env.HYDRANT_ENGINE_WASM ?? join(target, 'dist', 'hydrant-engine.wasm');

/** A fresh instance, and the modules that the transpiled code wants. */
export async function instantiate() {
  const bytes = await readFile(componentPath).catch(() => {
    throw new Error('the component is not there: run `cargo xtask build` first');
  });
  const { files, imports } = await transpileBytes(bytes, { name: 'engine', instantiation: 'sync' });
  const folder = join(target, 'hosts', 'node');
  const sources = Array.isArray(files) ? files : Object.entries(files);
  for (const [name, contents] of sources) {
    const path = join(folder, name);
    await mkdir(dirname(path), { recursive: true });
    await writeFile(path, contents);
  }
  const module = await import(pathToFileURL(join(folder, 'engine.js')));
  const cores = new Map();
  for (const [name] of sources.filter(([name]) => name.endsWith('.wasm'))) {
    cores.set(name, await WebAssembly.compile(await readFile(join(folder, name))));
  }
  // No import object: a component that asked for anything would fail here.
  const engine = module.instantiate((name) => cores.get(name), {});
  return { engine, imports };
}
