// Bundlers, each with nothing configured for the package. Each gives the folder of a site and what it warned about.

import resolve from '@rollup/plugin-node-resolve';
import { build as esbuild } from 'esbuild';
import { copyFile, mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { rollup } from 'rollup';
import { build as vite } from 'vite';

export const bundlers = {
  async esbuild(folder, name, out) {
    const { warnings } = await esbuild({
      entryPoints: [join(folder, `page-${name}.js`)], bundle: true, format: 'esm', outdir: out, logLevel: 'silent',
    });
    return warnings.map(({ text }) => text);
  },

  async vite(folder, name, out) {
    const warnings = [];
    const warn = (message) => warnings.push(message);
    const customLogger = {
      info() {}, warn, warnOnce: warn, error: warn, clearScreen() {}, hasErrorLogged: () => false, hasWarned: false,
    };
    // The page is its entry, as for any application.
    const build = { outDir: out, rollupOptions: { input: join(folder, `${name}.html`) } };
    await vite({ root: folder, configFile: false, customLogger, build });
    return warnings;
  },

  async rollup(folder, name, out) {
    const warnings = [];
    const bundle = await rollup({
      input: join(folder, `page-${name}.js`),
      plugins: [resolve()],
      onLog: (level, { message }) => warnings.push(message),
    });
    await bundle.write({ dir: out });
    await bundle.close();
    return warnings;
  },
};

/** A site made by a bundler of this name; its page is `NAME.html`. */
export async function bundled(bundler, folder, name) {
  const out = join(folder, 'out', `${bundler}-${name}`);
  await mkdir(out, { recursive: true });
  const warnings = await bundlers[bundler](folder, name, out);
  if (bundler !== 'vite') await copyFile(join(folder, `${name}.html`), join(out, `${name}.html`));
  return { out, warnings };
}
