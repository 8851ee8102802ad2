// What other clients of Git LFS get wrong, measured: one test for each.

import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { within } from '../../tests/hosts/js/scene.mjs';
import { folder, load } from './package.mjs';
import { Peer, json } from './peer.mjs';
import { noise } from './stores/bytes.mjs';

const { hydrate } = await load('index');
const { upload, pointers } = await load('full');

const MIB = 1 << 20;
const BIG = 50 * 1_000_000;
/** Bytes by which the memory of a process may grow while it fetches ten blobs of 50 MB. Another client took 797 MB. */
const GROWTH_MAX = 150 * MIB;
const LOGIN = { user: 'me', password: 'mine' };

/** Runs a test with a small server. */
async function withPeer(test) {
  const peer = await Peer.open();
  try {
    await test(peer);
  } finally {
    await peer.close();
  }
}

/** Lets a server ask for uploads, and for a check of each, which it answers with a status. */
function takeUploads(peer, status) {
  peer.objects = (asked) => asked.map(({ oid, size }) => {
    const verify = { href: `${peer.origin}/verify`, header: { 'X-Verify': 'token' } };
    return { oid, size, actions: { upload: { href: `${peer.origin}/put/${oid}` }, verify } };
  });
  peer.takes = ({ method, path }, response) => {
    if (method === 'PUT') return Boolean(response.writeHead(200).end());
    return path === '/verify' && json(response, status, status === 200 ? {} : { message: 'it is not here' });
  };
}

const file = (bytes) => ({ name: 'file', body: new Blob([bytes]) });

test('an upload is verified, with oid and size as JSON', () => withPeer(async (peer) => {
  takeUploads(peer, 200);
  const bytes = noise(5000, 1);
  const [{ oid, size, error }] = await upload({ endpoint: peer.endpoint, files: [file(bytes)] });
  assert.equal(error, undefined);
  assert.equal(oid, createHash('sha256').update(bytes).digest('hex'));
  assert.equal(peer.asked('PUT', `/put/${oid}`).length, 1);
  const verifications = peer.asked('POST', '/verify');
  assert.equal(verifications.length, 1);
  const [{ body, headers }] = verifications;
  assert.deepEqual(JSON.parse(body), { oid, size });
  assert.equal(headers['content-type'], 'application/vnd.git-lfs+json');
  assert.equal(headers['x-verify'], 'token');
}));

test('a long file may take longer to go out than a server may be silent', (t) => withPeer(async (peer) => {
  const idleMax = 100_000;
  const clock = clockOf(t, idleMax);
  takeUploads(peer, 200);
  const { takes } = peer;
  peer.takes = async (request, response) => {
    if (request.method === 'PUT') clock.passes(1.5 * idleMax);
    return takes(request, response);
  };
  const retries = [];
  const given = { endpoint: peer.endpoint, files: [file(noise(4 * MIB, 1))], config: { idleMax, retriesMax: 0 } };
  const [{ error }] = await upload({ ...given, onRetry: (it) => retries.push(it) });
  assert.equal(error, undefined);
  assert.deepEqual(retries, []);
}));

/** Lets time pass when a test says so, for timers with one delay. */
function clockOf(t, delay) {
  const timers = new Map();
  const { setTimeout, clearTimeout } = globalThis;
  const now = performance.now.bind(performance);
  let passed = 0;
  performance.now = () => now() + passed;
  globalThis.setTimeout = (call, ms, ...given) => {
    const timer = setTimeout(call, ms, ...given);
    if (ms === delay) timers.set(timer, call);
    return timer;
  };
  globalThis.clearTimeout = (timer) => {
    timers.delete(timer);
    clearTimeout(timer);
  };
  t.after(() => {
    Object.assign(globalThis, { setTimeout, clearTimeout });
    delete performance.now;
  });
  return {
    passes(ms) {
      passed += ms;
      const due = [...timers];
      timers.clear();
      for (const [timer, call] of due) {
        clearTimeout(timer);
        call();
      }
    },
  };
}

test('an upload that the server does not verify has failed', () => withPeer(async (peer) => {
  takeUploads(peer, 422);
  const [{ error }] = await upload({ endpoint: peer.endpoint, files: [file(noise(5000, 1))] });
  assert.equal(peer.asked('PUT').length, 1);
  assert.equal(peer.asked('POST', '/verify').length, 1);
  assert.equal(error.name, 'HydrantError');
  assert.equal(error.code, 'rejected');
}));

test('a body of the right length with a wrong byte is refused, and not kept', () => withPeer(async (peer) => {
  const bytes = noise(5000, 2);
  const want = peer.give(bytes);
  peer.blobs.set(want.oid, bytes.with(2500, bytes[2500] ^ 1));
  const { MemoryStore } = await load('index');
  const store = new MemoryStore();
  const options = { endpoint: peer.endpoint, wants: [want], store };
  const [wrong] = await hydrate(options);
  assert.equal(wrong.error.code, 'integrity');
  await assert.rejects(wrong.bytes(), { code: 'integrity' });
  assert.deepEqual(await store.list(), []);
  peer.blobs.set(want.oid, bytes);
  const [right] = await hydrate(options);
  assert.deepEqual(await right.bytes(), bytes);
}));

test('the login of the endpoint does not go to the storage, for GET, PUT and verify', () => withPeer(async (peer) => {
  await withPeer(async (storage) => {
    const want = storage.give(noise(5000, 3));
    peer.storage = storage.origin;
    const [got] = await hydrate({ endpoint: peer.endpoint, login: LOGIN, wants: [want] });
    assert.equal(got.error, undefined);
    takeUploads(storage, 200);
    peer.objects = storage.objects;
    const [sent] = await upload({ endpoint: peer.endpoint, login: LOGIN, files: [file(noise(6000, 4))] });
    assert.equal(sent.error, undefined);
    assert.deepEqual(storage.requests.map(({ method, login }) => [method, login]), [
      ['GET', undefined], ['PUT', undefined], ['POST', undefined],
    ]);
    const basic = `Basic ${btoa('me:mine')}`;
    assert.deepEqual(peer.requests.map(({ login }) => login), [basic, basic]);
  });
}));

test('a pointer is written as git-lfs writes it, to the byte', () => {
  const oid = 'ab'.repeat(32);
  const written = pointers.format({ oid, size: 12345n, extensions: [], canonical: true });
  const text = `version https://git-lfs.github.com/spec/v1\noid sha256:${oid}\nsize 12345\n`;
  assert.equal(written, text);
  const head = new TextEncoder().encode(written);
  const { tag, val } = pointers.classify({ head, fileSize: head.length });
  assert.deepEqual([tag, val.canonical], ['pointer', true]);
  const extensions = [{ priority: 1, name: 'b', oid }, { priority: 0, name: 'a', oid: 'cd'.repeat(32) }];
  const extended = pointers.format({ oid, size: 1n, extensions, canonical: true });
  assert.equal(extended, 'version https://git-lfs.github.com/spec/v1\n' +
    `ext-0-a sha256:${'cd'.repeat(32)}\next-1-b sha256:${oid}\noid sha256:${oid}\nsize 1\n`);
});

test('250 objects are asked for in 3 requests', () => withPeer(async (peer) => {
  const wants = Array.from({ length: 250 }, (_, at) => peer.give(noise(100, at), `file ${at}`));
  const held = await hydrate({ endpoint: peer.endpoint, wants });
  assert.deepEqual(held.filter(({ error }) => error), []);
  const sizes = peer.asked('POST').map(({ body }) => JSON.parse(body).objects.length);
  assert.deepEqual(sizes, [100, 100, 50]);
  assert.equal(peer.asked('GET').length, 250);
}));

test('ten blobs of 50 MB fit into little memory', () => within((place) => withPeer(async (peer) => {
  const rest = Buffer.alloc(BIG - 1, 7);
  const wants = [];
  for (let first = 0; first < 10; first += 1) {
    const oid = createHash('sha256').update(Buffer.of(first)).update(rest).digest('hex');
    wants.push({ name: String(first), oid, size: BIG });
  }
  peer.takes = ({ method, path }, response) => {
    const at = wants.findIndex(({ oid }) => path.endsWith(oid));
    if (method !== 'GET' || at < 0) return false;
    response.writeHead(200, { 'content-length': BIG });
    response.write(Buffer.of(at));
    response.end(rest);
    return true;
  };
  const script = fileURLToPath(new URL('memory.mjs', import.meta.url));
  const task = { package: folder, endpoint: peer.endpoint, folder: `${place.folder}/cache`, wants };
  const child = place.run(process.execPath, [script, JSON.stringify(task)]);
  await child.ended;
  const { errors, growth, bytes } = JSON.parse(child.said);
  assert.deepEqual(errors, []);
  assert.equal(bytes, 10 * BIG, 'all of it is kept');
  console.log(`${Math.round(growth / MIB)} MiB`);
  assert.ok(growth < GROWTH_MAX, `${Math.round(growth / MIB)} MiB`);
})));
