// A folder as a scenario of `tests/fixtures/cache` describes it, with its processes: lays files, does steps, compares.

import assert from 'node:assert/strict';
import { execFileSync, fork } from 'node:child_process';
import * as fs from 'node:fs/promises';
import { dirname, join, relative } from 'node:path';
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import { workspace } from '../../../tests/hosts/js/component.mjs';
import { noise, oidOf } from '../stores/bytes.mjs';
import { MODULE } from './opened.mjs';

/** The kind of writer that runs here. */
const KIND = 'script';
const FIXTURES = join(workspace, 'tests', 'fixtures', 'cache');
const BLOBS = 'blobs.json';
const KEEPER = fileURLToPath(new URL('keeper.mjs', import.meta.url));
/** No process has so high a number. */
const GONE = '999999999';
/** Files of the writers themselves: looked at only where a scenario names them. */
const UNASKED = new Set(['boot', 'lock']);
/** What a step answers unless a scenario says something else. */
const USUAL = { finish: 'right', fetch: 'kept' };
/** The name of the process that a scenario does not name. */
const FIRST = 'one';

/** By name. */
export const blobs = await readBlobs();

/** The scenarios for this kind of writer, by file. */
export async function scenarios() {
  const files = (await fs.readdir(FIXTURES)).filter((name) => name.endsWith('.json') && name !== BLOBS).sort();
  const all = await Promise.all(files.map(async (file) => (await json(file)).map((one) => ({ file, ...one }))));
  return all.flat().filter(({ only }) => !only || only === KIND);
}

async function json(name) {
  return JSON.parse(await fs.readFile(join(FIXTURES, name), 'utf8'));
}

async function readBlobs() {
  const all = new Map();
  for (const [name, { bytes: size, seed, oid }] of Object.entries(await json(BLOBS))) {
    const bytes = seed === undefined ? undefined : noise(size, seed);
    if (bytes) assert.equal(await oidOf(bytes), oid, `the generator gives ${name}`);
    all.set(name, { oid, size, bytes });
  }
  return all;
}

/** Processes that no scenario uses: to start one takes longer than a scenario. */
const idle = [];

/** A folder with its processes. */
export class Scene {
  #folder;
  #copies;
  #processes = new Map();

  /** `copies`: a folder for a copy of the folder before each change that a process makes. */
  constructor(folder, copies) {
    this.#folder = folder;
    this.#copies = copies;
  }

  /** The processes may serve another folder. */
  end() {
    idle.push(...this.#processes.values());
    this.#processes.clear();
  }

  /** Does a step, and compares its answer. */
  async expect(step, what) {
    if (step.only && step.only !== KIND) return;
    const { answer, thrown } = await this.#perform(step);
    assert.deepEqual(answer, mine(step.is) ?? USUAL[step.do] ?? 'done', `${what}${thrown ? `\n${thrown}` : ''}`);
  }

  async #perform(step) {
    const by = step.by ?? FIRST;
    if (step.do === 'close') return { answer: await this.#kill(by) };
    if (step.do === 'change') return { answer: await this.lay(step.files) };
    if (step.do === 'holds') return { answer: await this.compare(step.files, true) };
    if (!this.#processes.has(by)) this.#processes.set(by, idle.pop() ?? fork(KEEPER, [MODULE]));
    const blob = blobs.get(step.blob);
    const named = blob && { oid: blob.oid, size: blob.size };
    const isWritten = blob?.bytes && ['begin', 'fetch'].includes(step.do);
    const bytes = isWritten ? content({ of: step.blob, flip: step.flip }).toString('base64') : undefined;
    const asked = { step, folder: this.#folder, copies: this.#copies, blob: named, bytes };
    const said = await ask(this.#processes.get(by), asked);
    return { ...said, answer: said.thrown ? 'error' : worded(step.do, said.answer) };
  }

  async #kill(by) {
    const running = this.#processes.get(by);
    this.#processes.delete(by);
    await kill(running);
    return 'done';
  }

  // ---- Files ----

  /** Lays files, changes them, or removes them. */
  async lay(files) {
    for (const [name, given] of Object.entries(files)) {
      const spec = mine(given);
      const path = await this.#find(expanded(name));
      if (spec === null) await fs.rm(path, { recursive: true });
      else await put(path, spec);
    }
    return 'done';
  }

  /** Compares what lies there: exactly these files, or these among others. */
  async compare(files, isPart = false) {
    const seen = new Set();
    for (const [name, given] of Object.entries(files)) {
      const spec = mine(given);
      const path = await this.#find(expanded(name));
      seen.add(relative(this.#folder, path));
      assert.equal(await differs(path, spec), undefined, name);
    }
    const extra = (await walk(this.#folder)).map((path) => relative(this.#folder, path));
    const unnamed = extra.filter((path) => !seen.has(path) && !UNASKED.has(path));
    if (!isPart) assert.deepEqual(unnamed, [], 'and nothing else');
    return 'done';
  }

  /** The path of a name in which a star stands for anything; the name itself if there is no such file. */
  async #find(name) {
    let path = this.#folder;
    for (const part of name.split('/')) {
      const pattern = new RegExp(`^${part.replace(/[.+]/g, '\\$&').replaceAll('*', '.*')}$`);
      const among = part.includes('*') ? await fs.readdir(path).catch(() => []) : [];
      const found = among.filter((one) => pattern.test(one));
      assert.ok(found.length < 2, `one file is ${name}: ${found}`);
      path = join(path, found[0] ?? part);
    }
    return path;
  }
}

/** Ends the processes that no scenario uses. */
export async function endAll() {
  await Promise.all(idle.splice(0).map(kill));
}

async function kill(running) {
  const ended = new Promise((resolve) => running.once('exit', resolve));
  running.kill('SIGKILL');
  await ended;
}

/** Sends a process a step; its answer. */
async function ask(running, asked) {
  return new Promise((resolve, reject) => {
    const dead = () => reject(new Error(`the process ended at ${asked.step.do}`));
    running.once('exit', dead);
    running.once('message', (said) => {
      running.off('exit', dead);
      resolve(said);
    });
    running.send(asked);
  });
}

// ---- What the fixtures say ----

/** What is meant for this kind of writer. */
function mine(value) {
  const isSplit = value !== null && typeof value === 'object' && ('command' in value || 'script' in value);
  return isSplit ? value[KIND] : value;
}

/** A path with the names of blobs and processes in it. */
function expanded(name) {
  return name.replace(/\{([a-z-]+)(\/?)(?: ([a-z-]+))?\}/g, (all, word, fan, of) => {
    if (word === 'gone') return GONE;
    if (word === 'alive') return String(process.pid);
    if (word === 'left') return `.hydrant-${blobs.get(of).oid}.${GONE}.left.part`;
    if (word === 'theirs') return `.hydrant-${blobs.get(of).oid}.part`;
    if (word === 'state') return all;
    const { oid } = blobs.get(word);
    return fan ? `${oid.slice(0, 2)}/${oid}` : oid;
  });
}

/** Oids as the names of their blobs. */
function worded(verb, answer) {
  const name = (oid) => [...blobs.keys()].find((name) => blobs.get(name).oid === oid) ?? oid;
  if (verb === 'list') return Object.fromEntries(answer.map(([oid, size]) => [name(oid), size]).sort());
  return verb === 'verify' ? { ...answer, bad: answer.bad.map(name).sort() } : answer;
}

/** The bytes that a file has. */
function content(spec) {
  if (spec.text !== undefined) return Buffer.from(spec.text);
  const { bytes } = blobs.get(spec.of);
  const cut = Buffer.from(bytes.subarray(0, spec.to ?? bytes.length));
  if (spec.flip !== undefined) cut[spec.flip] ^= 1;
  return Buffer.concat([cut, Buffer.alloc(spec.more ?? 0)]);
}

async function put(path, given) {
  const spec = typeof given === 'string' ? { of: given } : given;
  await fs.mkdir(dirname(path), { recursive: true });
  if (spec.folder) await fs.mkdir(path, { recursive: true });
  else if (spec.link !== undefined) await fs.symlink(spec.link, path);
  else if (spec.pipe) execFileSync('mkfifo', [path]);
  else if (spec.grow !== undefined) await fs.appendFile(path, Buffer.alloc(spec.grow));
  else if (spec.cut !== undefined) await fs.truncate(path, spec.cut);
  else if (spec.of !== undefined || spec.text !== undefined) await fs.writeFile(path, content(spec));
  if (spec.mode !== undefined) await fs.chmod(path, parseInt(spec.mode, 8));
  if (spec.age !== undefined) {
    const then = Math.floor(Date.now() / 1000) - spec.age;
    await fs.utimes(path, then, then);
  }
  if (path.includes('{state}')) {
    const { ino, size, mtimeNs } = await fs.stat(path, { bigint: true });
    const state = [ino, size, mtimeNs / 1_000_000_000n].map((number) => number.toString(16)).join('.');
    const nanos = (mtimeNs % 1_000_000_000n).toString(16);
    await fs.rename(path, path.replace('{state}', `${state}-${nanos}.session`));
  }
}

/** How a file is not what is expected; nothing if it is. */
async function differs(path, given) {
  const spec = typeof given === 'string' ? { of: given } : given;
  const found = await fs.lstat(path).catch(() => undefined);
  if (spec === null) return found && 'it is there';
  if (!found) return 'it is not there';
  const mode = (found.mode & 0o777).toString(8);
  if (spec.mode !== undefined && mode !== spec.mode) return `mode ${mode}`;
  if (spec.folder) return found.isDirectory() ? undefined : 'no folder';
  if (spec.link !== undefined) {
    const link = await fs.readlink(path).catch(() => undefined);
    return link === spec.link ? undefined : `no such link: ${link}`;
  }
  if (spec.pipe) return found.isFIFO() ? undefined : 'no pipe';
  if (!found.isFile()) return 'no file';
  if (spec.any) return undefined;
  return content(spec).equals(await fs.readFile(path)) ? undefined : `other content, ${found.size} bytes`;
}

/** Everything under a folder that is none. */
async function walk(folder) {
  const entries = await fs.readdir(folder, { withFileTypes: true }).catch(() => []);
  const inside = entries.map((entry) => {
    const path = join(folder, entry.name);
    return entry.isDirectory() ? walk(path) : [path];
  });
  return (await Promise.all(inside)).flat();
}
