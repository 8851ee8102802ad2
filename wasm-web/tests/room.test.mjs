// What stores have in common, on a shelf that does as it is told.

import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { pathToFileURL } from 'node:url';
import { folder as built } from './package.mjs';

const load = (name) => import(pathToFileURL(join(built, 'stores', name)));
const { Room } = await load('room.js');
const { ProcessLocks } = await load('locks.js');
const { ShelfStore } = await load('store.js');
const { Pieces } = await load('pieces.js');

/** Blobs of 10 bytes, the first used longest ago; `pinned` are pinned. */
function shelf(oids, ...pinned) {
  const blobs = new Map(oids.map((oid, at) => [oid, { size: 10, usedAt: at, pinned: pinned.includes(oid) }]));
  return {
    blobs,
    list: async () => [...blobs].map(([oid, facts]) => ({ oid, ...facts })),
    look: async (oid) => blobs.get(oid) && { ...blobs.get(oid) },
    remove: async (oid) => blobs.delete(oid),
    note: async () => {},
    pin: async (oid, pinned) => (blobs.get(oid).pinned = pinned),
  };
}

const room = (on, given) => new Room(on, { locks: new ProcessLocks(), maxBytes: Infinity, ...given });

/** Work that finds no room the first times. */
function work(failures) {
  const full = new DOMException('full', 'QuotaExceededError');
  const it = { times: 0, full };
  it.run = async () => {
    it.times += 1;
    if (it.times <= failures) throw full;
    return 'done';
  };
  return it;
}

test('without room the least recently used go, and it is tried once more', async () => {
  const on = shelf(['a', 'b', 'c', 'd'], 'a');
  const once = work(1);
  assert.equal(await room(on).with(15, once.run), 'done');
  assert.deepEqual([once.times, [...on.blobs.keys()]], [2, ['a', 'd']]);
});

test('if there is still none, that is the error, and what is pinned or in use is left', async () => {
  const on = shelf(['a', 'b', 'c'], 'a');
  const it = room(on);
  it.hold('b');
  const twice = work(2);
  await assert.rejects(it.with(1000, twice.run), (error) => error === twice.full);
  assert.deepEqual([twice.times, [...on.blobs.keys()]], [2, ['a', 'b']]);
});

test('without anything that may go, it is not tried again', async () => {
  const on = shelf(['a'], 'a');
  const once = work(1);
  await assert.rejects(room(on).with(5, once.run), (error) => error === once.full);
  assert.deepEqual([once.times, [...on.blobs.keys()]], [1, ['a']]);
});

test('where nothing goes unasked, nothing goes but within a cap', async () => {
  const on = shelf(['a', 'b']);
  const once = work(1);
  await assert.rejects(room(on, { freesUnasked: false }).with(5, once.run), (error) => error === once.full);
  assert.deepEqual([...on.blobs.keys()], ['a', 'b']);
  assert.equal(await room(on, { freesUnasked: false, maxBytes: 100 }).with(5, work(1).run), 'done');
  assert.deepEqual([...on.blobs.keys()], ['b']);
});

test('an error while room is made does not hide the one that mattered', async () => {
  const on = shelf(['a']);
  on.remove = () => Promise.reject(new Error('broken'));
  const once = work(1);
  await assert.rejects(room(on).with(5, once.run), (error) => error === once.full);
  const kept = Object.assign(on, { keep: async () => 10 });
  const store = new ShelfStore(kept, { locks: new ProcessLocks(), maxBytes: 5 });
  on.blobs.set('b', { size: 10, usedAt: 9, pinned: false });
  await store.keep('stage', 'ab'.repeat(32));
  assert.equal(once.times, 1);
});

test('a blob that cannot be removed does not keep the others', async () => {
  const on = shelf(['a', 'b', 'c', 'd']);
  const { remove } = on;
  const broken = new Error('broken');
  const tried = [];
  on.remove = async (oid) => {
    tried.push(oid);
    if (oid === 'a') throw broken;
    return remove(oid);
  };
  const once = work(1);
  assert.equal(await room(on).with(15, once.run), 'done');
  assert.deepEqual([tried, [...on.blobs.keys()]], [['a', 'b', 'c'], ['a', 'd']]);
  // Only if that leaves too much, it is told.
  const it = room(on, { maxBytes: 25 });
  await it.kept('d', 10);
  on.blobs.set('e', { size: 20, usedAt: 9, pinned: false });
  await assert.rejects(it.kept('e', 20), (error) => error === broken);
  assert.deepEqual([...on.blobs.keys()], ['a', 'e']);
});

test('another error is not about room', async () => {
  const on = shelf(['a']);
  const broken = new Error('broken');
  await assert.rejects(room(on).with(5, () => Promise.reject(broken)), (error) => error === broken);
  assert.deepEqual([...on.blobs.keys()], ['a']);
});

test('what another page removed is room, too', async () => {
  const on = shelf(['a', 'b', 'c', 'd', 'e']);
  const it = room(on, { maxBytes: 50 });
  await it.list();
  // Another page does this.
  on.blobs.delete('a');
  on.blobs.set('f', { size: 1, usedAt: Date.now(), pinned: false });
  await it.kept('f', 1);
  assert.deepEqual([...on.blobs.keys()], ['b', 'c', 'd', 'e', 'f']);
});

test('what another page pinned or used does not go', async () => {
  const on = shelf(['a', 'b', 'c', 'd']);
  const it = room(on, { maxBytes: 40 });
  await it.list();
  on.blobs.get('a').pinned = true;
  on.blobs.get('b').usedAt = 50;
  on.list = () => assert.fail('it looks at one at a time');
  on.blobs.set('e', { size: 2, usedAt: 60, pinned: false });
  await it.kept('e', 2);
  assert.deepEqual([...on.blobs.keys()], ['a', 'b', 'd', 'e']);
});

test('what other pages kept is seen once this one kept a part of the cap', async () => {
  const on = shelf(['a', 'b']);
  const it = room(on, { maxBytes: 64 });
  await it.list();
  // Another page keeps these.
  for (const oid of ['x', 'y', 'z']) on.blobs.set(oid, { size: 20, usedAt: 10, pinned: false });
  for (const oid of ['c', 'd']) {
    on.blobs.set(oid, { size: 3, usedAt: 20, pinned: false });
    await it.kept(oid, 3);
  }
  assert.deepEqual([...on.blobs.keys()], ['y', 'z', 'c', 'd']);
});

test('the list comes after all notes of uses', async () => {
  const on = shelf(['a']);
  let note;
  on.note = () => new Promise((resolve) => (note = resolve));
  const it = room(on);
  it.use('a');
  let isListed = false;
  const listed = it.list().then(() => (isListed = true));
  await new Promise((resolve) => setImmediate(resolve));
  assert.equal(isListed, false);
  note();
  await listed;
});

test('a removal that fails is told once everything was looked at', async () => {
  const broken = new Error('broken');
  const removed = [];
  const places = ['a', 'b', 'c'].map((oid) => ({
    oid,
    size: 1,
    blob: async () => new Blob(['x']),
    remove: async () => {
      if (oid === 'a') throw broken;
      removed.push(oid);
    },
  }));
  const store = new ShelfStore({ places: async () => places }, { locks: new ProcessLocks(), maxBytes: Infinity });
  await assert.rejects(store.verify(), (error) => error === broken);
  assert.deepEqual(removed, ['b', 'c']);
});

test('thousands of pieces are few Blobs', () => {
  const Plain = globalThis.Blob;
  let most = 0;
  globalThis.Blob = class extends Plain {
    constructor(parts, ...given) {
      super(parts, ...given);
      most = Math.max(most, parts.length);
    }
  };
  try {
    const pieces = new Pieces();
    const piece = new Uint8Array(16 << 10);
    for (let at = 0; at < 4096; at += 1) pieces.push(piece);
    assert.equal(pieces.blob().size, 64 << 20);
  } finally {
    globalThis.Blob = Plain;
  }
  assert.equal(most, 256);
});

test('a hold that comes while another blob is removed is respected', async () => {
  const on = shelf(['a', 'b', 'c']);
  const it = room(on, { maxBytes: 25 });
  const look = on.look;
  on.look = async (oid) => {
    it.hold(oid);
    on.look = look;
    return look(oid);
  };
  on.blobs.set('d', { size: 5, usedAt: 9, pinned: false });
  await it.kept('d', 5);
  assert.deepEqual([...on.blobs.keys()], ['a', 'c', 'd']);
});
