// The program in Node, Deno or Bun.

import process from 'node:process';
import { program } from './read.js';

console.log(JSON.stringify(await program(JSON.parse(process.argv[2]))));
