// The store in a folder: what it has in common with the command, and what a process leaves that is gone.
//
// HYDRANT_BIN names the `hydrant` command; without it, it is the one that `cargo xtask build` makes.

import assert from 'node:assert/strict';
import { execFile, spawn } from 'node:child_process';
import { mkdir, open, readFile, readdir, rename, rm, stat, symlink, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import process from 'node:process';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { target } from '../../tests/hosts/js/component.mjs';
import { within } from '../../tests/hosts/js/scene.mjs';
import { FolderStore, MODULE, displace, entry, opened } from './folder/opened.mjs';
import { load } from './package.mjs';
import { blob, bytesOf, heldOid, keep, newId, write } from './stores/bytes.mjs';

const HYDRANT = process.env.HYDRANT_BIN ?? join(target, 'release', 'hydrant');
const { hydrate } = await load('index');
const { upload } = await load('full');
const run = promisify(execFile);
const WEEK_S = 7 * 24 * 3600;

/** Files on a server, and a repository with their pointers. */
async function scene(place, ...sizes) {
  const server = await place.server();
  const blobs = await Promise.all(sizes.map((size, at) => blob(size, at + 1)));
  const files = blobs.map(({ oid, bytes }) => ({ name: oid, body: new Blob([bytes]) }));
  const sent = await upload({ endpoint: server.endpoint, login: server.login, files });
  assert.deepEqual(sent.map(({ error }) => error), sizes.map(() => undefined));
  const repository = join(place.folder, 'repository');
  await mkdir(repository);
  const env = { ...process.env, GIT_CONFIG_GLOBAL: '/dev/null', GIT_CONFIG_SYSTEM: '/dev/null' };
  Object.assign(env, { HYDRANT_LFS_USER: server.login.user, HYDRANT_LFS_TOKEN: server.login.password });
  const command = (...given) => run(HYDRANT, given, { cwd: repository, env });
  const git = (...given) => run('git', given, { cwd: repository, env });
  await git('init', '-q');
  await git('config', 'lfs.url', server.endpoint);
  for (const { oid, size } of blobs) {
    const pointer = `version https://git-lfs.github.com/spec/v1\noid sha256:${oid}\nsize ${size}\n`;
    await writeFile(join(repository, `${oid}.bin`), pointer);
  }
  await git('add', '.');
  server.requests.length = 0;
  const script = async () => {
    const store = await FolderStore.open(join(repository, '.git', 'hydrant'));
    const wants = blobs.map(({ oid, size }) => ({ oid, size }));
    const held = await hydrate({ endpoint: server.endpoint, login: server.login, wants, store });
    assert.deepEqual(held.map(({ error }) => error), sizes.map(() => undefined));
    for (const { oid } of blobs) assert.equal(await heldOid(store, oid), oid);
    return store;
  };
  return { server, blobs, cache: join(repository, '.git', 'hydrant'), command, script };
}

/** A child that is at work, once it said a line. */
async function child(place, folder, ...given) {
  const script = fileURLToPath(new URL('stores/child.mjs', import.meta.url));
  const running = spawn(process.execPath, [script, MODULE, folder, ...given], { stdio: ['ignore', 'pipe', 'inherit'] });
  const ended = new Promise((resolve) => running.once('close', resolve));
  const said = new Promise((resolve, reject) => {
    running.stdout.once('data', resolve);
    ended.then(() => reject(new Error('the child ended before it said anything')));
  });
  const kill = async () => {
    running.kill('SIGKILL');
    await ended;
  };
  await said;
  return { ended, kill };
}


test('the command has what a script fetched, and asks for nothing', () => within(async (place) => {
  const { server, blobs, command, script } = await scene(place, 0, 5, 70_000, 3_000_000);
  await script();
  assert.equal(server.asked('GET').length, 4);
  server.requests.length = 0;
  const { stdout } = await command('hydrate', '--json');
  assert.deepEqual(server.asked('GET'), []);
  for (const { oid } of blobs) assert.ok(stdout.includes(oid), 'it was about these');
  const listed = JSON.parse((await command('cache', 'list', '--json')).stdout).object_list;
  assert.deepEqual(listed.map(({ oid }) => oid), blobs.map(({ oid }) => oid).sort());
  await command('cache', 'verify');
}));

test('a script has what the command fetched, and asks for nothing', () => within(async (place) => {
  const { server, blobs, command, script } = await scene(place, 0, 5, 70_000, 3_000_000);
  await command('hydrate');
  assert.equal(server.asked('GET').length, 4);
  server.requests.length = 0;
  const store = await script();
  assert.deepEqual(server.requests, []);
  assert.deepEqual(await store.verify(), { checked: blobs.length, removed: [] });
}));

test('what the command removes is fetched again, while a script has the folder open', () => within(async (place) => {
  const { server, command, script } = await scene(place, 5, 70_000);
  await script();
  await command('cache', 'clear', '--yes');
  server.requests.length = 0;
  await script();
  assert.equal(server.asked('GET').length, 2);
}));

test('entries of another boot are hashed before they are used', () => within(async (place) => {
  const { folder, store } = await opened(place);
  const [good, bad] = [await blob(1000, 1), await blob(1000, 2)];
  for (const it of [good, bad]) await keep(store, it);
  await writeFile(entry(folder, bad.oid), bad.bytes.with(5, bad.bytes[5] ^ 1));
  const boot = await readFile(join(folder, 'boot'), 'utf8');
  await writeFile(join(folder, 'boot'), 'another boot');

  const again = await FolderStore.open(folder);
  assert.equal(await readFile(join(folder, 'boot'), 'utf8'), boot);
  assert.deepEqual(await readdir(join(folder, 'cache')), []);
  assert.equal((await again.list()).length, 2, 'they are there, but not trusted');
  assert.equal(await again.has(bad.oid, bad.size), undefined);
  assert.equal(await again.open(bad.oid), undefined);
  assert.equal(await again.has(good.oid, good.size), true);
  assert.deepEqual((await again.list()).map(({ oid }) => oid), [good.oid]);
  assert.equal(await heldOid(again, good.oid), good.oid);
  assert.deepEqual(await readFile(entry(folder, good.oid)), Buffer.from(good.bytes));
}));

test('entries without a boot are hashed before they are used', () => within(async (place) => {
  const folder = join(place.folder, 'cache');
  const [good, bad] = [await blob(1000, 1), await blob(1000, 2)];
  for (const { oid } of [good, bad]) {
    await mkdir(join(folder, 'cache', oid.slice(0, 2)), { recursive: true });
    await writeFile(entry(folder, oid), good.bytes);
  }
  const store = await FolderStore.open(folder);
  assert.deepEqual(await readdir(join(folder, 'unproved')), ['1']);
  assert.deepEqual(await store.verify(), { checked: 2, removed: [bad.oid] });
  assert.equal(await heldOid(store, good.oid), good.oid, 'open proves, too');
}));

test('a process that is killed leaves a beginning, which goes on', () => within(async (place) => {
  const { folder, store } = await opened(place);
  const it = await blob(1_000_000);
  const { kill } = await child(place, folder, 'half', String(it.size));
  assert.equal(await store.has(it.oid, it.size), undefined, 'somebody writes to it');
  await kill();
  const found = await store.has(it.oid, it.size);
  const bytes = found.blob.size;
  assert.ok(bytes >= it.size / 2 && bytes < it.size, `${bytes} bytes`);
  assert.deepEqual(await bytesOf(found.blob), it.bytes.slice(0, bytes));
  const older = { stage: found.stage, bytes };
  await store.keep(await write(store, it, it.bytes.slice(bytes), { older }), it.oid);
  assert.equal(await heldOid(store, it.oid), it.oid);
  assert.deepEqual(await readdir(join(folder, 'stage')), []);
}));

test('what was left is copied, for who left it may live elsewhere', () => within(async (place) => {
  const { folder, store } = await opened(place);
  const it = await blob(1000);
  // No process here has so high a number, but one in another container.
  const left = await open(join(folder, 'stage', `.hydrant-${it.oid}.999999999.left.part`), 'wx');
  await left.write(it.bytes);
  const found = await store.has(it.oid, it.size);
  assert.equal(found.blob.size, it.size);
  await left.write(new Uint8Array(100), 0, 100, 0);
  await left.close();
  assert.deepEqual(await bytesOf(found.blob), it.bytes);
  await store.keep(found.stage, it.oid);
  assert.equal(await heldOid(store, it.oid), it.oid);
}));

test('a process that is killed while it keeps blobs leaves no wrong one', () => within(async (place) => {
  const { folder, store } = await opened(place);
  const { kill } = await child(place, folder, 'keep', '1000');
  await kill();
  const all = await store.list();
  assert.ok(all.length > 0 && all.length < 1000, `${all.length} blobs`);
  assert.deepEqual(await store.verify(), { checked: all.length, removed: [] });
}));

test('processes that keep the same blobs at once do not disturb each other', () => within(async (place) => {
  const { folder, store } = await opened(place);
  const children = await Promise.all([1, 2, 3].map(() => child(place, folder, 'keep', '40')));
  for (const { ended } of children) assert.equal(await ended, 0);
  assert.deepEqual(await store.verify(), { checked: 40, removed: [] });
  assert.deepEqual(await readdir(join(folder, 'stage')), []);
}));

test('stages of the command are left alone', () => within(async (place) => {
  const { folder, store } = await opened(place);
  const it = await blob(100_000);
  const name = `.hydrant-${it.oid}.part`;
  await writeFile(join(folder, 'stage', name), it.bytes.slice(0, 500));
  await writeFile(join(folder, 'stage', `${name}.from`), '"v1"');
  await utimes(join(folder, 'stage', name), 1, 1);
  assert.equal(await store.has(it.oid, it.size), undefined);
  await keep(store, it);
  await FolderStore.open(folder);
  assert.deepEqual((await readdir(join(folder, 'stage'))).sort(), [name, `${name}.from`]);
}));

test('old leftovers of processes that are gone are removed, young ones stay', () => within(async (place) => {
  const { folder } = await opened(place);
  const [old, young] = [await blob(500, 1), await blob(500, 2)];
  // No process has so high a number.
  const name = ({ oid }) => join(folder, 'stage', `.hydrant-${oid}.999999999.left.part`);
  const mine = join(folder, 'stage', `.hydrant-${old.oid}.${process.ppid}.left.part`);
  for (const path of [name(old), name(young), mine]) await writeFile(path, 'left');
  const then = Date.now() / 1000 - WEEK_S - 60;
  for (const path of [name(old), mine]) await utimes(path, then, then);
  const store = await FolderStore.open(folder);
  const left = await readdir(join(folder, 'stage'));
  assert.deepEqual(left.map((name) => join(folder, 'stage', name)).sort(), [name(young), mine].sort());
  assert.equal((await store.has(young.oid, young.size)).blob.size, 4);
}));

test('links and folders are no entries', () => within(async (place) => {
  const { folder, store } = await opened(place);
  const [linked, made] = [await blob(500, 1), await blob(500, 2)];
  await writeFile(join(place.folder, 'elsewhere'), linked.bytes);
  for (const { oid } of [linked, made]) await mkdir(join(folder, 'cache', oid.slice(0, 2)), { recursive: true });
  await symlink(join(place.folder, 'elsewhere'), entry(folder, linked.oid));
  await mkdir(entry(folder, made.oid));
  for (const it of [linked, made]) {
    assert.equal(await store.has(it.oid, it.size), undefined);
    assert.equal(await store.open(it.oid), undefined);
  }
  assert.deepEqual(await store.list(), []);
  await keep(store, linked);
  assert.equal(await heldOid(store, linked.oid), linked.oid);
  await rename(join(folder, 'cache'), join(place.folder, 'away'));
  await symlink(join(place.folder, 'away'), join(folder, 'cache'));
  await assert.rejects(FolderStore.open(folder), { name: 'NotAllowedError' });
}));

test('the folder is its user\'s alone', () => within(async (place) => {
  const { folder, store } = await opened(place);
  const it = await blob(500);
  await keep(store, it);
  await store.pin(it.oid);
  const mode = async (path) => ((await stat(path)).mode & 0o777).toString(8);
  for (const path of [folder, join(folder, 'stage'), join(folder, 'cache', it.oid.slice(0, 2)), join(folder, 'pins')]) {
    assert.equal(await mode(path), '700', path);
  }
  for (const path of [entry(folder, it.oid), join(folder, 'boot'), join(folder, 'pins', it.oid)]) {
    assert.equal(await mode(path), '600', path);
  }
}));

test('a file that gave way to its pointer is copied, if it still is what it was', () => within(async (place) => {
  const { folder, store } = await opened(place);
  const [good, changed, wrong] = [await blob(500, 1), await blob(500, 2), await blob(500, 3)];
  for (const it of [good, changed, wrong]) it.path = await displace(folder, it, it === wrong ? good.bytes : it.bytes);
  await utimes(changed.path, 5, 5);
  assert.equal(await store.has(good.oid, good.size), true);
  assert.equal(await heldOid(store, good.oid), good.oid);
  assert.equal(await store.has(changed.oid, changed.size), undefined, 'written since');
  assert.equal(await store.has(wrong.oid, wrong.size), undefined, 'never was it');
  assert.equal((await readdir(join(folder, 'adopted'))).length, 3, 'all stay');
  assert.deepEqual(await readdir(join(folder, 'stage')), []);
}));

test('a Blob can be read however often its file is used', () => within(async (place) => {
  const { store } = await opened(place);
  const it = await blob(5000);
  await keep(store, it);
  const held = await store.open(it.oid);
  const again = await FolderStore.open((await opened(place)).folder);
  await again.has(it.oid, it.size);
  await again.open(it.oid);
  // The list comes after all notes of uses.
  await again.list();
  assert.deepEqual(await bytesOf(held), it.bytes);
}));

test('a stage that is taken away is an error with a name, and nothing wrong is kept', () => within(async (place) => {
  const { folder, store } = await opened(place);
  const it = await blob(5000);
  const id = await write(store, it, it.bytes);
  const [name] = await readdir(join(folder, 'stage'));
  await rename(join(folder, 'stage', name), join(folder, name));
  await assert.rejects(store.keep(id, it.oid), { name: 'NotFoundError' });
  assert.equal(await store.has(it.oid, it.size), undefined);
  await store.drop(id);
  await assert.rejects(store.keep(newId(), it.oid), { name: 'NotFoundError' });
  await keep(store, it);
  assert.equal(await heldOid(store, it.oid), it.oid);
}));

for (const [what, part] of [['of the store', '.'], ['of stages', 'stage'], ['of entries', 'cache']]) {
  test(`a folder ${what} that is removed while it is open is made again`, () => within(async (place) => {
    const { server, blobs: [before, it] } = await scene(place, 5000, 7000);
    const { folder, store } = await opened(place);
    const { endpoint, login } = server;
    const hydrated = async (...blobs) => {
      const wants = blobs.map(({ oid, size }) => ({ oid, size }));
      const files = await hydrate({ endpoint, login, wants, store });
      assert.deepEqual(files.map(({ error }) => error), blobs.map(() => undefined));
    };
    await hydrated(before);
    await store.pin(before.oid);
    await rm(join(folder, part), { recursive: true });
    if (part === '.') {
      assert.deepEqual(await store.list(), []);
      assert.deepEqual(await store.verify(), { checked: 0, removed: [] });
    }
    await hydrated(before, it);
    await rm(join(folder, part), { recursive: true });
    await store.pin(it.oid);
    await hydrated(it, before);
    // Whoever opens it later trusts what is there.
    const again = await FolderStore.open(folder);
    for (const { oid, size } of [before, it]) {
      assert.equal(await again.has(oid, size), true);
      assert.equal(await heldOid(again, oid), oid);
    }
    assert.equal((await stat(join(folder, 'stage'))).mode & 0o077, 0, 'for nobody else');
    assert.equal((await again.list()).find(({ oid }) => oid === it.oid).pinned, true);
  }));
}

test('a displaced file is used also where the folder of stages was removed', () => within(async (place) => {
  const { folder, store } = await opened(place);
  const it = await blob(5000);
  await displace(folder, it, it.bytes);
  await rm(join(folder, 'stage'), { recursive: true });
  assert.equal(await store.has(it.oid, it.size), true);
  assert.equal(await heldOid(store, it.oid), it.oid);
}));

test('a stage whose folder goes while it is written is an error of this machine', () => within(async (place) => {
  const { server, blobs: [it] } = await scene(place, 3_000_000);
  const { folder, store } = await opened(place);
  const { endpoint, login } = server;
  const hydrated = async () => (await hydrate({ endpoint, login, wants: [{ oid: it.oid, size: it.size }], store }))[0];
  const keep = store.keep.bind(store);
  store.keep = async (...given) => {
    store.keep = keep;
    await rm(folder, { recursive: true });
    return keep(...given);
  };
  const { error } = await hydrated();
  assert.equal(error.code, 'host');
  assert.match(error.message, /the store threw NotFoundError$/);
  assert.equal((await hydrated()).error, undefined);
}));

test('what is removed is gone from every boot', () => within(async (place) => {
  const { folder, store } = await opened(place);
  const it = await blob(1000);
  await keep(store, it);
  await writeFile(join(folder, 'boot'), 'another boot');
  const again = await FolderStore.open(folder);
  await keep(again, it);
  await again.remove(it.oid);
  assert.equal(await again.has(it.oid, it.size), undefined);
  assert.deepEqual(await again.list(), []);
}));

test('a store that is made without being opened says how it is opened', () => {
  assert.throws(() => new FolderStore('cache'), /^TypeError: a store is made by its function open/);
});
