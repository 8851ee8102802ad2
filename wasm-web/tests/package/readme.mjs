// The blocks of code in the README of the package.

import { readFile } from 'node:fs/promises';

const README = new URL('../../README.md', import.meta.url);
/** The endpoint in its examples. */
export const ENDPOINT = 'https://lfs.example.org/me/models';

/** All blocks, in order: their language, the heading above them, and their text. */
export async function blocks() {
  const found = [];
  let heading;
  let block;
  for (const line of (await readFile(README, 'utf8')).split('\n')) {
    const fence = /^```(.*)$/.exec(line);
    if (!block && !fence && line.startsWith('#')) heading = line.replace(/^#+ /, '');
    if (block && fence) {
      found.push({ ...block, text: `${block.lines.join('\n')}\n` });
      block = undefined;
    } else if (fence) {
      block = { language: fence[1], heading, lines: [] };
    } else {
      block?.lines.push(line);
    }
  }
  return found;
}
