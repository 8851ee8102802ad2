// Making room, on a shelf that does as it is told.

import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { pathToFileURL } from 'node:url';
import { folder as built } from './package.mjs';

const load = (name) => import(pathToFileURL(join(built, 'stores', name)));
const { Room } = await load('room.js');
const { ProcessLocks } = await load('locks.js');

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

test('another error is not about room', async () => {
  const on = shelf(['a']);
  const broken = new Error('broken');
  await assert.rejects(room(on).with(5, () => Promise.reject(broken)), (error) => error === broken);
  assert.deepEqual([...on.blobs.keys()], ['a']);
});

test('what another page used or pinned since is not the oldest any more', async () => {
  const on = shelf(['d', 'a', 'b', 'c']);
  const it = room(on, { maxBytes: 40 });
  await it.list();
  // Another page does this.
  on.blobs.get('a').pinned = true;
  on.blobs.get('b').usedAt = 50;
  on.blobs.delete('d');
  on.blobs.set('e', { size: 1, usedAt: Date.now(), pinned: false });
  await it.kept('e', 1);
  assert.deepEqual([...on.blobs.keys()], ['a', 'b', 'c', 'e'], 'the place of the one that is gone was enough');
  on.blobs.set('f', { size: 10, usedAt: Date.now(), pinned: false });
  await it.kept('f', 10);
  assert.deepEqual([...on.blobs.keys()], ['a', 'b', 'e', 'f']);
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
