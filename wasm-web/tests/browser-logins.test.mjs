// Where logins and redirects lead in a page: in Chromium, against servers on loopback.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { Scene } from './browser/chromium.mjs';
import { json } from './peer.mjs';
import { noise } from './stores/bytes.mjs';

const SIZE = 5000;
const LOGIN = { user: 'me', password: 'mine' };
const BASIC = 'Basic bWU6bWluZQ==';
const UNSEEN = /status of 404|net::ERR_FAILED|blocked by CORS policy/;

let scene;
before(async () => (scene = await Scene.open()));
after(() => scene?.close());

/** Runs a test with a page, a server with an object, a storage that has it, and a way to hydrate it. */
function withStorage(test) {
  return () => scene.within(async (own) => {
    const [page, peer, storage] = [await own.page(), await own.peer(), await own.peer()];
    const want = storage.give(noise(SIZE, 2));
    peer.storage = storage.origin;
    const asked = { endpoint: peer.endpoint, wants: [want] };
    const hydrated = (options) => own.ask(page, 'page', 'hydrated', { ...asked, ...options });
    await test({ own, peer, storage, want, hydrated, here: [{ name: 'file', oid: want.oid }] });
  });
}

/** Lets a server redirect whatever begins like this. */
function redirect(from, path, to, status = 307) {
  from.takes = ({ method, path: asked }, response) => {
    if (method === 'OPTIONS' || !asked.startsWith(path)) return false;
    response.writeHead(status, { location: `${to}${asked}` }).end();
    return true;
  };
}

/** What a server saw of logins, in what a page asked it by itself. */
const loginsOf = (peer) => peer.requests.filter(({ method }) => method !== 'OPTIONS').map(({ login }) => login);

test('the login of the endpoint does not go to the storage', withStorage(async ({ peer, storage, hydrated, here }) => {
  const { files } = await hydrated({ login: LOGIN });
  assert.deepEqual(files, here);
  assert.deepEqual(loginsOf(peer), [BASIC]);
  assert.deepEqual(loginsOf(storage), [undefined]);
}));

test('it goes to an action at the origin of the endpoint', withStorage(async (given) => {
  const { peer, want, storage, hydrated, here } = given;
  peer.blobs = storage.blobs;
  peer.storage = peer.origin;
  peer.takes = ({ method, login }, response) => method !== 'OPTIONS' && login !== BASIC && json(response, 403, {});
  const { files } = await hydrated({ login: LOGIN });
  assert.deepEqual(files, here);
  assert.equal(peer.asked('GET', `/blobs/${want.oid}`)[0].login, BASIC);
}));

test('user and password in an address become a header for that origin alone', withStorage(async (given) => {
  const { peer, storage, want, hydrated, here } = given;
  const address = storage.origin.replace('//', '//store:p%40ss@');
  peer.objects = (asked) => asked.map(({ oid, size }) => {
    return { oid, size, actions: { download: { href: `${address}/blobs/${oid}` } } };
  });
  const { files } = await hydrated({ login: LOGIN });
  assert.deepEqual(files, here);
  assert.deepEqual(loginsOf(peer), [BASIC]);
  assert.deepEqual(loginsOf(storage), [`Basic ${btoa('store:p@ss')}`]);
  assert.equal(storage.asked('GET')[0].path, `/blobs/${want.oid}`);
}));

test('an address with user and password is none for an endpoint', withStorage(async ({ peer, hydrated }) => {
  const endpoint = peer.endpoint.replace('//', '//user:secret@');
  await assert.rejects(hydrated({ endpoint }), /address must come without user and password/);
  assert.deepEqual(peer.requests, []);
}));

test('a redirect of a GET without secrets is followed', withStorage(async ({ own, storage, want, hydrated, here }) => {
  const elsewhere = await own.peer();
  elsewhere.blobs = storage.blobs;
  redirect(storage, '/blobs/', elsewhere.origin);
  const { files } = await hydrated({ login: LOGIN });
  assert.deepEqual(files, here);
  assert.deepEqual(loginsOf(elsewhere), [undefined]);
  assert.equal(elsewhere.asked('GET', `/blobs/${want.oid}`).length, 1);
}));

test('a redirect of an action with secrets is blocked, and leads nowhere', withStorage(async (given) => {
  const { own, peer, storage, hydrated } = given;
  own.allow(UNSEEN);
  const elsewhere = await own.peer();
  redirect(storage, '/blobs/', elsewhere.origin);
  for (const [header, what] of [
    [{ Authorization: 'Bearer action' }, 'a request with a login'],
    [{ 'X-Action': 'secret' }, 'a request with headers of its own'],
  ]) {
    peer.objects = (asked) => asked.map((object) => peer.object(object, header));
    const { files: [{ code, message }] } = await hydrated();
    assert.equal(code, 'blocked');
    assert.ok(message.includes(`${storage.origin} redirects ${what}, and a browser does not say where to`), message);
  }
  assert.deepEqual(elsewhere.requests, []);
}));

test('a redirect of a batch request is blocked, with a login and without', withStorage(async (given) => {
  const { own, peer, hydrated } = given;
  own.allow(UNSEEN);
  const elsewhere = await own.peer();
  redirect(peer, '/lfs/', elsewhere.origin);
  for (const [login, what] of [[LOGIN, 'a request with a login'], [undefined, 'a POST or PUT']]) {
    const { files: [{ code, message }], retries } = await hydrated({ login });
    assert.equal(code, 'blocked');
    assert.ok(message.includes(`${peer.origin} redirects ${what}, and a browser does not say where to`), message);
    assert.deepEqual(retries, []);
  }
  assert.deepEqual(elsewhere.requests, []);
}));
