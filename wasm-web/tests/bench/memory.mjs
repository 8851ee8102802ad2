// The memory of a tree of processes and what it reads, as Linux counts them.

import { readFile, readdir } from 'node:fs/promises';

/** Milliseconds between two looks. */
const LOOK_MS = 50;

/** The process that was started with this argument. */
export async function processOf(argument) {
  for (const pid of (await readdir('/proc')).filter((name) => /^\d+$/.test(name))) {
    const words = await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '');
    if (words.includes(argument) && !words.includes('--type=')) return Number(pid);
  }
  throw new Error('there is no such process');
}

/** A process and all below it. */
async function treeOf(root) {
  const parents = new Map();
  for (const pid of (await readdir('/proc')).filter((name) => /^\d+$/.test(name))) {
    const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => undefined);
    if (stat) parents.set(Number(pid), Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]));
  }
  const isBelow = (pid) => pid === root || (parents.has(pid) && isBelow(parents.get(pid)));
  return [...parents.keys()].filter(isBelow);
}

/** Proportional set size of a tree, in bytes: shared pages count once. */
async function size(root) {
  let bytes = 0;
  for (const pid of await treeOf(root)) {
    const rollup = await readFile(`/proc/${pid}/smaps_rollup`, 'utf8').catch(() => '');
    bytes += 1024 * Number(/^Pss:\s+(\d+)/m.exec(rollup)?.[1] ?? 0);
  }
  return bytes;
}

/** The peak of a tree while something runs. */
export async function peakDuring(root, work) {
  let isOver = false;
  let peak = 0;
  const looking = (async () => {
    while (!isOver) {
      peak = Math.max(peak, await size(root));
      await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
    }
  })();
  await work().finally(() => (isOver = true));
  await looking;
  return peak;
}

/** Bytes that the processes of a tree have read so far, from files and from pipes. */
export async function readBy(root) {
  let bytes = 0;
  for (const pid of await treeOf(root)) {
    const io = await readFile(`/proc/${pid}/io`, 'utf8').catch(() => '');
    bytes += Number(/^rchar: (\d+)/m.exec(io)?.[1] ?? 0);
  }
  return bytes;
}
