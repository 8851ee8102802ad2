// What callers get wrong, besides values without a form: a typed error each time, or the caller's own error; nothing is
// lost, and nobody gets an error that nobody caught.

import assert from 'node:assert/strict';
import { join } from 'node:path';
import process from 'node:process';
import { after, test } from 'node:test';
import { pathToFileURL } from 'node:url';
import { digest as sha256 } from '../../tests/hosts/js/scene.mjs';
import { folder, load } from './package.mjs';
import { Peer } from './peer.mjs';
import { noise } from './stores/bytes.mjs';

const { HydrantError, MemoryStore, Misuse, digest, hydrate, open, operations, pointers, run } = await load('index');
const { upload } = await load('full');
const { github, gitlab } = await import(pathToFileURL(join(folder, 'routes.js')));
const OID = 'ab'.repeat(32);
const WANTS = [{ name: 'a', oid: OID, size: 5 }];
const ENDPOINT = 'https://lfs.example.test';
const BYTES = noise(5, 1);
const LONG = 'x'.repeat(32 << 20);

const unhandled = [];
process.on('unhandledRejection', (reason) => unhandled.push(reason));
after(async () => {
  // Node tells of it once the promises of this turn are settled.
  await new Promise((resolve) => setImmediate(resolve));
  assert.deepEqual(unhandled, []);
});

const malformed = (said) => (error) => {
  assert.ok(error instanceof HydrantError, `${error}`);
  assert.equal(error.code, 'malformed');
  assert.match(error.message, said);
  return true;
};
const seeds = (function* () {
  for (let seed = 1n; ; seed += 1n) yield seed;
})();
const config = () => operations.defaultConfig(ENDPOINT, seeds.next().value);
const dispose = (operation) => operation[Symbol.dispose ?? Symbol.for('dispose')]();

test('options that are none', async () => {
  const given = { endpoint: ENDPOINT, wants: WANTS };
  for (const [options, said] of [
    [undefined, /^argument 1 must be an object, and is undefined/],
    [null, /^argument 1 must be an object, and is null/],
    [{ wants: WANTS }, /^endpoint must be/],
    [{ ...given, endpoint: 7 }, /^endpoint must be/],
    [{ ...given, wants: undefined }, /^wants must be an array, and is undefined/],
    [{ ...given, wants: 'a' }, /^wants must be an array/],
    [{ ...given, wants: { length: 1 } }, /^wants must be an array/],
    [{ ...given, wants: [7] }, /^wants.0. must be an object or a pointer, and is number/],
    [{ ...given, wants: [WANTS[0], undefined] }, /^wants.1. must be .*, and is undefined/],
    [{ ...given, wants: [, WANTS[0]] }, /^wants.0. must be .*, and is undefined/],
    [{ ...given, wants: [Symbol('x')] }, /^wants.0. must be/],
    ...[new Response('x'), Promise.resolve('x'), new Blob(['x']), { name: 'a' }].map((want) =>
      [{ ...given, wants: [want] }, /^wants.0. must be the text of a pointer file, or have/]),
    [{ ...given, wants: [WANTS[0], 'text'] }, /^wants.1. is not a pointer: it does not mention git-lfs$/],
    [{ ...given, wants: ['<!DOCTYPE html>\n<title>404</title>'] }, /not a pointer: .*: it is a page of HTML/],
    [{ ...given, wants: [{ name: 7, oid: OID, size: 1 }] }, /^wants.0.\.name must be a string/],
    ...[NaN, -1, 1.5, undefined, '1', 2 ** 60, 2n ** 64n, Infinity].map((size) =>
      [{ ...given, wants: [{ oid: OID, size }] }, /^wants.0.\.size must be a whole number/]),
    [{ ...given, manifest: 7 }, /argument 1 must be a Uint8Array/],
    [{ ...given, signal: {} }, /^signal must be an AbortSignal/],
    [{ ...given, signal: { aborted: false, addEventListener() {} } }, /^signal must be an AbortSignal/],
    [{ ...given, onProgress: 'x' }, /^onProgress must be a function/],
    [{ ...given, route: {} }, /^route must be a function/],
    [{ ...given, login: 7 }, /^login must be/],
    [{ ...given, config: 7 }, /^config must be an object/],
    [{ ...given, config: { retriesMax: -1 } }, /^config\.retriesMax must be a whole number/],
    [{ ...given, config: { idleMax: NaN } }, /^config\.idleMax must be a whole number/],
    [{ ...given, store: {} }, /^store must be a store/],
    [{ ...given, store: Promise.resolve(new MemoryStore()) }, /^store must be a store \(await what opens one\)/],
  ]) {
    await assert.rejects(hydrate(options), malformed(said));
  }
  await assert.rejects(upload({ endpoint: ENDPOINT }), malformed(/^files must be an array/));
  await assert.rejects(upload({ endpoint: ENDPOINT, files: [{ name: 'a', body: 'x' }] }), malformed(/^files.0..body/));
  await assert.rejects(upload({ endpoint: ENDPOINT, files: [{ body: new Blob([]) }] }), malformed(/^files.0..name/));
  const files = [5, 6].map((size) => ({ name: 'a', body: new Blob([noise(size, 1)]) }));
  const taken = malformed(/^files.1..name is the name of another file, too$/);
  await assert.rejects(upload({ endpoint: ENDPOINT, files }), taken);
  await assert.rejects(open(undefined), malformed(/^store must be a store/));
  await assert.rejects(open(new MemoryStore(), 7), malformed(/^wants must be an array/));
  await assert.rejects(open({ has() {}, stage() {}, keep() {}, drop() {}, open() {} }), malformed(/cannot list/));
});

test('routes to no place of a forge', () => {
  assert.throws(() => github({ owner: 'me', repo: 'models', ref: 'main' }), malformed(/^repository must be a string/));
  assert.throws(() => gitlab({ project: 7 }), malformed(/^ref must be a string/));
});

test('strings that are too long', async () => {
  await assert.rejects(hydrate({ endpoint: `https://${LONG}`, wants: WANTS }), { code: 'malformed' });
  await assert.rejects(hydrate({ endpoint: ENDPOINT, wants: [{ name: LONG, oid: OID, size: 1 }] }), { code: 'limit' });
  const [{ error }] = await hydrate({ endpoint: ENDPOINT, wants: [{ name: 'a', oid: LONG, size: 1 }] });
  assert.equal(error.code, 'malformed');
  await assert.rejects(hydrate({ endpoint: ENDPOINT, wants: [LONG] }), { code: 'malformed' });
});

test('what the caller\'s own getters throw comes through, and nothing is left on the way', async () => {
  const planted = new Error('planted');
  const evil = (name) => ({ get [name]() { throw planted; } });
  await assert.rejects(hydrate({ endpoint: ENDPOINT, get wants() { throw planted; } }), planted);
  await assert.rejects(hydrate({ endpoint: ENDPOINT, wants: [evil('oid')] }), planted);
  assert.throws(() => pointers.classify(evil('head')), planted);
  assert.throws(() => operations.Operation.hydrate(config(), [WANTS[0], evil('name')]), planted);
  assert.equal(pointers.classify({ head: BYTES, fileSize: 5 }).tag, 'content');
});

test('an array with holes, or one that changes while it is read', () => {
  const sparse = new Array(3);
  sparse[1] = { head: BYTES, fileSize: 5 };
  assert.throws(() => pointers.classifyMany(sparse), malformed(/argument 1\[0\] must be an object, and is undefined/));
  const growing = [{ head: BYTES, get fileSize() { growing.push(growing[0]); return 5; } }];
  assert.equal(pointers.classifyMany(growing).length, 1);
});

test('bytes of shared memory, and bytes that are gone', async () => {
  const shared = new Uint8Array(new SharedArrayBuffer(5));
  shared.set(BYTES);
  const expected = { oid: sha256(BYTES), size: 5 };
  assert.deepEqual(await digest(shared), expected);
  assert.deepEqual(await digest(shared.buffer), expected);
  assert.deepEqual((await digest(shared.subarray(1, 3))).oid, sha256(BYTES.subarray(1, 3)));
  assert.equal(pointers.classify({ head: shared, fileSize: 5 }).tag, 'content');
  const detached = BYTES.slice();
  structuredClone(detached.buffer, { transfer: [detached.buffer] });
  assert.equal(detached.length, 0);
  assert.throws(() => pointers.classify({ head: detached, fileSize: 5 }), malformed(/\.head must be a Uint8Array/));
  await assert.rejects(digest(detached), malformed(/^the content must be/));
  await assert.rejects(hydrate({ endpoint: ENDPOINT, wants: [detached] }), malformed(/^wants.0. must be a pointer/));
});

test('a digest of what has no bytes', async () => {
  for (const content of [undefined, null, 7, 'text', {}, [1]]) {
    await assert.rejects(digest(content), malformed(/^the content must be a Blob, bytes, or a stream of bytes/));
  }
  const stream = new ReadableStream({ start: (it) => it.enqueue('text') });
  await assert.rejects(digest(stream), malformed(/^a piece of the stream must be a Uint8Array/));
  const broken = new ReadableStream({ pull: (it) => it.error(new Error('planted')) });
  await assert.rejects(digest(broken), /planted/);
});

test('run: what is no operation or no host, twice at once, after its end, after it was disposed of', async () => {
  const misuse = (payload) => (error) => error instanceof Misuse && error.payload === payload;
  const perform = () => ({ tag: 'present' });
  await assert.rejects(run(undefined, { perform }), malformed(/^argument 1 must be an operation/));
  const operation = operations.Operation.hydrate(config(), [{ name: 'a', oid: OID, size: 5n }]);
  for (const host of [undefined, {}, { perform: 7 }]) {
    await assert.rejects(run(operation, host), malformed(/^perform must be a function/));
  }
  const first = run(operation, { perform });
  await assert.rejects(run(operation, { perform }), misuse('out-of-order'));
  await first;
  await run(operation, { perform });
  assert.equal(operation.finishTransfer().outcomes[0].ended.tag, 'ok', 'the misuse changed nothing');
  await run(operation, { perform: () => assert.fail('there is nothing to perform') });
  assert.throws(() => operation.finishTransfer(), misuse('finished'));
  dispose(operation);
  await assert.rejects(run(operation, { perform }), misuse('finished'));
  dispose(operation);
});

test('run: replies that are none, and too many', async () => {
  const begin = () => operations.Operation.hydrate(config(), [{ name: 'a', oid: OID, size: 5n }]);
  const driven = (perform) => run(begin(), { perform });
  await assert.rejects(driven(() => undefined), malformed(/argument 2\.tag must be one of/));
  await assert.rejects(driven(() => ({ tag: 'nothing' })), malformed(/argument 2\.tag must be one of/));
  await assert.rejects(driven(() => ({ tag: 'end' })), { name: 'Misuse', payload: 'out-of-order' });
  const twice = (_, { say }) => {
    say({ tag: 'present' });
    return { tag: 'present' };
  };
  await assert.rejects(driven(twice), { name: 'Misuse' });
  await assert.rejects(driven((_, { fail }) => fail(new Error('planted'))), /planted/);
  const finished = begin();
  let report;
  const perform = () => {
    report = finished.finishTransfer();
    return { tag: 'present' };
  };
  await run(finished, { perform });
  assert.equal(report.outcomes[0].ended.val.code, 'unfinished', 'a report may be taken early');
});

for (const [what, login] of [
  ['with neither', {}],
  ['without a password', { user: 'me' }],
  ['of numbers', { user: 1, password: 2 }],
  ['with a line break', 'Basic a\nb'],
  ['beyond Latin', { token: '€' }],
  ['from a function that throws', () => { throw new Error('planted'); }],
  ['from a function that rejects', async () => { throw undefined; }],
]) {
  test(`a login ${what} is refused before it is sent`, () => withPeer(async (peer, want) => {
    const [{ error }] = await hydrate({ endpoint: peer.endpoint, wants: [want], login });
    assert.equal(error.code, 'auth');
    assert.deepEqual(peer.requests, []);
  }));
}

test('a long login goes out whole', () => withPeer(async (peer, want) => {
  const password = 'p'.repeat(8000);
  const [{ error }] = await hydrate({ endpoint: peer.endpoint, wants: [want], login: { user: 'me', password } });
  assert.equal(error, undefined);
  assert.equal(peer.asked('POST')[0].login, `Basic ${btoa(`me:${password}`)}`);
}));

test('a rewrite that gives no address ends the call', () => withPeer(async (peer, want) => {
  for (const rewrite of [() => undefined, async (url) => url, () => 7]) {
    const called = hydrate({ endpoint: peer.endpoint, wants: [want], rewrite });
    await assert.rejects(called, malformed(/^what rewrite gives must be a string or a URL/));
  }
  assert.deepEqual(peer.requests, []);
}));

/** Runs a test with a server that has something. */
async function withPeer(work) {
  const peer = await Peer.open();
  try {
    await work(peer, peer.give(noise(100_000, 2)));
  } finally {
    await peer.close();
  }
}

test('a route to plain http, also on this machine, must be allowed', async () => {
  const [{ error }] = await hydrate({ route: () => 'http://127.0.0.1/a', wants: WANTS });
  assert.equal(error.code, 'blocked');
});

test('a signal that goes on is left as it was', () => withPeer(async (peer, want) => {
  const { signal } = new AbortController();
  const listeners = new Set();
  const add = signal.addEventListener.bind(signal);
  const remove = signal.removeEventListener.bind(signal);
  signal.addEventListener = (name, listener, ...options) => {
    listeners.add(listener);
    add(name, listener, ...options);
  };
  signal.removeEventListener = (name, listener) => {
    listeners.delete(listener);
    remove(name, listener);
  };
  const [file] = await hydrate({ endpoint: peer.endpoint, wants: [want], signal });
  assert.equal(file.error, undefined);
  assert.equal(listeners.size, 0);
}));

test('a route that fails keeps its words to itself: they may hold a token', async () => {
  const wants = [{ name: 'a', oid: '0'.repeat(64), size: 5 }];
  const routes = [
    () => ({ url: 'https://forge.example/a', headers: { authorization: 'Bearer secret\nword' } }),
    () => Promise.reject(new Error('https://forge.example/a?token=secret')),
  ];
  for (const route of routes) {
    const [file] = await hydrate({ route, wants }).catch((error) => [{ error }]);
    assert.equal(file.error.code, 'host');
    assert.match(file.error.message, /the route threw (Type)?Error$/);
    assert.doesNotMatch(file.error.message, /secret/);
  }
});

test('a name that leads out of its repository has no route: a token would go along', () => {
  const ways = [
    github({ owner: 'o', repository: 'r', ref: 'main', token: 'secret' }),
    gitlab({ project: 'g/p', ref: 'main', token: 'secret' }),
  ];
  for (const way of ways) {
    assert.ok(way({ name: 'a/..b/c.bin' }).url, 'a name of a file');
    const bad = ['../x', 'a/../../x', '..', '.', 'a/./b', '', 'a//b', '/a', 'a/'];
    for (const name of bad) assert.ok(!way({ name }), name);
  }
});

test('a fetch whose bodies share one buffer: what is kept is what was hashed', async (t) => withPeer(async (peer) => {
  const bytes = noise(40_000, 3);
  const want = peer.give(bytes);
  const given = globalThis.fetch;
  t.after(() => (globalThis.fetch = given));
  globalThis.fetch = async (...asked) => {
    const response = await given(...asked);
    return String(asked[0]).includes('/blobs/') ? overwriting(response) : response;
  };
  const [file] = await hydrate({ endpoint: peer.endpoint, wants: [want] });
  assert.equal(sha256(await file.bytes()), want.oid);
}));

/** The same answer, whose pieces all lie in one buffer. */
async function overwriting(response) {
  const bytes = new Uint8Array(await response.arrayBuffer());
  const buffer = new Uint8Array(1000);
  let at = 0;
  const pull = async (body) => {
    await new Promise((resolve) => setImmediate(resolve));
    buffer.set(bytes.subarray(at, at + buffer.length));
    at += buffer.length;
    body.enqueue(buffer);
    if (at >= bytes.length) body.close();
  };
  return new Response(new ReadableStream({ pull }, { highWaterMark: 0 }), response);
}
