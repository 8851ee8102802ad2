// What tests need around a host: a folder that goes away, files, a real server behind a proxy, other processes. All of
// it is on loopback, has a port of its own, and is ended by its number.

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { mkdir, mkdtemp, readFile, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { createServer, request as ask } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { pipeline } from 'node:stream/promises';
import { fileURLToPath } from 'node:url';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { instantiate, target } from './component.mjs';
import { open } from './host.mjs';

/** Milliseconds that anything here may take before it counts as broken. */
const PATIENCE_MS = 120_000;
/** The command. */
export const HYDRANT = process.env.HYDRANT_BIN ?? join(target, 'release', 'hydrant');

/** Runs a test in a place of its own, and clears it away. */
export async function within(test) {
  const place = new Place(await mkdtemp(join(tmpdir(), 'hydrant-js-')));
  let timer;
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error(`the test hangs: not within ${PATIENCE_MS} ms`)), PATIENCE_MS);
  });
  try {
    await Promise.race([test(place), late]);
  } finally {
    clearTimeout(timer);
    await place.leave();
  }
}

/** Waits until something is so. */
export async function until(what, isSo) {
  const end = Date.now() + PATIENCE_MS;
  while (!(await isSo())) {
    assert.ok(Date.now() < end, `${what}: not within ${PATIENCE_MS} ms`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

class Place {
  #ends = [];

  constructor(folder) {
    this.folder = folder;
    /** Where the host keeps blobs. */
    this.cache = join(folder, 'cache');
  }

  async leave() {
    for (const end of this.#ends.reverse()) await end();
    await rm(this.folder, { recursive: true, force: true });
  }

  /** A host of this process, with a component of its own. */
  async host(options) {
    return open({ component: await instantiate(), folder: this.cache, ...options });
  }

  /** Files of random bytes, as `upload` and `hydrate` take them. */
  async files(...sizes) {
    await mkdir(join(this.folder, 'files'), { recursive: true });
    const file = async (size, number) => {
      const name = join(this.folder, 'files', `${number}-${size}`);
      const bytes = randomBytes(size);
      await writeFile(name, bytes);
      return { name, oid: digest(bytes), size };
    };
    return Promise.all(sizes.map(file));
  }

  /** Whether the cache holds exactly these bytes. */
  async holds({ oid }) {
    return digest(await readFile(join(this.cache, oid))) === oid;
  }

  /** Names of stages that have bytes. */
  async stages() {
    const folder = join(this.cache, 'stages');
    const names = await readdir(folder).catch(() => []);
    const sizes = await Promise.all(names.map((name) => stat(join(folder, name)).then(({ size }) => size, () => 0)));
    return names.filter((_, at) => sizes[at] > 0);
  }

  /** `hydrant serve` with these options more, behind a proxy that writes down every request. */
  async server(...options) {
    const proxy = new Proxying();
    const authority = await this.listen((request, response) => proxy.pass(request, response));
    const store = join(this.folder, 'store');
    const listen = ['--listen', '127.0.0.1:0', '--public-host', authority];
    const child = this.run(HYDRANT, ['serve', '--json', '--store', store, ...listen, ...options]);
    await until('the server speaks', () => child.said.includes('}'));
    const { url, user, token } = JSON.parse(child.said);
    proxy.port = Number(new URL(url).port);
    return Object.assign(proxy, { endpoint: `http://${authority}/repository`, login: { user, password: token } });
  }

  /** A server of a few lines; its authority. */
  async listen(serve) {
    const server = createServer(serve);
    await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
    this.#ends.push(async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    });
    return `127.0.0.1:${server.address().port}`;
  }

  /** Another process with a host on the same cache. */
  hydrateElsewhere(server, wants) {
    const script = fileURLToPath(new URL('elsewhere.mjs', import.meta.url));
    const flags = 'Deno' in globalThis ? ['run', '--allow-all', '--no-check'] : [];
    const task = { endpoint: server.endpoint, login: server.login, folder: this.cache, wants };
    return this.run(process.execPath, [...flags, script, JSON.stringify(task)]);
  }

  /** A process that is gone with the place. */
  run(program, given) {
    const child = spawn(program, given, { stdio: ['ignore', 'pipe', 'inherit'] });
    const running = { pid: child.pid, said: '', ended: new Promise((resolve) => child.once('close', resolve)) };
    running.kill = () => child.kill('SIGKILL');
    child.once('error', (error) => running.said += `} ${error.message}`);
    child.stdout.on('data', (bytes) => (running.said += bytes));
    this.#ends.push(async () => {
      running.kill();
      await running.ended;
    });
    return running;
  }
}

/** Passes requests on, writes them down, and may do something to what is fetched. */
class Proxying {
  /** Every request: its method, path, range, length and login. */
  requests = [];
  /** Gives the body of a GET another form: takes a stream, returns one. */
  change = (body) => body;
  /** Whether a request is left without an answer. */
  breaks = () => false;

  async pass(request, response) {
    const { method, url, headers } = request;
    const { range, authorization: login, 'content-length': length } = headers;
    const seen = { method, path: url, range, length, login };
    this.requests.push(seen);
    if (this.breaks(seen)) return response.destroy();
    const forward = ask({ host: '127.0.0.1', port: this.port, method, path: url, headers });
    forward.on('error', () => response.destroy());
    forward.on('response', (answer) => {
      response.writeHead(answer.statusCode, answer.headers);
      const body = method === 'GET' ? this.change(answer) : answer;
      pipeline(body, response).catch(() => response.destroy());
    });
    response.on('close', () => forward.destroy());
    pipeline(request, forward).catch(() => response.destroy());
  }

  /** What was asked with a method. */
  asked(method) {
    return this.requests.filter((request) => request.method === method);
  }

  /** Lets this many bytes of the first body through, and then no more until it is released. */
  holdFirst(bytes) {
    let release;
    const released = new Promise((resolve) => (release = resolve));
    let first = true;
    this.change = (body) => {
      if (!first) return body;
      first = false;
      return (async function* () {
        let passed = 0;
        for await (const piece of body) {
          yield piece;
          passed += piece.length;
          if (passed >= bytes) await released;
        }
      })();
    };
    return release;
  }

  /** Lets no body through before so many are asked for. */
  gather(number) {
    let open;
    let waiting = 0;
    const all = new Promise((resolve) => (open = resolve));
    this.change = async function* (body) {
      waiting += 1;
      if (waiting === number) open();
      await all;
      yield* body;
    };
  }
}

/** Collects garbage: what nobody holds is gone afterwards. */
export async function collect() {
  if (!('Bun' in globalThis)) setFlagsFromString('--expose-gc');
  const gc = 'Bun' in globalThis ? globalThis.Bun.gc : runInNewContext('gc');
  for (let times = 0; times < 3; times += 1) {
    await new Promise((resolve) => setTimeout(resolve, 1));
    gc(true);
  }
}

/** What these bytes hash to. */
export function digest(bytes) {
  return createHash('sha256').update(bytes).digest('hex');
}

/** Fails unless everything ended well. */
export function allWell(report) {
  const bad = report.outcomes.filter(({ ended }) => ended.tag !== 'ok');
  assert.deepEqual(bad, []);
  assert.equal(report.ended.tag, 'ok');
}
