// A stop at every step of a hydration: in Chromium. The file is unfinished, nothing is asked any more, nobody gets an
// error that nobody caught (the harness would see it), and the same page can hydrate the file afterwards.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { Scene } from './browser/chromium.mjs';
import { begin } from './peer.mjs';
import { noise } from './stores/bytes.mjs';

const SIZE = 200_000;
const UNFINISHED = [{ name: 'file', code: 'unfinished' }];
const ABORTED = /net::ERR_ABORTED/;

let scene;
before(async () => (scene = await Scene.open()));
after(() => scene?.close());

/** Runs a test with a page, a server with an object, and its hydration. */
function withWant(test) {
  return () => scene.within(async (own) => {
    const [page, peer] = [await own.page(), await own.peer()];
    own.allow(ABORTED);
    const want = peer.give(noise(SIZE, 3));
    const asked = { endpoint: peer.endpoint, wants: [want] };
    const hydrated = (options) => own.ask(page, 'page', 'hydrated', { ...asked, ...options });
    await test({ own, page, peer, want, hydrated });
    // Nothing of a stop is in the way of the next one.
    peer.takes = () => false;
    const { files } = await hydrated();
    assert.deepEqual(files, [{ name: 'file', oid: want.oid }]);
  });
}

/** Fails unless all ended as it should, and nobody asks for anything any more. */
async function assertStopped(peer, { files }) {
  assert.deepEqual(files.map(({ name, code }) => ({ name, code })), UNFINISHED);
  await peer.idle();
}

test('during the preflight, which Chromium itself does not stop', withWant(async ({ page, peer, hydrated }) => {
  let preflight;
  peer.takes = ({ method }, response) => {
    if (method !== 'OPTIONS') return false;
    preflight = response;
    peer.tell();
    return true;
  };
  const ended = hydrated();
  await peer.until(() => preflight);
  await page.evaluate(() => globalThis.stopHydrating());
  const stopped = await ended;
  // It may go on now, and nothing follows.
  preflight.writeHead(204).end();
  await assertStopped(peer, stopped);
  assert.deepEqual(peer.asked('POST'), []);
}));

test('during the batch request', withWant(async ({ page, peer, hydrated }) => {
  peer.takes = ({ method }) => method === 'POST';
  const ended = hydrated();
  await peer.until(() => peer.asked('POST').length > 0);
  await page.evaluate(() => globalThis.stopHydrating());
  await assertStopped(peer, await ended);
  assert.deepEqual(peer.asked('GET'), []);
}));

test('during the question for a login', withWant(async ({ peer, hydrated }) => {
  await assertStopped(peer, await hydrated({ stopsAt: 'login' }));
  assert.deepEqual(peer.requests, []);
}));

test('while an object is asked for', withWant(async ({ page, peer, hydrated }) => {
  peer.takes = ({ method }) => method === 'GET';
  const ended = hydrated();
  await peer.until(() => peer.asked('GET').length > 0);
  await page.evaluate(() => globalThis.stopHydrating());
  await assertStopped(peer, await ended);
}));

test('while an object arrives', withWant(async ({ page, peer, want, hydrated }) => {
  let isHalf = false;
  peer.takes = async ({ method }, response) => {
    if (method !== 'GET') return false;
    await begin(response, peer.blobs.get(want.oid), SIZE / 2);
    isHalf = true;
    peer.tell();
    return true;
  };
  const ended = hydrated();
  await peer.until(() => isHalf);
  await page.evaluate(() => globalThis.stopHydrating());
  await assertStopped(peer, await ended);
}));

test('during the digest', withWant(async ({ peer, hydrated }) => {
  await assertStopped(peer, await hydrated({ stopsAt: 'digest' }));
  assert.equal(peer.asked('GET').length, 1);
}));

test('while a store keeps the file, and never ends', withWant(async ({ page, peer, hydrated }) => {
  await assertStopped(peer, await hydrated({ stopsAt: 'keep for ever' }));
  assert.equal(peer.asked('GET').length, 1);
  // It ends after all, and nobody minds.
  await page.evaluate(() => globalThis.goOn());
}));

test('while a store keeps the file: what is kept is there', withWant(async ({ peer, want, hydrated }) => {
  const { files } = await hydrated({ stopsAt: 'keep' });
  assert.deepEqual(files, [{ name: 'file', oid: want.oid }]);
  await peer.idle();
}));

test('before it began', withWant(async ({ peer, hydrated }) => {
  await assertStopped(peer, await hydrated({ stopsAt: 'the beginning' }));
  assert.deepEqual(peer.requests, []);
}));
