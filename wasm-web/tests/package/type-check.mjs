// The compiler of TypeScript, as a user has it.

import { execFile } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import process from 'node:process';
import { fileURLToPath } from 'node:url';

const TSC = fileURLToPath(new URL('../node_modules/typescript/bin/tsc', import.meta.url));
/** As strict as it can be. The declarations of the package are checked as well, and nothing else is at hand. */
const OPTIONS = {
  strict: true, noUncheckedIndexedAccess: true, exactOptionalPropertyTypes: true, skipLibCheck: false, noEmit: true,
  target: 'es2022', types: [],
};

/** What `tsc` says about programs of a folder; nothing if they are right. */
export async function check(folder, files, options) {
  const config = join(folder, 'tsconfig.json');
  await writeFile(config, JSON.stringify({ compilerOptions: { ...OPTIONS, ...options }, files }));
  return new Promise((resolve, reject) => {
    execFile(process.execPath, [TSC, '--project', config], { cwd: folder }, (error, stdout, stderr) => {
      if (error && stdout === '') reject(new Error(stderr || error.message));
      else resolve(stdout);
    });
  });
}
