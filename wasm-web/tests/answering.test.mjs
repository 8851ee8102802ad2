// The handler for service workers in Chromium, behind a real service worker.

import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { after, before, test } from 'node:test';
import { digest, until, within } from '../../tests/hosts/js/scene.mjs';
import { Scene } from './browser/chromium.mjs';
import { load } from './package.mjs';
import { sound } from './browser/sound.mjs';

const BYTES = 3_000_000;
const SECONDS = 30;
const KINDS = ['CacheStore', 'OpfsStore'];
const MODES = ['verify-first', 'stream-through'];

let scene;
before(async () => (scene = await Scene.open()));
after(() => scene?.close());

/** A test with a page behind a service worker, and with a server that it asks for `large` and `sound`. */
function answered(kind, test) {
  return within((place) => scene.within(async (own) => {
    const server = await place.server('--open', '--origin', own.server.origin);
    const [{ name }] = await place.files(BYTES);
    const bodies = { large: await readFile(name), sound: sound(SECONDS) };
    const { upload } = await load('full');
    const sent = await upload({
      endpoint: server.endpoint,
      files: Object.entries(bodies).map(([name, bytes]) => ({ name, body: new Blob([bytes]) })),
    });
    for (const { error } of sent) assert.equal(error, undefined);
    const [large, wav] = sent.map(({ oid, size }) => ({ oid, size }));
    server.requests.length = 0;
    const files = { large: { ...large, type: 'image/png' }, sound: { ...wav, type: 'audio/wav' } };
    const given = JSON.stringify({ endpoint: server.endpoint, files, kind });
    /** A page more; each is behind the same worker. */
    const page = async () => {
      const url = `${own.server.origin}/tests/browser/answering.html?${new URLSearchParams({ given })}`;
      const page = await own.visit(url);
      await page.waitForFunction(() => globalThis.isReady);
      return page;
    };
    await test({ own, server, page, oid: large.oid, bytes: bodies.large });
  }));
}

const got = (page, ...given) => page.evaluate((given) => globalThis.got(...given), given);
const fetched = (server) => server.asked('GET').length;

/** Waits until nobody fetches. */
const idle = (page) => until('nobody fetches', () => page.evaluate(async () => {
  const { held } = await navigator.locks.query();
  return !held.some(({ name }) => name.includes(':fetch:'));
}));

/** The browser says something of every status like this one. */
function noted(own, status) {
  assert.match(own.faults.splice(0).join(), new RegExp(`^console: Failed to load resource: [^,]*${status}[^,]*$`));
}

/** Changes one byte of what is fetched. */
async function* wrong(body) {
  for await (const piece of body) {
    piece[0] ^= 1;
    yield piece;
  }
}

for (const kind of KINDS) {
  for (const mode of MODES) {
    const path = `${mode}/large`;

    test(`${kind}, ${mode}: a file for two pages at once, and without the server`, () => answered(kind, async (it) => {
      const pages = [await it.page(), await it.page()];
      const whole = {
        status: 200, bytes: BYTES, oid: it.oid, broke: false,
        'hydrant-code': null, 'content-range': null, 'content-type': 'image/png',
      };
      assert.deepEqual(await Promise.all(pages.map((page) => got(page, path))), [whole, whole]);
      assert.equal(fetched(it.server), 1);
      it.server.breaks = () => true;
      assert.deepEqual(await got(await it.page(), path), whole);
    }));
  }
}

test('ranges', () => answered('CacheStore', async ({ own, page: open, bytes }) => {
  const page = await open();
  const ranges = [['bytes=0-9', 0, 9], ['bytes=5000-6000', 5000, 6000], ['bytes=-7', BYTES - 7, BYTES - 1]];
  for (const [range, from, to] of [...ranges, [`bytes=${BYTES - 2}-`, BYTES - 2, BYTES - 1]]) {
    const { status, oid, 'content-range': is } = await got(page, 'verify-first/large', { range });
    assert.deepEqual([status, is], [206, `bytes ${from}-${to}/${BYTES}`]);
    assert.equal(oid, digest(bytes.subarray(from, to + 1)));
  }
  const beyond = await got(page, 'verify-first/large', { range: `bytes=${BYTES}-` });
  assert.deepEqual([beyond.status, beyond.bytes, beyond['content-range']], [416, 0, `bytes */${BYTES}`]);
  noted(own, 416);
}));

for (const mode of MODES) {
  test(`${mode}: a player finds its way`, () => answered('CacheStore', async ({ page: open, server }) => {
    const page = await open();
    const seconds = await page.evaluate(([src, time]) => globalThis.played(src, time), [`${mode}/sound`, SECONDS - 2]);
    assert.equal(seconds, SECONDS);
    const [first, ...more] = server.asked('GET').map(({ range }) => range);
    assert.equal(first, undefined);
    // A player that seeks may give up what it asked for: then the rest is fetched, and no byte twice.
    for (const range of more) assert.match(range, /^bytes=[1-9]/);
  }));
}

test('verify-first gives no byte of a wrong file', () => answered('CacheStore', async ({ own, server, page: open }) => {
  const page = await open();
  server.change = wrong;
  const { status, bytes, 'hydrant-code': code } = await got(page, 'verify-first/large');
  assert.deepEqual([status, code], [502, 'integrity']);
  assert.ok(bytes < 500, 'a sentence');
  noted(own, 502);
}));

test('stream-through gives bytes before the transfer ends', () => answered('CacheStore', async (it) => {
  const page = await it.page();
  const release = it.server.holdFirst(500_000);
  const bytes = await page.evaluate(() => globalThis.began('stream-through/large', 200_000));
  assert.ok(bytes >= 200_000 && bytes <= 1_000_000, `${bytes} bytes`);
  release();
  assert.equal(await page.evaluate(() => globalThis.ended()), BYTES);
  assert.equal(fetched(it.server), 1);
}));

test('stream-through breaks off before the end of a wrong file', () => answered('CacheStore', async (it) => {
  const page = await it.page();
  it.server.change = wrong;
  const { status, bytes, broke } = await got(page, 'stream-through/large');
  assert.deepEqual([status, broke], [200, true]);
  assert.ok(bytes < BYTES, `${bytes} bytes`);
}));

/** Waits until somebody fetches. */
const busy = (page) => until('somebody fetches', () => page.evaluate(async () => {
  const { held } = await navigator.locks.query();
  return held.some(({ name }) => name.includes(':fetch:'));
}));

test('stream-through: what a page gives up is not fetched on', () => answered('CacheStore', async (it) => {
  const [page, other] = [await it.page(), await it.page()];
  const release = it.server.holdFirst(500_000);
  await page.evaluate(() => globalThis.began('stream-through/large', 100_000));
  await page.evaluate(() => globalThis.givesUp());
  await idle(other);
  assert.equal((await got(other, 'stream-through/large')).oid, it.oid);
  release();
}));

for (const mode of MODES) {
  test(`${mode}: what a page wanted that is gone is not fetched on`, () => answered('CacheStore', async (it) => {
    const [page, other] = [await it.page(), await it.page()];
    const release = it.server.holdFirst(200_000);
    await page.evaluate((path) => globalThis.asks(path), `${mode}/large`);
    await busy(other);
    const since = performance.now();
    await page.close();
    await idle(other);
    assert.ok(performance.now() - since < 10_000, 'long before the server counts as silent');
    assert.equal((await got(other, `${mode}/large`)).oid, it.oid);
    release();
  }));
}
