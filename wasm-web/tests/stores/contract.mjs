// What every store does, as cases that run wherever there is a store. A place has `open(options)`, which opens the same
// store every time it is called, `corrupt(oid)`, which changes a byte of a blob behind the store's back, and
// `isLasting`: whether a store that is opened again has what the one before had.

import { blob, bytesOf, heldOid, keep, newId, oidOf, write } from './bytes.mjs';
import { keeping } from './keeping.mjs';
import { stages } from './stages.mjs';

const OTHER = 'ab'.repeat(32);
/** Names that must never get near a file. */
const BAD_OIDS = [
  '', '../x', '..', 'ab', 'AB'.repeat(32), `${OTHER}\n`, `../${OTHER.slice(3)}`, `${OTHER}0`, null, [OTHER],
];
const BAD_STAGES = ['', '../x', '.', '..', 'a/b', 'a\\b', 'é', 'a b', 'x'.repeat(65), `a\n`, undefined, ['a']];

const basic = [
  ['a kept blob is there, in every form', async (check, place) => {
    const store = await place.open();
    const it = await blob(200_000);
    check.equal(await store.has(it.oid, it.size), undefined, 'before');
    check.equal(await store.open(it.oid), undefined, 'before');
    const stage = await write(store, it, it.bytes);
    check.equal(await store.open(it.oid), undefined, 'not before it is kept');
    await store.keep(stage, it.oid);
    check.equal(await store.has(it.oid, it.size), true, 'kept');
    check.equal(await store.has(it.oid, it.size + 1), undefined, 'another size is another blob');
    check.equal(await heldOid(store, it.oid), it.oid, 'all bytes');
    const part = await bytesOf((await store.open(it.oid)).slice(70_000, 70_010));
    check.equal([...part], [...it.bytes.slice(70_000, 70_010)], 'some bytes');
    check.equal(await store.has(OTHER, it.size), undefined, 'another one');
  }],

  ['a kept blob is there for who opens the store again', async (check, place) => {
    const it = await blob(5000);
    await keep(await place.open(), it);
    const again = await place.open();
    check.equal(await again.has(it.oid, it.size), place.isLasting ? true : undefined, 'again');
    check.equal(await heldOid(again, it.oid), place.isLasting ? it.oid : undefined, 'again');
  }],

  ['an empty blob', async (check, place) => {
    const store = await place.open();
    const it = await blob(0);
    check.equal(await store.has(it.oid, 0), undefined, 'before');
    await keep(store, it);
    check.equal(await store.has(it.oid, 0), true, 'kept');
    check.equal((await store.open(it.oid)).size, 0, 'its size');
    check.equal(await store.verify(), { checked: 1, removed: [] }, 'verified');
  }],

  ['64 MiB in pieces of 64 KiB', async (check, place) => {
    const store = await place.open();
    const it = await blob(64 << 20);
    await keep(store, it);
    const held = await store.open(it.oid);
    check.equal(held.size, it.size, 'its size');
    check.equal(await oidOf(await bytesOf(held)), it.oid, 'its bytes');
    check.equal(await store.verify({ Hasher: place.Hasher }), { checked: 1, removed: [] }, 'verified');
  }],

  ['names that are none reach nothing', async (check, place) => {
    const store = await place.open();
    const malformed = { code: 'malformed' };
    for (const oid of BAD_OIDS) {
      const what = JSON.stringify(oid);
      for (const method of ['has', 'open', 'claim', 'pin', 'unpin', 'remove', 'hold']) {
        await check.rejects(async () => store[method](oid, 1), malformed, `${method}(${what})`);
      }
      await check.rejects(() => store.keep(newId(), oid), malformed, `keep(${what})`);
      await check.rejects(() => store.stage(newId(), { oid, size: 1 }), malformed, `stage of ${what}`);
    }
    for (const stage of BAD_STAGES) {
      const what = JSON.stringify(stage);
      await check.rejects(() => store.keep(stage, OTHER), malformed, `keep(${what})`);
      await check.rejects(() => store.drop(stage), malformed, `drop(${what})`);
      await check.rejects(() => store.stage(stage, { oid: OTHER, size: 1 }), malformed, `stage ${what}`);
      const older = { stage, bytes: 1 };
      await check.rejects(() => store.stage(newId(), { oid: OTHER, size: 1 }, older), malformed, `older ${what}`);
    }
    for (const size of [-1, 0.5, NaN, 2 ** 60, '1']) {
      await check.rejects(() => store.stage(newId(), { oid: OTHER, size }), malformed, `a size of ${size}`);
    }
    for (const maxBytes of [-1, NaN, '5', null]) {
      await check.rejects(() => place.open({ maxBytes }), malformed, `maxBytes ${maxBytes}`);
    }
    check.equal(await store.list(), [], 'nothing is there');
  }],

  ['options that are null count as not given', async (check, place) => {
    const store = await place.open(null);
    await keep(store, await blob(1000));
    check.equal((await store.list()).length, 1, 'it keeps what it is given');
    check.equal(await store.verify(null), { checked: 1, removed: [] }, 'it verifies');
  }],

  ['a claim is one at a time, in order, and an abort leaves the queue', async (check, place) => {
    const store = await place.open();
    const other = place.isLasting ? await place.open() : store;
    const told = [];
    const first = await store.claim(OTHER);
    const second = other.claim(OTHER).then((release) => (told.push('second'), release));
    const stopped = new AbortController();
    const third = store.claim(OTHER, stopped.signal);
    const fourth = store.claim(OTHER).then((release) => (told.push('fourth'), release));
    (await store.claim('cd'.repeat(32)))();
    const reason = new Error('enough');
    stopped.abort(reason);
    await check.rejects(() => third, { is: reason }, 'aborted while it waits');
    await check.rejects(() => store.claim(OTHER, stopped.signal), { is: reason }, 'aborted before');
    check.equal(told, [], 'nobody has it but the first');
    first();
    first();
    const release = await second;
    check.equal(told, ['second'], 'one at a time');
    release();
    (await fourth)();
    check.equal(told, ['second', 'fourth'], 'in order');
    (await other.claim(OTHER, new AbortController().signal))();
  }],

  ['two operations on one blob fetch it once', async (check, place) => {
    const it = await blob(300_000);
    const store = await place.open();
    let fetched = 0;
    const operation = async () => {
      if ((await store.has(it.oid, it.size)) === true) return;
      const release = await store.claim(it.oid);
      try {
        if ((await store.has(it.oid, it.size)) === true) return;
        fetched += 1;
        await keep(store, it);
      } finally {
        release();
      }
    };
    await Promise.all([operation(), operation(), operation()]);
    check.equal(fetched, 1, 'fetched');
    check.equal(await heldOid(store, it.oid), it.oid, 'held');
  }],
];

/** All cases: a name, and what it does with a check and a place. */
export const contract = [...basic, ...stages, ...keeping];
