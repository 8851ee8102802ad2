// Cases about stages.

import { PIECE_BYTES, blob, bytesOf, heldOid, keep, newId, oidOf, write } from './bytes.mjs';

const OTHER = 'ab'.repeat(32);
const CUT = 150_000;

export const stages = [
  ['a beginning is offered with its validator, and goes on', async (check, place) => {
    const store = await place.open();
    const it = await blob(400_000);
    const first = await write(store, it, it.bytes.slice(0, CUT), { validator: '"v1"' });
    const found = await store.has(it.oid, it.size);
    check.equal([found.stage, found.blob.size, found.validator], [first, CUT, '"v1"'], 'the beginning');
    check.equal(await oidOf(await bytesOf(found.blob)), await oidOf(it.bytes.slice(0, CUT)), 'its bytes');

    const id = newId();
    const stage = await store.stage(id, it, { stage: first, bytes: CUT });
    check.equal([...(await bytesOf(stage.beginning))].length, CUT, 'what it begins with');
    check.equal(await store.has(it.oid, it.size), undefined, 'somebody writes to it');
    for (let at = CUT; at < it.size; at += PIECE_BYTES) await stage.write(it.bytes.slice(at, at + PIECE_BYTES));
    await stage.close();
    await store.keep(id, it.oid);
    check.equal(await heldOid(store, it.oid), it.oid, 'all of it');
    const again = { stage: first, bytes: CUT };
    await check.rejects(() => store.stage(newId(), it, again), { name: 'NotFoundError' }, 'the older one is gone');
  }],

  ['the validator is that of the last answer', async (check, place) => {
    const store = await place.open();
    const it = await blob(3000);
    let older;
    for (const validator of ['"v1"', '"v2"', undefined, '"v3"']) {
      const bytes = older?.bytes ?? 0;
      const stage = await write(store, it, it.bytes.slice(bytes, bytes + 500), { older, validator });
      const found = await store.has(it.oid, it.size);
      const expected = [stage, bytes + 500, validator];
      check.equal([found.stage, found.blob.size, found.validator], expected, `after ${validator}`);
      older = { stage, bytes: bytes + 500 };
    }
    const anew = await write(store, it, it.bytes.slice(0, 2500));
    check.equal((await store.has(it.oid, it.size)).stage, anew, 'one that began anew');
    check.equal((await store.has(it.oid, it.size)).validator, undefined, 'has none of another');
  }],

  ['a part of a beginning', async (check, place) => {
    const store = await place.open();
    const it = await blob(400_000);
    const wrong = it.bytes.slice(0, CUT).fill(0, 1000);
    const id = newId();
    const stage = await store.stage(id, it, { stage: await write(store, it, wrong), bytes: 1000 });
    const beginning = await oidOf(it.bytes.slice(0, 1000));
    check.equal(await oidOf(await bytesOf(stage.beginning)), beginning, 'what it begins with');
    await stage.write(it.bytes.slice(1000));
    await stage.close();
    await store.keep(id, it.oid);
    check.equal(await heldOid(store, it.oid), it.oid, 'held');
  }],

  ['a whole stage is offered to be judged', async (check, place) => {
    const store = await place.open();
    const it = await blob(90_000);
    await write(store, it, it.bytes);
    const found = await store.has(it.oid, it.size);
    check.equal(await oidOf(await bytesOf(found.blob)), it.oid, 'its bytes');
    await store.keep(found.stage, it.oid);
    check.equal(await heldOid(store, it.oid), it.oid, 'held');
  }],

  ['stages that are no beginning are ignored', async (check, place) => {
    const store = await place.open();
    const it = await blob(1000);
    await write(store, it, new Uint8Array(1001));
    check.equal(await store.has(it.oid, it.size), undefined, 'longer than the blob');
    await write(store, it, new Uint8Array());
    check.equal(await store.has(it.oid, it.size), undefined, 'empty');
    await write(store, await blob(1000, 7), it.bytes);
    check.equal(await store.has(it.oid, it.size), undefined, 'of another blob');
  }],

  ['the longest beginning is offered', async (check, place) => {
    const store = await place.open();
    const it = await blob(3000);
    const stages = [];
    for (const length of [1000, 2500, 2000]) stages.push(await write(store, it, it.bytes.slice(0, length)));
    check.equal((await store.has(it.oid, it.size)).stage, stages[1], 'the longest');
  }],

  ['what is dropped is gone, and may be dropped twice', async (check, place) => {
    const store = await place.open();
    const it = await blob(70_000);
    const closed = await write(store, it, it.bytes);
    await store.drop(closed);
    await store.drop(closed);
    await store.drop('never-there');
    check.equal(await store.has(it.oid, it.size), undefined, 'closed, and dropped');
    const open = newId();
    const stage = await store.stage(open, it);
    await stage.write(it.bytes);
    await store.drop(open);
    check.equal(await store.has(it.oid, it.size), undefined, 'open, and dropped');
    const busy = newId();
    const writing = (await store.stage(busy, { oid: it.oid, size: 1_000_000 })).write(new Uint8Array(1_000_000));
    await store.drop(busy);
    // What was under way may end as it likes.
    await Promise.resolve(writing).catch(() => {});
    check.equal(await store.has(it.oid, 1_000_000), undefined, 'written to, and dropped');
    await check.rejects(() => store.keep(open, it.oid), { name: 'NotFoundError' }, 'kept after that');
  }],

  ['only a whole stage of this blob to which nobody writes is kept', async (check, place) => {
    const store = await place.open();
    const it = await blob(5000);
    await check.rejects(() => store.keep('never-there', it.oid), { name: 'NotFoundError' }, 'an unknown stage');
    const short = await write(store, it, it.bytes.slice(1));
    await check.rejects(() => store.keep(short, it.oid), { name: 'InvalidStateError' }, 'a short stage');
    const other = await write(store, it, it.bytes);
    await check.rejects(() => store.keep(other, OTHER), { name: 'InvalidStateError' }, 'a stage of another blob');
    const id = newId();
    const stage = await store.stage(id, it);
    await stage.write(it.bytes);
    await check.rejects(() => store.keep(id, it.oid), { name: 'InvalidStateError' }, 'an open stage');
    await stage.close();
    await check.rejects(async () => stage.write(it.bytes), { name: 'InvalidStateError' }, 'written after the end');
    await check.rejects(() => store.stage(id, it), { name: 'InvalidStateError' }, 'an id twice');
    check.equal(await store.list(), [], 'nothing is kept');
    await store.keep(id, it.oid);
    await store.keep(id, it.oid);
    check.equal(await heldOid(store, it.oid), it.oid, 'kept, and again');
  }],

  ['an older stage that cannot be gone on with', async (check, place) => {
    const store = await place.open();
    const it = await blob(5000);
    const missing = { name: 'NotFoundError' };
    const tried = (stage, bytes) => () => store.stage(newId(), it, { stage, bytes });
    await check.rejects(tried('never-there', 5), missing, 'unknown');
    const short = await write(store, it, it.bytes.slice(0, 100));
    await check.rejects(tried(short, 101), missing, 'shorter than was said');
    const other = await write(store, await blob(5000, 3), it.bytes.slice(0, 100));
    await check.rejects(tried(other, 100), missing, 'of another blob');
    const open = newId();
    await store.stage(open, it);
    await check.rejects(tried(open, 0), missing, 'still written');
    check.equal((await store.has(it.oid, it.size)).stage, short, 'nothing was lost');
  }],

  ['stages are written side by side, of two blobs and of one', async (check, place) => {
    const store = await place.open();
    const [a, b] = [await blob(300_000, 1), await blob(300_000, 2)];
    const all = [a, b, a].map((it) => ({ it, id: newId() }));
    for (const each of all) each.stage = await store.stage(each.id, each.it);
    for (let at = 0; at < a.size; at += PIECE_BYTES) {
      await Promise.all(all.map(({ it, stage }) => stage.write(it.bytes.slice(at, at + PIECE_BYTES))));
    }
    await Promise.all(all.map(({ stage }) => stage.close()));
    await Promise.all(all.map(({ it, id }) => store.keep(id, it.oid)));
    check.equal(await heldOid(store, a.oid), a.oid, 'one');
    check.equal(await heldOid(store, b.oid), b.oid, 'the other');
  }],

  ['a blob takes the place of another length under its name', async (check, place) => {
    const store = await place.open();
    const it = await blob(2000);
    await keep(store, { oid: it.oid, size: 10, bytes: new Uint8Array(10) });
    check.equal(await store.has(it.oid, it.size), undefined, 'that is not it');
    await keep(store, it);
    check.equal(await store.has(it.oid, it.size), true, 'this is');
    check.equal(await heldOid(store, it.oid), it.oid, 'its bytes');
    await keep(store, it);
    check.equal(await heldOid(store, it.oid), it.oid, 'kept again');
    check.equal((await store.list()).map(({ size }) => size), [2000], 'once');
  }],

  ['a blob that is kept needs no stage any more', async (check, place) => {
    const store = await place.open();
    const it = await blob(2000);
    const left = await write(store, it, it.bytes.slice(0, 500));
    await keep(store, it);
    await store.remove(it.oid);
    check.equal(await store.has(it.oid, it.size), undefined, 'no beginning');
    await check.rejects(() => store.stage(newId(), it, { stage: left, bytes: 500 }), { name: 'NotFoundError' }, 'gone');
  }],
];
