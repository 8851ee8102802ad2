// What a page may ask of a server of another origin: in Chromium, against servers on loopback.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { Scene } from './browser/chromium.mjs';
import { OPEN_TO_PAGES, json } from './peer.mjs';
import { noise } from './stores/bytes.mjs';

const SIZE = 5000;
/** Retries that take no time. */
const quick = { retriesMax: 2, retryDelayMax: 1n };
/** The last one is the answer to the question whether anybody is there. */
const CORS = /blocked by CORS policy|net::ERR_FAILED|status of 404/;
const REFUSED = /net::ERR_CONNECTION_REFUSED|net::ERR_CONNECTION_RESET/;

let scene;
before(async () => (scene = await Scene.open()));
after(() => scene?.close());

/** Runs a test with a page, a server, and something that the server has. */
function withPeer(test) {
  return () => scene.within(async (own) => {
    const peer = await own.peer();
    const want = peer.give(noise(SIZE, 1));
    await test({ own, page: await own.page(), peer, want });
  });
}

test('a body with a byte too many is refused', withPeer(async ({ own, page, peer, want }) => {
  peer.blobs.set(want.oid, Buffer.concat([peer.blobs.get(want.oid), Buffer.of(0)]));
  const { files: [{ code }] } = await own.ask(page, 'page', 'hydrated', { endpoint: peer.endpoint, wants: [want] });
  assert.equal(code, 'integrity');
}));

test('no cookie goes out, also to a server that would take some', withPeer(async ({ own, page, peer, want }) => {
  peer.cors = {
    ...OPEN_TO_PAGES, 'access-control-allow-origin': own.server.origin, 'access-control-allow-credentials': 'true',
  };
  await page.context().addCookies([{ name: 'session', value: 'secret', url: peer.origin }]);
  // The page's own requests could have it.
  await page.evaluate((url) => fetch(url, { credentials: 'include' }), `${peer.origin}/blobs/${want.oid}`);
  assert.equal(peer.requests.pop().headers.cookie, 'session=secret');
  const { files } = await own.ask(page, 'page', 'hydrated', { endpoint: peer.endpoint, wants: [want] });
  assert.deepEqual(files, [{ name: 'file', oid: want.oid }]);
  const asked = [...peer.asked('POST'), ...peer.asked('GET', '/blobs/')];
  assert.deepEqual(asked.map(({ headers }) => headers.cookie), [undefined, undefined]);
}));

for (const where of ['page', 'worker']) {
  test(`a ${where} hydrates from another origin`, withPeer(async ({ own, page, peer, want }) => {
    const { files } = await own.ask(page, where, 'hydrated', { endpoint: peer.endpoint, wants: [want] });
    assert.deepEqual(files, [{ name: 'file', oid: want.oid }]);
    const [batch] = peer.asked('POST');
    assert.equal(batch.headers.cookie, undefined);
    assert.equal(batch.headers.referer, undefined);
  }));
}

test('without CORS headers it is blocked, and says what is missing', withPeer(async ({ own, page, peer, want }) => {
  own.allow(CORS);
  peer.cors = {};
  const login = { token: 'secret' };
  const asked = { endpoint: peer.endpoint, login, wants: [want], config: quick };
  const { files: [{ code, message }], retries } = await own.ask(page, 'page', 'hydrated', asked);
  assert.equal(code, 'blocked');
  assert.ok(message.includes(`${peer.origin} does not allow pages of ${own.server.origin}`), message);
  assert.ok(message.includes('must send Access-Control-Allow-Origin'), message);
  assert.ok(message.includes('to OPTIONS Access-Control-Allow-Headers: authorization, content-type'), message);
  assert.deepEqual(retries, [], 'trying again does not help');
  assert.deepEqual(peer.asked('POST'), [], 'it never came to the request');
  const [probe] = peer.asked('HEAD');
  assert.deepEqual([probe.headers.referer, probe.login], [undefined, undefined], 'a question without secrets');
}));

test('a gateway that is out of order for once is no refusal', withPeer(async ({ own, page, peer, want }) => {
  own.allow(CORS);
  const hydrated = (wants) => own.ask(page, 'page', 'hydrated', { endpoint: peer.endpoint, wants, config: quick });
  assert.deepEqual((await hydrated([want])).files, [{ name: 'file', oid: want.oid }]);
  for (const method of ['POST', 'GET']) {
    let isBroken = true;
    peer.takes = (request, response) => {
      if (request.method !== method || !isBroken) return false;
      isBroken = false;
      for (const name of Object.keys(OPEN_TO_PAGES)) response.removeHeader(name);
      return json(response, 502, { message: 'bad gateway' });
    };
    const { files, retries } = await hydrated([want]);
    assert.deepEqual(files, [{ name: 'file', oid: want.oid }]);
    assert.equal(retries.length, 1, method);
  }
}));

test('a storage without CORS headers is blocked, and named', withPeer(async ({ own, page, peer, want }) => {
  own.allow(CORS);
  const storage = await own.peer();
  storage.cors = {};
  peer.storage = storage.origin;
  const asked = { endpoint: peer.endpoint, wants: [want], config: quick };
  const { files: [{ code, message }] } = await own.ask(page, 'page', 'hydrated', asked);
  assert.equal(code, 'blocked');
  assert.ok(message.includes(`${storage.origin} does not allow pages of ${own.server.origin}`), message);
  assert.match(message, /must send Access-Control-Allow-Origin$/, 'a plain GET needs nothing else');
}));

test('a header that OPTIONS does not allow is blocked, and named', withPeer(async ({ own, page, peer, want }) => {
  own.allow(CORS);
  peer.cors = { ...OPEN_TO_PAGES, 'access-control-allow-headers': 'content-type' };
  peer.objects = (asked) => asked.map((object) => peer.object(object, { 'X-Action': 'needed' }));
  const asked = { endpoint: peer.endpoint, wants: [want], config: quick };
  const { files: [{ code, message }] } = await own.ask(page, 'page', 'hydrated', asked);
  assert.equal(code, 'blocked');
  assert.match(message, /to OPTIONS Access-Control-Allow-Headers: x-action$/);
  assert.equal(peer.asked('OPTIONS', '/blobs/').length, 1);
  assert.deepEqual(peer.asked('GET', '/blobs/'), []);
}));

test('a server that is down is tried again, and then it is the host', withPeer(async ({ own, page, peer, want }) => {
  own.allow(REFUSED);
  await peer.close();
  const asked = { endpoint: peer.endpoint, wants: [want], config: quick };
  const { files: [{ code, message }], retries } = await own.ask(page, 'page', 'hydrated', asked);
  assert.equal(code, 'host');
  assert.ok(message.includes(`${peer.origin} cannot be reached`), message);
  assert.equal(retries.length, quick.retriesMax);
}));

test('headers that a browser does not send are told, the rest goes out', withPeer(async ({ own, page, peer, want }) => {
  const header = { 'X-Action': 'sent', Date: 'today', 'Sec-Secret': 'x', 'Accept-Encoding': 'br', Origin: 'nowhere' };
  peer.objects = (asked) => asked.map((object) => peer.object(object, header));
  const asked = { endpoint: peer.endpoint, wants: [want] };
  const { files, leftOut } = await own.ask(page, 'page', 'hydrated', asked);
  assert.deepEqual(files, [{ name: 'file', oid: want.oid }]);
  assert.deepEqual(leftOut, [{ origin: peer.origin, names: ['Date', 'Sec-Secret', 'Origin'] }]);
  const [{ headers }] = peer.asked('GET', '/blobs/');
  assert.equal(headers['x-action'], 'sent');
  assert.equal(headers.origin, own.server.origin);
  assert.deepEqual([headers.date, headers['sec-secret']], [undefined, undefined]);
}));

test('429 without a Retry-After that a page may read backs off', withPeer(async ({ own, page, peer, want }) => {
  own.allow(/status of 429/);
  let refusals = 2;
  peer.takes = ({ method }, response) => {
    if (method !== 'POST' || refusals === 0) return false;
    refusals -= 1;
    // A wait that would be refused if the page could read it.
    return json(response, 429, { message: 'slow down' }, { 'retry-after': '86400' });
  };
  const config = { retriesMax: 2, retryDelayMax: 20n };
  const asked = { endpoint: peer.endpoint, wants: [want], config };
  const { files, retries } = await own.ask(page, 'page', 'hydrated', asked);
  assert.deepEqual(files, [{ name: 'file', oid: want.oid }]);
  assert.equal(retries.length, 2);
  for (const { delay } of retries) assert.ok(delay <= 20, `${delay} ms`);
}));

test('a rewrite is asked for every URL, and what it gives is asked', withPeer(async ({ own, page, peer, want }) => {
  own.allow(CORS);
  const hidden = await own.peer();
  hidden.cors = {};
  peer.storage = `${hidden.origin}/store`;
  const rewrites = [[`${hidden.origin}/store`, peer.origin], [hidden.endpoint, peer.endpoint]];
  const asked = { endpoint: hidden.endpoint, wants: [want], config: quick };
  const { files, rewritten } = await own.ask(page, 'page', 'hydrated', { ...asked, rewrites });
  assert.deepEqual(files, [{ name: 'file', oid: want.oid }]);
  const action = `${hidden.origin}/store/blobs/${want.oid}`;
  assert.deepEqual(rewritten, [`${hidden.endpoint}/objects/batch`, action]);
  assert.deepEqual(hidden.requests, []);
  // The other way round: what is blocked then is the address that was really asked.
  const wrong = [[peer.endpoint, hidden.endpoint]];
  const { files: [{ code, message }] } = await own.ask(page, 'page', 'hydrated', {
    ...asked, endpoint: peer.endpoint, rewrites: wrong,
  });
  assert.equal(code, 'blocked');
  assert.ok(message.includes(`${hidden.origin} does not allow pages`), message);
}));

test('a rewrite may give an address of the page\'s own', withPeer(async ({ own, page, peer, want }) => {
  own.server.blobs.set(want.oid, peer.blobs.get(want.oid));
  const rewrites = [[`${peer.origin}/blobs`, '/blobs']];
  const asked = { endpoint: peer.endpoint, wants: [want], config: quick, rewrites };
  const { files } = await own.ask(page, 'page', 'hydrated', asked);
  assert.deepEqual(files, [{ name: 'file', oid: want.oid }]);
  assert.deepEqual(own.server.asked.filter((oid) => oid === want.oid), [want.oid]);
}));
