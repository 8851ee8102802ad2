// The store in a folder, where a file cannot be read or boots have no names: in Node, whose functions a test can
// replace.

import assert from 'node:assert/strict';
import nodeFs from 'node:fs';
import fs, { readFile, stat, writeFile } from 'node:fs/promises';
import { syncBuiltinESMExports } from 'node:module';
import { join } from 'node:path';
import { test } from 'node:test';
import { within } from '../../tests/hosts/js/scene.mjs';
import { FolderStore, displace, entry, opened } from './folder/opened.mjs';
import { blob, heldOid, keep, newId, write } from './stores/bytes.mjs';

/** Runs a test while one function of `node:fs/promises`, or of another module, does something else. */
async function withOther(name, other, test, module = fs) {
  const own = module[name];
  module[name] = (...given) => other(own, ...given);
  syncBuiltinESMExports();
  try {
    await test();
  } finally {
    module[name] = own;
    syncBuiltinESMExports();
  }
}

test('an entry of another boot that cannot be read is not used, and stays', () => within(async (place) => {
  const { folder, store } = await opened(place);
  const it = await blob(1000);
  await keep(store, it);
  await writeFile(join(folder, 'boot'), 'another boot');
  const again = await FolderStore.open(folder);
  const path = join(folder, 'unproved', '1', it.oid.slice(0, 2), it.oid);
  // Whoever runs the tests may be allowed to read everything.
  const denied = async (open, asked, ...given) => {
    if (asked === path) throw Object.assign(new Error(`EACCES: ${asked}`), { code: 'EACCES' });
    return open(asked, ...given);
  };
  await withOther('open', denied, async () => {
    assert.equal(await again.has(it.oid, it.size), undefined);
    assert.equal(await again.open(it.oid), undefined);
  });
  const broken = async (open, ...given) => {
    const handle = await open(...given);
    if (given[0] === path) handle.read = () => Promise.reject(Object.assign(new Error('EIO'), { code: 'EIO' }));
    return handle;
  };
  await withOther('open', broken, async () => assert.equal(await again.has(it.oid, it.size), undefined));
  assert.deepEqual(await readFile(path), Buffer.from(it.bytes));
  assert.equal(await again.has(it.oid, it.size), true, 'it can be read again');
}));

test('where boots have no names, entries are on the disk before they are used', () => within(async (place) => {
  const noBoot = async (readFile, path, ...given) => {
    if (path.startsWith('/proc/')) throw Object.assign(new Error('ENOENT'), { code: 'ENOENT' });
    return readFile(path, ...given);
  };
  const synced = new Set();
  const watched = async (open, path, ...given) => {
    const handle = await open(path, ...given);
    const datasync = handle.datasync.bind(handle);
    handle.datasync = async () => {
      await datasync();
      synced.add((await handle.stat()).ino);
    };
    return handle;
  };
  await withOther('readFile', noBoot, () => withOther('open', watched, async () => {
    const { folder, store } = await opened(place);
    const isSynced = async ({ oid }) => synced.has((await stat(entry(folder, oid))).ino);
    const [fetched, left, adopted] = await Promise.all([1, 2, 3].map((seed) => blob(1000, seed)));

    await keep(store, fetched);
    assert.ok(await isSynced(fetched), 'one that was fetched');

    // No process has so high a number.
    await writeFile(join(folder, 'stage', `.hydrant-${left.oid}.999999999.left.part`), left.bytes);
    await store.keep((await store.has(left.oid, left.size)).stage, left.oid);
    assert.ok(await isSynced(left), 'one that another process left whole');

    await displace(folder, adopted, adopted.bytes);
    assert.equal(await store.has(adopted.oid, adopted.size), true);
    assert.ok(await isSynced(adopted), 'one that gave way to its pointer');
    await assert.rejects(stat(join(folder, 'boot')), { code: 'ENOENT' });
  }));
}));

test('a stage whose beginning cannot be read leaves no file open', () => within(async (place) => {
  const { store } = await opened(place);
  const it = await blob(1000);
  const older = { stage: await write(store, it, it.bytes.slice(0, 500)), bytes: 500 };
  const handles = [];
  const watched = async (open, ...given) => {
    const handle = await open(...given);
    handles.push(handle);
    return handle;
  };
  const denied = () => Promise.reject(Object.assign(new Error('EACCES'), { code: 'EACCES' }));
  await withOther('open', watched, () => withOther('openAsBlob', denied, async () => {
    await assert.rejects(store.stage(newId(), it, older), { name: 'NotReadableError' });
  }, nodeFs));
  assert.deepEqual(handles.map(({ fd }) => fd), [-1], 'it is closed');
  await keep(store, it);
  assert.equal(await heldOid(store, it.oid), it.oid);
}));
