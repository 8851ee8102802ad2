// The paved path in Node, against a real server.

import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { test } from 'node:test';
import { digest, until, within } from '../../tests/hosts/js/scene.mjs';
import { load } from './package.mjs';

const { hydrate } = await load('index');
const full = await load('full');

/** Puts files of these sizes on a server. */
async function published(place, ...sizes) {
  const [server, files] = [await place.server(), await place.files(...sizes)];
  const bodies = await Promise.all(files.map(async ({ name }) => ({ name, body: new Blob([await readFile(name)]) })));
  const sent = await full.upload({ endpoint: server.endpoint, login: server.login, files: bodies });
  assert.deepEqual(sent.map(({ oid, error }) => ({ oid, error })), files.map(({ oid }) => ({ oid, error: undefined })));
  return { server, files };
}

test('what was uploaded comes back, verified, in every form', () => within(async (place) => {
  const { server, files } = await published(place, 0, 5, 1024, 70_000, 3_000_000);
  const progress = [];
  const held = await hydrate({
    endpoint: server.endpoint,
    login: server.login,
    wants: files,
    onProgress: (it) => progress.push(it),
  });
  assert.equal(held.length, files.length);
  for (const [at, file] of held.entries()) {
    const bytes = await readFile(files[at].name);
    assert.equal(file.error, undefined);
    assert.equal(file.size, bytes.length);
    assert.equal(digest(await file.bytes()), file.oid);
    assert.deepEqual(await file.slice(1, 4), new Uint8Array(bytes.subarray(1, 4)));
    assert.equal((await file.text()).length, bytes.toString('utf8').length);
    let streamed = 0;
    for await (const piece of await file.stream()) streamed += piece.length;
    assert.equal(streamed, bytes.length);
  }
  assert.ok(progress.some(({ done, total }) => done === total && total === 3_000_000));
}));

test('a pointer is a want', () => within(async (place) => {
  const { server, files: [{ oid, size }] } = await published(place, 5000);
  const pointer = `version https://git-lfs.github.com/spec/v1\noid sha256:${oid}\nsize ${size}\n`;
  const [file] = await hydrate({ endpoint: server.endpoint, login: server.login, wants: [pointer] });
  assert.equal(digest(await file.bytes()), oid);
  assert.equal(file.name, '0');
  const wants = [{ name: 'a/model.bin', pointer }, { pointer: new TextEncoder().encode(pointer) }];
  const named = await hydrate({ endpoint: server.endpoint, login: server.login, wants });
  assert.deepEqual(named.map(({ name, oid, size, error }) => [name, oid, size, error]), [
    ['a/model.bin', oid, size, undefined], ['1', oid, size, undefined],
  ]);
  for (const want of ['hello', { name: 'a', pointer: 'hello' }]) {
    await assert.rejects(hydrate({ endpoint: server.endpoint, wants: [want] }), { code: 'malformed' });
  }
}));

test('a wrong byte is never shown', () => within(async (place) => {
  const { server, files } = await published(place, 100_000, 10);
  server.change = async function* (body) {
    for await (const piece of body) {
      piece[0] ^= 1;
      yield piece;
    }
  };
  const held = await hydrate({ endpoint: server.endpoint, login: server.login, wants: files });
  for (const file of held) {
    assert.equal(file.error.code, 'integrity');
    await assert.rejects(file.bytes(), { code: 'integrity' });
  }
}));

test('a login that is missing, wrong or asked for', () => within(async (place) => {
  const { server, files: [want] } = await published(place, 5000);
  const tried = (login) => hydrate({ endpoint: server.endpoint, wants: [want], login });
  const [without] = await tried(undefined).catch((error) => [{ error }]);
  assert.equal(without.error.code, 'auth');
  assert.match(without.error.message, /no login was given for this server$/);
  const [wrong] = await tried({ user: 'nobody', password: 'x' }).catch((error) => [{ error }]);
  assert.equal(wrong.error.code, 'auth');
  assert.match(wrong.error.message, /this server did not take the login$/);
  const [bare] = await tried('token').catch((error) => [{ error }]);
  assert.match(bare.error.message, /did not take the login: a string is all of Authorization, and a token alone is/);
  const asked = [];
  const [right] = await tried(({ origin, refused }) => {
    asked.push(refused);
    assert.equal(origin, new URL(server.endpoint).origin);
    return refused ? server.login : { user: 'nobody', password: 'x' };
  });
  assert.equal(right.error, undefined);
  assert.deepEqual(asked, [false, true], 'once for all requests, and once more');
}));

test('a stop in the middle leaves the rest unfinished', () => within(async (place) => {
  const { server, files } = await published(place, 3_000_000);
  const release = server.holdFirst(100_000);
  const controller = new AbortController();
  const { endpoint, login } = server;
  const held = hydrate({ endpoint, login, wants: files, signal: controller.signal });
  await until('the object is asked for', () => server.asked('GET').length > 0);
  controller.abort();
  const [file] = await held;
  release();
  assert.equal(file.error.code, 'unfinished');
}));

test('a stop ends a question for a login that nobody answers', () => within(async (place) => {
  const { server, files } = await published(place, 5000);
  const controller = new AbortController();
  let asked;
  const question = new Promise((resolve) => (asked = resolve));
  const login = () => {
    asked();
    return new Promise(() => {});
  };
  const held = hydrate({ endpoint: server.endpoint, login, wants: files, signal: controller.signal });
  await question;
  controller.abort();
  assert.equal((await held)[0].error.code, 'unfinished');
}));

test('what a hook throws ends the call', () => within(async (place) => {
  const { server, files } = await published(place, 5000);
  const onProgress = () => {
    throw new Error('a hook of the caller');
  };
  const { endpoint, login } = server;
  await assert.rejects(hydrate({ endpoint, login, wants: files, onProgress }), /a hook of the caller/);
}));

test('a connection that breaks is resumed', () => within(async (place) => {
  const { server, files: [want] } = await published(place, 3_000_000);
  let broken = 0;
  server.change = async function* (body) {
    let passed = 0;
    for await (const piece of body) {
      yield piece;
      passed += piece.length;
      if (passed > 500_000 && broken < 2) {
        broken += 1;
        throw new Error('broken');
      }
    }
  };
  const retries = [];
  const [file] = await hydrate({
    endpoint: server.endpoint,
    login: server.login,
    wants: [want],
    onRetry: (it) => retries.push(it),
  });
  assert.equal(file.error, undefined);
  assert.equal(digest(await file.bytes()), want.oid);
  assert.equal(retries.length, 2);
  assert.ok(server.asked('GET').some(({ range }) => range !== undefined), 'by a range');
}));
