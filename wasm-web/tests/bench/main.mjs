// The package beside what it is measured by: ratios of medians, by turns in one run. Ends with 1 when one is out of its
// bound. Prints the versions of all.
//
//   cargo xtask web --bench

import assert from 'node:assert/strict';
import { execFile, spawn } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import { createSHA256 } from 'hash-wasm';
import { chromium } from 'playwright-core';
import { BROWSER } from '../browser/chromium.mjs';
import { serve } from '../browser/server.mjs';
import { folder as built } from '../package.mjs';
import { median, ratio } from './hash.mjs';
import { peakDuring, processOf, readBy } from './memory.mjs';

const ROUNDS = 7;
const MEMORY_ROUNDS = 5;
const SMALL = { count: 1000, bytes: 10_000 };
const LARGE = { count: 20, bytes: 20_000_000 };
const MIB = 1024 * 1024;
const HUGE_BYTES = 1024 * MIB;
const LESS_BYTES = 64 * MIB;

const rows = [];
const hydrant = process.env.HYDRANT_BIN;
const require = createRequire(import.meta.url);

/** Judges a figure: at least, or at most, its bound. */
function judge(name, figure, sign, bound, unit = '') {
  const isWithin = sign === '>=' ? figure >= bound : figure <= bound;
  rows.push({ name, figure: `${figure.toFixed(2)}${unit}`, bound: `${sign} ${bound}${unit}`, isWithin });
  const verdict = isWithin ? 'within' : 'OUT OF';
  console.log(`${verdict} its bound: ${name} ${figure.toFixed(2)}${unit} (${sign} ${bound}${unit})`);
}

await inNode();
await inChromium();
const browser = await promisify(execFile)(BROWSER, ['--version']);
const { version } = require('hash-wasm/package.json');
console.log(`node ${process.version}, hash-wasm ${version}, ${browser.stdout.trim()}`);
process.exit(rows.every(({ isWithin }) => isWithin) ? 0 : 1);

async function inNode() {
  const { Hasher, initSync } = await import(pathToFileURL(join(built, 'page.js')));
  initSync(await readFile(join(built, 'wasm/read_bg.wasm')));
  judge('hash, Node: times as quick as hash-wasm', ratio(Hasher, await createSHA256()), '>=', 1.1);
  const native = { init: () => createHash('sha256') };
  judge('hash, Node: times as quick as node:crypto', ratio(Hasher, native), '>=', 0.2);
  const script = fileURLToPath(new URL('fresh.mjs', import.meta.url));
  const fresh = [];
  for (let round = 0; round < ROUNDS; round += 1) {
    const { stdout } = await promisify(execFile)(process.execPath, [script, built]);
    fresh.push(JSON.parse(stdout));
  }
  judge('first 64 MiB of a fresh process: share of the warm rate', median(fresh.map(({ first }) => first)), '>=', 0.45);
  judge('a gigabyte hashed: memory of the module', median(fresh.map(({ grown }) => grown)) / MIB, '<=', 4, ' MiB');
}

async function inChromium() {
  const pages = await serve();
  const folder = await mkdtemp(join(tmpdir(), 'hydrant-bench-'));
  const child = spawn(hydrant, ['serve', '--json', '--open', '--store', folder, '--origin', pages.origin], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  try {
    let said = '';
    for await (const piece of child.stdout) if ((said += piece).includes('}')) break;
    const endpoint = `${JSON.parse(said).url}/bench`;
    const small = await published(endpoint, SMALL);
    const large = await published(endpoint, LARGE);
    await browsing(pages.origin, async (page) => {
      judge('hash, Chromium: times as quick as hash-wasm', await page.evaluate(() => bench.hash()), '>=', 1.1);
      const compared = async (wants) => {
        const [ours, theirs] = [[], []];
        for (let round = 0; round < ROUNDS; round += 1) {
          ours.push(await page.evaluate(([endpoint, wants]) => bench.hydrated(endpoint, wants), [endpoint, wants]));
          theirs.push(await page.evaluate(([endpoint, wants]) => bench.fetched(endpoint, wants), [endpoint, wants]));
        }
        return median(ours) / median(theirs);
      };
      judge('hydrate 1,000 x 10 KB: times a loop that verifies nothing', await compared(small), '<=', 1.15);
      judge('hydrate 20 x 20 MB: times a loop that verifies nothing', await compared(large), '<=', 2.2);
    });
    const [less] = await published(endpoint, { count: 1, bytes: LESS_BYTES });
    const [huge] = await published(endpoint, { count: 1, bytes: HUGE_BYTES });
    const found = { less: [], huge: [] };
    for (let round = 0; round < MEMORY_ROUNDS; round += 1) {
      found.less.push(await kept(pages.origin, endpoint, less));
      found.huge.push(await kept(pages.origin, endpoint, huge));
    }
    const peak = (of) => median(of.map(({ peak }) => peak));
    const more = (peak(found.huge) - peak(found.less)) / MIB;
    judge('1 GiB into the file system: memory more than for 64 MiB', more, '<=', 96, ' MiB');
    judge('1,000 bytes of it: bytes read', median(found.huge.map(({ read }) => read)) / MIB, '<=', 4, ' MiB');
  } finally {
    child.kill();
    await pages.close();
    await rm(folder, { recursive: true, force: true });
  }
}

/** Random objects on the server, as wants. */
async function published(endpoint, { count, bytes }) {
  const { initSync, upload } = await import(pathToFileURL(join(built, 'full-page.js')));
  initSync(await readFile(join(built, 'wasm/full_bg.wasm')));
  const files = Array.from({ length: count }, (_, at) => {
    const body = new Blob(Array.from({ length: Math.ceil(bytes / MIB) }, (_, part) => {
      return randomBytes(Math.min(MIB, bytes - part * MIB));
    }));
    return { name: `${bytes}-${at}`, body };
  });
  const sent = await upload({ endpoint, files });
  return sent.map(({ name, oid, size, error }) => {
    assert.equal(error, undefined);
    return { name, oid, size };
  });
}

/** A browser of its own, for one page. Its files are on a disk: a browser without a profile has them in memory. */
async function browsing(origin, work) {
  const mark = `--hydrant-bench-${process.pid}-${Math.random().toString(36).slice(2)}`;
  const profile = await mkdtemp(join(tmpdir(), 'hydrant-bench-profile-'));
  const browser = await chromium.launchPersistentContext(profile, {
    executablePath: BROWSER,
    args: ['--no-sandbox', '--disable-dev-shm-usage', mark],
  });
  try {
    const page = await browser.newPage();
    page.setDefaultTimeout(0);
    await page.goto(`${origin}/tests/bench/page.html`);
    await page.waitForFunction(() => globalThis.bench);
    return await work(page, mark);
  } finally {
    await browser.close();
    await rm(profile, { recursive: true, force: true });
  }
}

/** A fresh browser's peak while a blob is streamed into its file system, and what it reads for a part of it. */
async function kept(origin, endpoint, want) {
  return browsing(origin, async (page, mark) => {
    const root = await processOf(mark);
    const keep = () => page.evaluate(([endpoint, want]) => bench.kept(endpoint, want), [endpoint, want]);
    const peak = await peakDuring(root, keep);
    const before = await readBy(root);
    assert.equal(await page.evaluate((want) => bench.sliced(want), want), 1000);
    return { peak, read: (await readBy(root)) - before };
  });
}
