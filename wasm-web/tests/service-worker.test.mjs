// The handler for service workers, by events that a test makes. `answering.test.mjs` has it in a browser.

import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { pathToFileURL } from 'node:url';
import { digest, until, within } from '../../tests/hosts/js/scene.mjs';
import { folder, load } from './package.mjs';

const { HydrantError, MemoryStore, hydrate } = await load('index');
const { upload } = await load('full');
const { answering } = await import(pathToFileURL(join(folder, 'service-worker.js')));

const PAGE = 'https://page.example';
const BYTES = 3_000_000;

/** A server with a file of this size, and a handler for it. */
async function published(place, options, size = BYTES) {
  const server = await place.server('--open');
  const [file] = await place.files(size);
  const bytes = new Uint8Array(await readFile(file.name));
  const [{ error }] = await upload({ endpoint: server.endpoint, files: [{ name: 'file', body: new Blob([bytes]) }] });
  assert.equal(error, undefined);
  server.requests.length = 0;
  const want = { oid: file.oid, size, type: 'image/png' };
  const store = new MemoryStore();
  const find = (url) => url.pathname === '/lfs/file' && want;
  const given = { hydrate, endpoint: server.endpoint, store, find, ...options };
  return { server, bytes, want, store, given, handler: answering(given) };
}

/** What a handler answers; nothing if it leaves the request to the browser. */
async function asked(handler, { path = '/lfs/file', headers, signal, method } = {}) {
  let answer;
  const waits = [];
  handler({
    request: new Request(`${PAGE}${path}`, { headers, signal, method }),
    respondWith: (response) => (answer = response),
    waitUntil: (promise) => waits.push(promise),
  });
  const response = await answer;
  return response && Object.assign(response, { waits });
}

const bytesOf = async (response) => new Uint8Array(await response.arrayBuffer());

/** How many objects were fetched. */
const fetched = (server) => server.asked('GET').length;

/** Reads what comes before a stream ends or breaks: the bytes, and the error. */
async function read(response) {
  const pieces = [];
  try {
    for await (const piece of response.body) pieces.push(piece);
  } catch (error) {
    return { bytes: Buffer.concat(pieces), error };
  }
  return { bytes: Buffer.concat(pieces) };
}

/** Changes one byte of what is fetched. */
async function* wrong(body) {
  let isFirst = true;
  for await (const piece of body) {
    if (isFirst) piece[0] ^= 1;
    isFirst = false;
    yield piece;
  }
}

test('a file, once from the server and then from the store', () => within(async (place) => {
  const { server, bytes, want, handler } = await published(place);
  for (const _ of ['the server', 'the store']) {
    const response = await asked(handler);
    assert.equal(response.status, 200);
    assert.equal(response.headers.get('content-type'), 'image/png');
    assert.equal(response.headers.get('content-length'), String(BYTES));
    assert.equal(response.headers.get('etag'), `"${want.oid}"`);
    assert.equal(response.headers.get('x-content-type-options'), 'nosniff');
    assert.deepEqual(await bytesOf(response), bytes);
  }
  assert.equal(fetched(server), 1);
}));

test('what is none of ours is left to the browser', () => within(async (place) => {
  const { handler } = await published(place);
  assert.equal(await asked(handler, { path: '/other' }), undefined);
  assert.equal(await asked(handler, { method: 'POST' }), undefined);
}));

test('ranges', () => within(async (place) => {
  const { bytes, want, handler } = await published(place);
  const last = BYTES - 1;
  const ranges = [
    ['bytes=0-9', 0, 9], ['bytes=1000-70000', 1000, 70_000], [`bytes=${last}-`, last, last], ['bytes=0-', 0, last],
    ['bytes=-5', BYTES - 5, last], [`bytes=-${BYTES + 7}`, 0, last], [`bytes=${last}-${BYTES + 9}`, last, last],
  ];
  for (const [range, from, to] of ranges) {
    const response = await asked(handler, { headers: { range } });
    assert.equal(response.status, 206, range);
    assert.equal(response.headers.get('content-range'), `bytes ${from}-${to}/${BYTES}`);
    assert.equal(response.headers.get('content-length'), String(to - from + 1));
    assert.deepEqual(await bytesOf(response), bytes.slice(from, to + 1), range);
  }
  for (const range of [`bytes=${BYTES}-`, `bytes=${BYTES}-${BYTES + 1}`, 'bytes=-0', 'bytes=5-2']) {
    const response = await asked(handler, { headers: { range } });
    assert.deepEqual([response.status, response.headers.get('content-range')], [416, `bytes */${BYTES}`], range);
    assert.equal((await bytesOf(response)).length, 0);
  }
  // What is no range, several of them, and a range of what the page had before: all bytes.
  const others = [{ range: 'bytes=0-1,5-6' }, { range: 'lines=1-2' }, { range: 'bytes=-' }];
  for (const headers of [...others, { range: 'bytes=0-9', 'if-range': '"another"' }]) {
    const response = await asked(handler, { headers });
    assert.deepEqual([response.status, (await bytesOf(response)).length], [200, BYTES], JSON.stringify(headers));
  }
  const same = await asked(handler, { headers: { range: 'bytes=0-9', 'if-range': `"${want.oid}"` } });
  assert.equal(same.status, 206);
}));

test('verify-first gives no byte of a wrong file', () => within(async (place) => {
  const { server, handler } = await published(place);
  server.change = wrong;
  for (const headers of [{}, { range: 'bytes=0-9' }]) {
    const response = await asked(handler, { headers });
    assert.deepEqual([response.status, response.headers.get('hydrant-code')], [502, 'integrity']);
    assert.match(response.headers.get('content-type'), /^text\/plain/);
    assert.ok((await bytesOf(response)).length < 500, 'a sentence');
  }
}));

for (const mode of ['verify-first', 'stream-through']) {
  test(`${mode}: what cannot be had has a status and a code`, () => within(async (place) => {
    const gone = { oid: '0'.repeat(64), size: 5 };
    const { given } = await published(place, { mode }, 10);
    const refused = async (options) => {
      const response = await asked(answering({ ...given, ...options }));
      return [response.status, response.headers.get('hydrant-code')];
    };
    assert.deepEqual(await refused({ find: () => gone }), [404, 'missing']);
    assert.deepEqual(await refused({ find: async () => gone }), [404, 'missing']);
    assert.deepEqual(await refused({ find: () => ({ ...gone, oid: 'x' }) }), [502, 'malformed']);
    assert.deepEqual(await refused({ find: () => Promise.reject(new Error('planted')) }), [502, 'host']);
    assert.deepEqual(await refused({ store: Promise.reject(new DOMException('no', 'NotSupportedError')) }), [502, 'host']);
    const late = Promise.reject(new HydrantError({ code: 'busy', detail: 'later' }));
    assert.deepEqual(await refused({ endpoint: late }), [503, 'busy']);
  }));

  test(`${mode}: two requests at once fetch once`, () => within(async (place) => {
    const { server, bytes, handler } = await published(place, { mode });
    const both = await Promise.all([asked(handler), asked(handler)]);
    for (const response of both) assert.deepEqual(await bytesOf(response), bytes);
    assert.equal(fetched(server), 1);
  }));

  test(`${mode}: a page that goes away ends the transfer`, () => within(async (place) => {
    const { server, bytes, handler } = await published(place, { mode });
    const release = server.holdFirst(100_000);
    const controller = new AbortController();
    const answer = asked(handler, { signal: controller.signal });
    await until('the file is asked for', () => fetched(server) === 1);
    if (mode === 'stream-through') (await answer).body.getReader();
    controller.abort();
    const response = await answer;
    await Promise.all(response.waits);
    if (mode === 'verify-first') assert.equal(response.headers.get('hydrant-code'), 'unfinished');
    // Nobody waits for the one that is gone.
    assert.deepEqual(await bytesOf(await asked(handler)), bytes);
    release();
  }));
}

test('there are no other modes', () => {
  assert.throws(() => answering({ hydrate, find() {}, mode: 'fast' }), TypeError);
});

test('stream-through gives bytes before the transfer ends', () => within(async (place) => {
  const { server, bytes, store, want, handler } = await published(place, { mode: 'stream-through' });
  const release = server.holdFirst(200_000);
  const response = await asked(handler);
  assert.deepEqual([response.status, response.headers.get('content-length')], [200, String(BYTES)]);
  const reader = response.body.getReader();
  let arrived = 0;
  while (arrived < 100_000) {
    const { value } = await reader.read();
    assert.deepEqual(value, bytes.slice(arrived, arrived + value.length));
    arrived += value.length;
  }
  assert.notEqual(await store.has(want.oid, BYTES), true, 'it is not proved');
  release();
  for (;;) {
    const { done, value } = await reader.read();
    if (done) break;
    arrived += value.length;
  }
  assert.equal(arrived, BYTES);
  assert.equal(await store.has(want.oid, BYTES), true);
  assert.deepEqual(await bytesOf(await asked(handler)), bytes);
  assert.equal(fetched(server), 1);
}));

test('stream-through answers a player, which asks for all bytes as a range', () => within(async (place) => {
  const { server, bytes, handler } = await published(place, { mode: 'stream-through' });
  const release = server.holdFirst(200_000);
  const response = await asked(handler, { headers: { range: 'bytes=0-' } });
  assert.deepEqual([response.status, response.headers.get('content-range')], [206, `bytes 0-${BYTES - 1}/${BYTES}`]);
  release();
  assert.deepEqual(await bytesOf(response), bytes);
}));

test('stream-through breaks off before the end of a wrong file', () => within(async (place) => {
  const { server, store, want, handler } = await published(place, { mode: 'stream-through' });
  server.change = wrong;
  const { bytes, error } = await read(await asked(handler));
  // It is fetched once more, and what was given cannot be taken back.
  assert.equal(error.code, 'busy');
  assert.ok(bytes.length > 0 && bytes.length < BYTES, `${bytes.length} bytes`);
  assert.notEqual(await store.has(want.oid, BYTES), true);
}));

test('stream-through gives no byte of a wrong file that comes in one piece', () => within(async (place) => {
  const { server, handler } = await published(place, { mode: 'stream-through' }, 10);
  server.change = wrong;
  const response = await asked(handler);
  assert.deepEqual([response.status, response.headers.get('hydrant-code')], [502, 'integrity']);
}));

test('stream-through goes on after a connection that broke', () => within(async (place) => {
  const { server, bytes, handler } = await published(place, { mode: 'stream-through' });
  let isBroken = false;
  server.change = async function* (body) {
    let passed = 0;
    for await (const piece of body) {
      yield piece;
      passed += piece.length;
      if (passed > 500_000 && !isBroken) {
        isBroken = true;
        throw new Error('broken');
      }
    }
  };
  assert.deepEqual(await bytesOf(await asked(handler)), bytes);
  assert.equal(fetched(server), 2);
}));

test('stream-through goes on with what an earlier page began', () => within(async (place) => {
  const { server, bytes, store, want, handler } = await published(place, { mode: 'stream-through' });
  const release = server.holdFirst(500_000);
  const first = await asked(handler);
  const reader = first.body.getReader();
  for (let arrived = 0; arrived < 300_000;) arrived += (await reader.read()).value.length;
  await reader.cancel();
  await Promise.all(first.waits);
  const { blob } = await store.has(want.oid, BYTES);
  assert.ok(blob.size >= 300_000, 'the beginning is there');
  assert.deepEqual(await bytesOf(await asked(handler)), bytes);
  assert.ok(server.asked('GET')[1].range, 'by a range');
  release();
}));

test('stream-through gives no end to what began as something else', () => within(async (place) => {
  const { server, store, want, bytes, handler } = await published(place, { mode: 'stream-through' });
  let isFirst = true;
  // Wrong bytes come first, and break off. Meanwhile somebody else brings the file.
  server.change = async function* (body) {
    if (!isFirst) return yield* body;
    isFirst = false;
    let passed = 0;
    for await (const piece of wrong(body)) {
      yield piece;
      passed += piece.length;
      if (passed < 500_000) continue;
      const stage = await store.stage('another', want);
      await stage.write(bytes);
      await stage.close();
      await store.keep('another', want.oid);
      throw new Error('broken');
    }
  };
  const { bytes: given, error } = await read(await asked(handler));
  assert.ok(given.length < BYTES);
  assert.equal(error.code, 'busy');
  assert.deepEqual(await bytesOf(await asked(handler)), bytes, 'the next time it is right');
}));

test('stream-through: a page that stops reading holds up nobody', () => within(async (place) => {
  const size = 12_000_000;
  const { server, bytes, handler } = await published(place, { mode: 'stream-through' }, size);
  const idle = await asked(handler);
  const range = await asked(handler, { headers: { range: `bytes=${size - 5}-` } });
  assert.deepEqual(await bytesOf(range), bytes.slice(-5));
  assert.deepEqual(await bytesOf(idle), bytes, 'and gets everything once it reads on');
  assert.equal(fetched(server), 1);
}));

test('stream-through takes stores that only do what they must', () => within(async (place) => {
  const { bytes, store, want, handler } = await published(place, {
    mode: 'stream-through',
    store: (() => {
      const store = new MemoryStore();
      const bare = {};
      for (const name of ['has', 'stage', 'keep', 'drop', 'open']) bare[name] = (...given) => store[name](...given);
      return bare;
    })(),
  });
  assert.deepEqual(await bytesOf(await asked(handler)), bytes);
  assert.equal(await store.has(want.oid, BYTES), undefined, 'it is in the other one');
  assert.equal(digest(bytes), want.oid);
}));
