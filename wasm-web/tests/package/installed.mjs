// The package as a user has it: packed by npm, and installed from that file into an empty folder, without a network.

import { execFile } from 'node:child_process';
import { cp, mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { folder as built } from '../package.mjs';

const run = promisify(execFile);
const APP = fileURLToPath(new URL('app', import.meta.url));

/** Installs it. `folder` has it in `node_modules`; `files` are the names that npm packed. */
export async function install() {
  const scratch = await mkdtemp(join(tmpdir(), 'hydrant-package-'));
  const folder = join(scratch, 'user');
  const packed = await run('npm', ['pack', built, '--json', '--pack-destination', scratch], { cwd: scratch });
  const [{ files, filename }] = JSON.parse(packed.stdout);
  await cp(APP, folder, { recursive: true });
  const tarball = join('..', filename);
  await run('npm', ['install', '--offline', tarball, '--no-audit', '--no-fund', '--no-package-lock'], { cwd: folder });
  return {
    folder,
    root: join(folder, 'node_modules/hydrant'),
    files: files.map(({ path }) => path),
    /** Everything that came with the package: it needs no other. */
    installed: (await readdir(join(folder, 'node_modules'))).filter((name) => !name.startsWith('.')),
    leave: () => rm(scratch, { recursive: true, force: true }),
  };
}
