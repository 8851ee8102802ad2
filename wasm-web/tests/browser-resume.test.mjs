// Connections that break in a page: in Chromium, against servers of another origin.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { Scene } from './browser/chromium.mjs';
import { OPEN_TO_PAGES, begin } from './peer.mjs';
import { noise } from './stores/bytes.mjs';

const SIZE = 600_000;
const HALF = SIZE / 2;
const config = { retriesMax: 3, retryDelayMax: 1n };
const BROKEN = /net::ERR_|blocked by CORS policy|status of 404/;

let scene;
before(async () => (scene = await Scene.open()));
after(() => scene?.close());

/** Runs a test with a page and an object whose first answer breaks off. */
function withBreak(headers, test, kind = 'MemoryStore') {
  return () => scene.within(async (own) => {
    own.allow(BROKEN);
    const [page, peer] = [await own.page(), await own.peer()];
    const want = peer.give(noise(SIZE, 4));
    peer.headers = () => headers;
    // What a page did not read yet is lost with the connection: it breaks once something was written.
    let write;
    const written = new Promise((resolve) => (write = resolve));
    await page.exposeFunction('onHydrantWrite', () => write());
    let isBroken = false;
    peer.takes = async ({ method }, response) => {
      if (method !== 'GET' || isBroken) return false;
      isBroken = true;
      await begin(response, peer.blobs.get(want.oid), HALF, headers);
      await written;
      response.socket.end();
      return true;
    };
    const asked = { endpoint: peer.endpoint, wants: [want], config, tells: kind };
    const hydrated = () => own.ask(page, 'page', 'hydrated', asked);
    await test({ own, page, peer, want, hydrated });
  });
}

/** What the objects were asked for with. */
const parts = (peer) => peer.asked('GET').map(({ headers }) => [headers.range, headers['if-range']]);
const REST = new RegExp(`^bytes=([1-9][0-9]*)-${SIZE - 1}$`);
const STRONG = { etag: '"strong"', 'access-control-expose-headers': 'etag' };

for (const kind of ['MemoryStore', 'OpfsStore']) {
  test(`${kind}: with a strong ETag the rest is asked for, on condition`, withBreak(STRONG, async (given) => {
    const { peer, want, hydrated } = given;
    const { files, retries } = await hydrated();
    assert.deepEqual(files, [{ name: 'file', oid: want.oid }]);
    assert.equal(retries.length, 1);
    const [first, [range, condition]] = parts(peer);
    assert.deepEqual(first, [undefined, undefined]);
    assert.match(range, REST);
    assert.equal(condition, '"strong"');
  }, kind));
}

test('a server may say which part it is, or not', withBreak({
  ...STRONG, 'access-control-expose-headers': 'etag, content-range',
}, async ({ peer, want, hydrated }) => {
  const { files, retries } = await hydrated();
  assert.deepEqual(files, [{ name: 'file', oid: want.oid }]);
  assert.equal(retries.length, 1);
  assert.equal(parts(peer).length, 2);
}));

test('if it is another body by then, all of it comes', withBreak(STRONG, async ({ peer, want, hydrated }) => {
  peer.headers = () => ({ ...STRONG, etag: '"another"' });
  const { files } = await hydrated();
  assert.deepEqual(files, [{ name: 'file', oid: want.oid }]);
  assert.equal(parts(peer)[1][1], '"strong"');
  assert.equal(parts(peer).length, 2);
}));

const DATE = 'Wed, 01 Jan 2025 00:00:00 GMT';
for (const [what, headers, condition] of [
  ['a weak ETag is no condition', { etag: 'W/"weak"', 'access-control-expose-headers': 'etag' }, undefined],
  ['an ETag that a page may not read is none', { etag: '"hidden"' }, undefined],
  ['Last-Modified is one', { 'last-modified': DATE }, DATE],
]) {
  // Without a condition the digest alone proves that both parts belong together.
  test(`${what}: the rest is asked for and proved`, withBreak(headers, async ({ peer, want, hydrated }) => {
    const { files } = await hydrated();
    assert.deepEqual(files, [{ name: 'file', oid: want.oid }]);
    assert.match(parts(peer)[1][0], REST);
    assert.equal(parts(peer)[1][1], condition);
    assert.equal(parts(peer).length, 2);
  }));
}

test('without a condition, a rest that does not fit is found out, and all of it comes', withBreak({}, async (given) => {
  const { peer, want, hydrated } = given;
  const other = noise(SIZE, 5);
  const breaks = peer.takes;
  peer.takes = async (seen, response) => {
    if (await breaks(seen, response)) return true;
    if (seen.method !== 'GET' || seen.headers.range === undefined) return false;
    const from = Number(REST.exec(seen.headers.range)[1]);
    const range = `bytes ${from}-${SIZE - 1}/${SIZE}`;
    response.writeHead(206, { 'content-range': range, 'content-length': SIZE - from }).end(other.subarray(from));
    return true;
  };
  const { files, retries } = await hydrated();
  assert.deepEqual(files, [{ name: 'file', oid: want.oid }]);
  assert.match(retries[1].detail, /^expected [0-9a-f]{64} of 600000 bytes, received /);
  assert.deepEqual(parts(peer).map(([range]) => range !== undefined), [false, true, false]);
}));

test('a server that allows pages to GET, but no If-Range, gives all of it again', withBreak(STRONG, async (given) => {
  const { peer, want, hydrated } = given;
  peer.cors = { ...OPEN_TO_PAGES, 'access-control-allow-headers': 'content-type' };
  const { files } = await hydrated();
  assert.deepEqual(files, [{ name: 'file', oid: want.oid }]);
  assert.deepEqual(parts(peer), [[undefined, undefined], [undefined, undefined]]);
  assert.equal(peer.asked('OPTIONS', '/blobs/').length, 1, 'the rest was asked for');
}));

test('the network goes and comes back', () => scene.within(async (own) => {
  own.allow(BROKEN);
  const [page, peer] = [await own.page(), await own.peer()];
  const want = peer.give(noise(SIZE, 6));
  let isHalf = false;
  let write;
  const written = new Promise((resolve) => (write = resolve));
  await page.exposeFunction('onHydrantWrite', () => write());
  peer.headers = () => STRONG;
  peer.takes = async ({ method }, response) => {
    if (method !== 'GET' || isHalf) return false;
    isHalf = true;
    await begin(response, peer.blobs.get(want.oid), HALF, STRONG);
    return true;
  };
  // Back again once the page heard that it is gone.
  let retry;
  const retried = new Promise((resolve) => (retry = resolve));
  await page.exposeFunction('onHydrantRetry', () => retry());
  const patient = { retriesMax: 8, retryDelayMax: 500n };
  const asked = { endpoint: peer.endpoint, wants: [want], config: patient, tells: 'MemoryStore' };
  const ended = own.ask(page, 'page', 'hydrated', asked);
  await written;
  await own.offline(true);
  // Chromium leaves connections that are open: this one ends as it would without a network.
  peer.drop();
  await retried;
  assert.equal(await page.evaluate(() => navigator.onLine), false);
  await own.offline(false);
  const { files, retries } = await ended;
  assert.deepEqual(files, [{ name: 'file', oid: want.oid }]);
  assert.ok(retries.length >= 1);
  assert.match(parts(peer).at(-1)[0], REST);
}));
