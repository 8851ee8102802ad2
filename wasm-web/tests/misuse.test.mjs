// What callers get wrong, besides values without a form: a typed error each time, or the caller's own error; nothing is
// lost, and nobody gets an error that nobody caught.

import assert from 'node:assert/strict';
import { join } from 'node:path';
import process from 'node:process';
import { after, test } from 'node:test';
import { pathToFileURL } from 'node:url';
import { digest as sha256 } from '../../tests/hosts/js/scene.mjs';
import { folder, load } from './package.mjs';
import { Peer, json } from './peer.mjs';
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

test('text with half a character is refused, by the name of its argument', () => withPeer(async (peer, want) => {
  const { oid, size } = want;
  const { endpoint } = peer;
  const pointer = `version https://git-lfs.github.com/spec/v1\noid sha256:${oid}\nsize ${size}\n`;
  const bodies = [new Blob(['first']), new Blob(['the second'])];
  const half = /must be well-formed text, without lone surrogates/;
  for (const wrong of ['\ud800', 'a\udfff', '\ude00\ud83d', 'cat\ud83d.png']) {
    const named = (name) => malformed(new RegExp(`^${name} ${half.source}`));
    // Both would be one name: one file would be sent in the place of both.
    const names = [wrong.replace(/[\ud800-\udfff]/g, '\ufffd'), wrong];
    const files = names.map((name, at) => ({ name, body: bodies[at] }));
    await assert.rejects(upload({ endpoint, files }), named('files.1.\\.name'));
    await assert.rejects(upload({ endpoint, files: [{ name: 'a', oid: wrong, body: bodies[0] }] }), malformed(half));
    await assert.rejects(upload({ endpoint: endpoint + wrong, files: [] }), named('endpoint'));
    const wants = names.map((name) => ({ ...want, name }));
    await assert.rejects(hydrate({ endpoint, wants }), named('wants.1.\\.name'));
    await assert.rejects(hydrate({ endpoint, wants: [{ name: wrong, pointer }] }), named('wants.0.\\.name'));
    await assert.rejects(hydrate({ endpoint, wants: [{ ...want, oid: wrong }] }), named('wants.0.\\.oid'));
    await assert.rejects(hydrate({ endpoint, wants: [pointer + wrong] }), named('wants.0.'));
    await assert.rejects(hydrate({ endpoint, manifest: `{"name":"${wrong}"}` }), named('manifest'));
    await assert.rejects(hydrate({ endpoint: endpoint + wrong, wants: [want] }), named('endpoint'));
    await assert.rejects(open(new MemoryStore(), [{ ...want, name: wrong }]), named('wants.0.\\.name'));
    const begin = () => operations.Operation.hydrate(config(), [WANTS[0], { name: wrong, oid, size: 5n }]);
    assert.throws(begin, named('argument 2.1.\\.name'));
  }
  assert.deepEqual(peer.requests, []);
  const [file] = await hydrate({ endpoint, wants: [{ ...want, name: 'a whole \u{1f408}' }] });
  assert.deepEqual([file.name, file.error], ['a whole \u{1f408}', undefined]);
}));

test('open looks at its wants as hydrate does', async () => {
  const store = new MemoryStore();
  const noSize = /^wants.0.\.size must be a whole number/;
  for (const [want, said] of [
    ...[undefined, NaN, -1, 1.5, '5', Infinity, 2n ** 64n].map((size) => [{ oid: OID, size }, noSize]),
    [{ oid: OID }, noSize],
    [{ name: 7, oid: OID, size: 1 }, /^wants.0.\.name must be a string, and is number/],
    [{ name: Symbol('x'), oid: OID, size: 1 }, /^wants.0.\.name must be a string, and is symbol/],
    [{ oid: 7, size: 1 }, /^wants.0.\.oid must be a string/],
    [{ oid: Symbol('x'), size: 1 }, /^wants.0.\.oid must be a string/],
    [7, /^wants.0. must be an object or a pointer/],
    ['text', /^wants.0. is not a pointer/],
  ]) {
    await assert.rejects(open(store, [want]), malformed(said));
    await assert.rejects(hydrate({ endpoint: ENDPOINT, wants: [want], store }), malformed(said));
  }
  for (const oid of ['', 'x', '../x', OID.toUpperCase(), `${OID}0`]) {
    const wants = [{ name: 'a', oid, size: 5 }, { name: 'b', oid: OID, size: 5 }];
    const files = await open(store, wants);
    assert.deepEqual(files.map(({ name, error }) => [name, error.code]), [['a', 'malformed'], ['b', 'not-found']]);
    const [{ error }] = await hydrate({ endpoint: ENDPOINT, wants: [wants[0]] });
    assert.equal(error.code, 'malformed');
  }
});

test('a body that is no Blob, or whose bytes cannot be had', async () => {
  const blob = (size) => ({ size, stream: () => new Blob([]).stream(), slice: () => new Blob([]) });
  for (const size of [NaN, -1, 1.5, Infinity, 2 ** 60, '5', 5n]) {
    const files = [{ name: 'a', body: new Blob(['a']) }, { name: 'b', body: blob(size) }];
    await assert.rejects(upload({ endpoint: ENDPOINT, files }), malformed(/^files.1.\.body must be a Blob/));
  }
  const stream = () => new ReadableStream({ pull: (it) => it.error(new Error('planted')) });
  const [{ error }] = await upload({ endpoint: ENDPOINT, files: [{ name: 'a', body: { ...blob(5), stream } }] });
  assert.equal(error.code, 'host');
  assert.doesNotMatch(error.message, /planted/);
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
  ['whose getter throws', { get token() { throw new Error('planted'); } }],
  ['whose other getter throws', { user: 'me', get password() { throw new Error('planted'); } }],
  ['from a function whose getter throws', async () => ({ get token() { throw new Error('planted'); } })],
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
  const rejects = async () => { throw new Error('planted'); };
  for (const rewrite of [() => undefined, async (url) => url, () => 7, rejects]) {
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

test('an async hook that rejects ends the call as one that throws', () => withPeer(async (peer, want) => {
  peer.objects = (asked) => asked.map((object) => peer.object(object, { referer: 'a' }));
  for (const hook of ['onProgress', 'onRetry', 'onLeftOut', 'rewrite']) {
    const planted = new Error('planted');
    let told;
    const isTold = new Promise((resolve) => (told = resolve));
    let isFirst = true;
    peer.takes = async ({ method, path }, response) => {
      if (method !== 'GET') return false;
      if (hook === 'onRetry' && isFirst) {
        isFirst = false;
        return response.writeHead(503).end();
      }
      // The rest waits until the hook was called: the call is under way then.
      if (hook !== 'onLeftOut' && path.includes(want.oid)) await isTold;
      return false;
    };
    const async = async () => {
      told();
      throw planted;
    };
    const wants = [peer.give(noise(10, 3), 'small'), want];
    const called = hydrate({ endpoint: peer.endpoint, wants, [hook]: async, config: { retryDelayMax: 1n } });
    if (hook === 'rewrite') await assert.rejects(called, malformed(/^what rewrite gives must be/));
    else await assert.rejects(called, planted, hook);
  }
}));

test('the progress of a verification may be told to an async hook, which may reject', async () => {
  const store = new MemoryStore();
  const planted = new Error('planted');
  await withPeer(async (peer, want) => {
    const wants = [want, peer.give(noise(100_000, 3))];
    await hydrate({ endpoint: peer.endpoint, wants, store });
  });
  const onProgress = async () => { throw planted; };
  await assert.rejects(store.verify({ onProgress }), planted);
});

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

test('a call has one listener on its signal, however many files are under way', () => withPeer(async (peer) => {
  const { signal } = new AbortController();
  const warnings = [];
  const warned = (warning) => warnings.push(warning);
  process.on('warning', warned);
  const add = signal.addEventListener.bind(signal);
  let added = 0;
  signal.addEventListener = (...given) => {
    added += 1;
    add(...given);
  };
  const wants = Array.from({ length: 60 }, (_, at) => peer.give(noise(10, at), `file ${at}`));
  // All keep something at once.
  const store = new MemoryStore();
  const keep = store.keep.bind(store);
  let waiting = 0;
  let most = 0;
  store.keep = async (...given) => {
    waiting += 1;
    most = Math.max(most, waiting);
    await new Promise((resolve) => setImmediate(resolve));
    waiting -= 1;
    return keep(...given);
  };
  const files = await hydrate({ endpoint: peer.endpoint, wants, signal, store });
  await new Promise((resolve) => setImmediate(resolve));
  process.off('warning', warned);
  assert.ok(files.every(({ error }) => !error));
  assert.ok(most > 0);
  assert.equal(added, 1);
  assert.deepEqual(warnings, []);
}));

test('a route is asked about each name of equal content, until it has a way', () => withPeer(async (peer, want) => {
  const { oid, size } = want;
  const wants = (names) => names.map((name) => ({ name, oid, size }));
  const config = { insecureHttp: true };
  for (const [there, names, expected] of [
    ['a', ['a', 'b'], ['a']],
    ['b', ['a', 'b'], ['a', 'b']],
    ['b', ['a', 'a', 'b', 'c'], ['a', 'b']],
    ['x', ['a', 'b', 'a'], ['a', 'b']],
  ]) {
    const asked = [];
    const route = async ({ name }) => {
      asked.push(name);
      return name === there && `${peer.origin}/blobs/${oid}`;
    };
    const files = await hydrate({ route, wants: wants(names), config });
    const code = names.includes(there) ? undefined : 'missing';
    assert.deepEqual(files.map(({ name, error }) => [name, error?.code]), names.map((name) => [name, code]));
    assert.deepEqual(asked, expected);
  }
}));

test('a route is not asked about the name of an entry that cannot be used', () => withPeer(async (peer, want) => {
  const { oid, size } = want;
  const manifest = JSON.stringify({
    version: '1.0', session_name: 'one', username: 'me', agent_id: 'a', agent_type: 'b',
    created_at: '2026-05-04T09:30:00Z',
    files: Object.fromEntries(Object.entries({ fine: size, flawed: -5 }).map(([name, size]) => {
      return [name, { storage: 'lfs', oid: `sha256:${oid}`, size }];
    })),
  });
  const asked = [];
  const route = ({ name }) => {
    asked.push(name);
    return `${peer.origin}/blobs/${oid}`;
  };
  const files = await hydrate({ route, manifest, config: { insecureHttp: true } });
  assert.deepEqual(files.map(({ name, error }) => [name, error?.code]), [['fine', undefined], ['flawed', 'malformed']]);
  assert.deepEqual(asked, ['fine']);
}));

test('what a route gives that is no address is the route\'s matter, and is not told', async () => {
  const wants = [{ name: 'a', oid: OID, size: 5 }];
  for (const way of [
    7, true, {}, [], Symbol('secret'), 'secret', '/secret', '//secret/a', 'ftp://secret/a', 'https://',
    { url: 'secret' }, { url: 'file:///secret', headers: {} },
  ]) {
    const [{ error }] = await hydrate({ route: () => way, wants });
    assert.equal(error.code, 'host', String(way));
    assert.match(error.message, /: the route gave something that is not an absolute http or https URL$/);
  }
});

test('a login that a transfer refuses is told of the transfer', () => withPeer(async (peer, want) => {
  const objects = (asked) => asked.map(({ oid, size }) => {
    return { oid, size, actions: { upload: { href: `${peer.origin}/put/${oid}` } } };
  });
  for (const status of [401, 403]) {
    peer.takes = ({ method }, response) => method !== 'POST' && (response.writeHead(status).end(), true);
    const login = { token: 'right' };
    const [got] = await hydrate({ endpoint: peer.endpoint, login, wants: [want] });
    assert.equal(got.error.code, 'auth');
    assert.ok(got.error.message.endsWith(`${peer.origin} answered ${status} to a GET, and no other login was given`));
    peer.takes = ({ method, body }, response) => (method === 'POST'
      ? json(response, 200, { objects: objects(JSON.parse(body).objects) })
      : (response.writeHead(status).end(), true));
    const [put] = await upload({ endpoint: peer.endpoint, login, files: [{ name: 'a', body: new Blob(['a']) }] });
    assert.equal(put.error.code, 'auth');
    assert.ok(put.error.message.endsWith(`${peer.origin} answered ${status} to a PUT, and no other login was given`));
  }
  peer.takes = ({ method }, response) => method === 'POST' && json(response, 401, { message: '' });
  const [{ error }] = await hydrate({ endpoint: peer.endpoint, login: { token: 'x' }, wants: [want] })
    .catch((error) => [{ error }]);
  assert.match(error.message, /this server did not take the login$/);
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
