// `npm run types`: writes the declarations for TypeScript, and fails when a documented function of the contract has
// lost its comment on the way.

import { mkdir, readFile, readdir, writeFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import process from 'node:process';
import { types } from '@bytecodealliance/jco';
import { target, workspace } from './component.mjs';

const wit = join(workspace, 'wit');
const folder = join(target, 'hosts', 'types');
const FUNCTION_OF_TYPESCRIPT = /^\s*(?:export function|static)?\s*(\w+)\(.*\): .*;$/;
const FUNCTION_OF_WIT = /^\s*([a-z0-9-]+): (?:static )?func\(/;

const files = await types(wit, { worldName: 'hydrant-engine' });
for (const [name, contents] of Object.entries(files)) {
  await mkdir(dirname(join(folder, name)), { recursive: true });
  await writeFile(join(folder, name), contents);
}

let documented = 0;
const lost = [];
for (const source of await readdir(wit)) {
  const name = `interfaces/hydrant-lfs-${basename(source, '.wit')}.d.ts`;
  if (!(name in files)) continue;
  const declared = comments(new TextDecoder().decode(files[name]), FUNCTION_OF_TYPESCRIPT);
  const promised = comments(await readFile(join(wit, source), 'utf8'), FUNCTION_OF_WIT);
  for (const [function_, comment] of promised) {
    documented += 1;
    if (declared.get(camel(function_)) !== comment) lost.push(`${basename(source, '.wit')}.${function_}`);
  }
}
console.log(`${documented} documented functions, in ${folder}`);
if (documented === 0 || lost.length > 0) {
  console.error(`without their comments: ${lost.join(', ')}`);
  process.exitCode = 1;
}

/** The comment right above each line that declares something, as one line; of lines without one nothing. */
function comments(text, declares) {
  const found = new Map();
  let comment = [];
  for (const line of text.split('\n')) {
    const [, name] = declares.exec(line) ?? [];
    if (name && comment.length > 0) found.set(name, comment.join(' '));
    const words = /^\s*(?:\/\/\/|\*(?!\/))\s*(.*)$/.exec(line)?.[1];
    if (words) comment.push(words);
    else if (!/^\s*\*\/$/.test(line)) comment = [];
  }
  return found;
}

function camel(name) {
  return name.replace(/-(.)/g, (_, letter) => letter.toUpperCase());
}
