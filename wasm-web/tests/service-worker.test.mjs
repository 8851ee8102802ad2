// The handler for service workers, by events that a test makes: what both modes have in common, and ranges.
// `stream-through.test.mjs` has the rest of that mode, `answering.test.mjs` the main paths in a browser.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { until, within } from '../../tests/hosts/js/scene.mjs';
import {
  BYTES, HydrantError, MemoryStore, answering, asked, bytesOf, fetched, hydrate, published, wrong,
} from './answering/asked.mjs';

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
  for (const range of [`bytes=${BYTES}-`, `bytes=${BYTES}-${BYTES + 1}`, 'bytes=-0']) {
    const response = await asked(handler, { headers: { range } });
    assert.deepEqual([response.status, response.headers.get('content-range')], [416, `bytes */${BYTES}`], range);
    assert.equal((await bytesOf(response)).length, 0);
  }
  // What is no range, several of them, and a range of what the page had before: all bytes.
  const others = [{ range: 'bytes=0-1,5-6' }, { range: 'lines=1-2' }, { range: 'bytes=-' }, { range: 'bytes=5-2' }];
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
    assert.deepEqual(await refused({ find: () => { throw new Error('planted'); } }), [502, 'host']);
    assert.deepEqual(await refused({ find: () => { throw undefined; } }), [502, 'host']);
    const unsupported = Promise.reject(new DOMException('no', 'NotSupportedError'));
    assert.deepEqual(await refused({ store: unsupported }), [502, 'host']);
    const late = Promise.reject(new HydrantError({ code: 'busy', detail: 'later' }));
    assert.deepEqual(await refused({ endpoint: late }), [503, 'busy']);
  }));

  test(`${mode}: a store or an endpoint that cannot be had is told once somebody asks`, () => within(async (place) => {
    const { given } = await published(place, { mode }, 10);
    const turn = () => new Promise((resolve) => setImmediate(resolve));
    for (const what of ['store', 'endpoint']) {
      const handler = answering({ ...given, [what]: Promise.reject(new DOMException('no', 'SecurityError')) });
      // An error that nobody hears ends Node, and fails this test.
      await turn();
      for (const _ of ['the first', 'the next']) {
        const response = await asked(handler);
        assert.deepEqual([response.status, response.headers.get('hydrant-code')], [502, 'host'], what);
      }
      await turn();
    }
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

/** Runs a test where a page that asked is still there. `looks` are the timers that look for it, `begun` of them all. */
async function withPage(test) {
  const { clients, setInterval, clearInterval } = globalThis;
  const looks = new Set();
  looks.begun = 0;
  Object.assign(globalThis, {
    clients: { get: async () => ({}) },
    setInterval(...given) {
      const timer = setInterval(...given);
      looks.begun += 1;
      looks.add(timer);
      return timer;
    },
    clearInterval(timer) {
      looks.delete(timer);
      clearInterval(timer);
    },
  });
  try {
    await test(looks);
  } finally {
    looks.forEach(clearInterval);
    Object.assign(globalThis, { clients, setInterval, clearInterval });
  }
}

for (const mode of ['verify-first', 'stream-through']) {
  test(`${mode}: once an answer ended, nobody looks for its page any more`, () => within(async (place) => {
    const { given } = await published(place, { mode });
    const broken = Object.assign(new MemoryStore(), { has: () => Promise.reject(new Error('planted')) });
    const ends = {
      'a file that is not there': [{ find: () => ({ oid: '0'.repeat(64), size: 5 }) }, 404],
      'a store that is broken': [{ store: broken }, 502],
      'a file that comes': [{}, 200],
      'a file that is held': [{}, 200],
    };
    await withPage(async (looks) => {
      for (const [what, [options, status]] of Object.entries(ends)) {
        const response = await asked(answering({ ...given, ...options }), { clientId: 'page' });
        await bytesOf(response);
        await Promise.all(response.waits);
        assert.equal(response.status, status, what);
        assert.equal(looks.size, 0, what);
      }
      assert.ok(looks.begun >= 3, 'it was looked for');
    });
  }));
}

test('there are no other modes', () => {
  assert.throws(() => answering({ hydrate, find() {}, mode: 'fast' }), TypeError);
});
