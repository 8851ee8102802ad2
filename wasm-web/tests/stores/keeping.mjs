// Cases about what stays and what goes: the cap, pins, uses, and wrong bytes at rest.

import { blob, heldOid, keep } from './bytes.mjs';

/** Blobs of 100 bytes each, kept one after another. */
async function kept(store, number) {
  const blobs = await Promise.all(Array.from({ length: number }, (_, at) => blob(100, at + 1)));
  for (const it of blobs) await keep(store, it);
  return blobs;
}

/** Which of these are there, by their places. */
async function there(store, blobs) {
  const listed = new Set((await store.list()).map(({ oid }) => oid));
  return blobs.map(({ oid }, at) => (listed.has(oid) ? at : -1)).filter((at) => at >= 0);
}

export const keeping = [
  ['the list says what is there', async (check, place) => {
    const store = await place.open();
    const before = Date.now();
    const [a, b, c] = await kept(store, 3);
    await store.pin(b.oid);
    await store.open(a.oid);
    const all = await store.list();
    check.equal(all.map(({ oid }) => oid), [b.oid, c.oid, a.oid], 'by use');
    check.equal(all.map(({ size, pinned }) => [size, pinned]), [[100, true], [100, false], [100, false]], 'facts');
    // Clocks of files are coarser than that of the page.
    const isNow = ({ usedAt }) => Number.isInteger(usedAt) && usedAt >= before - 2000 && usedAt <= Date.now() + 1000;
    check.ok(all.every(isNow), `times: ${all.map(({ usedAt }) => usedAt - before)}`);
    await store.unpin(b.oid);
    check.equal((await store.list()).map(({ pinned }) => pinned), [false, false, false], 'no pins');
  }],

  ['what is removed is gone, and may be removed twice', async (check, place) => {
    const store = await place.open();
    const [a, b] = await kept(store, 2);
    await store.remove(a.oid);
    await store.remove(a.oid);
    check.equal(await store.has(a.oid, a.size), undefined, 'gone');
    check.equal(await store.open(a.oid), undefined, 'gone');
    check.equal(await there(store, [a, b]), [1], 'the other one stays');
    await keep(store, a);
    check.equal(await heldOid(store, a.oid), a.oid, 'and comes again');
  }],

  ['the least recently used goes first', async (check, place) => {
    const store = await place.open({ maxBytes: 399 });
    const blobs = await kept(store, 3);
    check.equal(await there(store, blobs), [0, 1, 2], 'room for all');
    await store.open(blobs[0].oid);
    await store.has(blobs[1].oid, 100);
    blobs.push(await blob(100, 50), await blob(100, 51));
    await keep(store, blobs[3]);
    check.equal(await there(store, blobs), [0, 1, 3], 'the third was used least');
    await keep(store, blobs[4]);
    check.equal(await there(store, blobs), [1, 3, 4], 'then the first');
    for (const at of [1, 3, 4]) check.equal(await heldOid(store, blobs[at].oid), blobs[at].oid, 'right bytes');
  }],

  ['pinned blobs and blobs in use never go', async (check, place) => {
    const store = await place.open({ maxBytes: 350 });
    const blobs = await kept(store, 3);
    await store.pin(blobs[0].oid);
    const release = store.hold(blobs[1].oid);
    const again = store.hold(blobs[1].oid);
    const claimed = await store.claim(blobs[2].oid);
    blobs.push(await blob(100, 50), await blob(100, 51), await blob(100, 52));
    await keep(store, blobs[3]);
    check.equal(await there(store, blobs), [0, 1, 2, 3], 'too much, and nothing may go');
    release();
    release();
    claimed();
    await keep(store, blobs[4]);
    check.equal(await there(store, blobs), [0, 1, 4], 'held twice, released once');
    again();
    await store.unpin(blobs[0].oid);
    await keep(store, blobs[5]);
    check.equal(await there(store, blobs), [1, 4, 5].filter((at) => at !== 0), 'unpinned');
  }],

  ['a blob that is larger than the cap is kept, and its like goes next', async (check, place) => {
    const store = await place.open({ maxBytes: 250 });
    const [a, b] = await kept(store, 2);
    await store.pin(a.oid);
    const large = await blob(1000);
    await keep(store, large);
    check.equal(await there(store, [a, b, large]), [0, 2], 'the pinned one and the large one');
    const small = await blob(10);
    await keep(store, small);
    check.equal(await there(store, [a, b, large, small]), [0, 3], 'the large one went');
  }],

  ['a pin comes before its blob, and outlives the store', async (check, place) => {
    const it = await blob(100, 1);
    const first = await place.open({ maxBytes: 150 });
    await first.pin(it.oid);
    await keep(first, it);
    const store = place.isLasting ? await place.open({ maxBytes: 150 }) : first;
    const other = await blob(100, 2);
    await keep(store, other);
    check.equal(await there(store, [it, other]), [0, 1], 'pinned');
    await keep(store, await blob(100, 3));
    check.equal(await there(store, [it, other]), [0], 'not pinned');
  }],

  ['uses outlive the store, and another one of the page respects holds', async (check, place) => {
    const first = await place.open({ maxBytes: 399 });
    const blobs = await kept(first, 3);
    await first.open(blobs[0].oid);
    // The list comes after all notes of uses.
    await first.list();
    const release = first.hold(blobs[1].oid);
    const store = place.isLasting ? await place.open({ maxBytes: 399 }) : first;
    blobs.push(await blob(100, 50), await blob(100, 51));
    await keep(store, blobs[3]);
    check.equal(await there(store, blobs), [0, 1, 3], 'the third was not used and is not held');
    release();
    await keep(store, blobs[4]);
    check.equal(await there(store, blobs), [0, 3, 4], 'the second was not used');
  }],

  ['wrong bytes at rest are found, wherever they are, and come again', async (check, place) => {
    const store = await place.open();
    const blobs = await kept(store, 5);
    for (const at of [0, 4]) await place.corrupt(store, blobs[at]);
    const told = [];
    const found = await store.verify({ onProgress: ({ done, total }) => told.push([done, total]) });
    const wrong = [blobs[0].oid, blobs[4].oid].sort();
    check.equal([found.checked, found.removed.sort()], [5, wrong], 'what was found');
    check.equal(told, [1, 2, 3, 4, 5].map((done) => [done, 5]), 'progress');
    check.equal(await there(store, blobs), [1, 2, 3], 'what is left');
    check.equal(await store.has(blobs[0].oid, 100), undefined, 'gone');
    await keep(store, blobs[0]);
    check.equal(await heldOid(store, blobs[0].oid), blobs[0].oid, 'right now');
    check.equal(await store.verify(), { checked: 4, removed: [] }, 'all is well');
  }],

  ['a wrong byte in a large blob is found', async (check, place) => {
    const store = await place.open();
    const it = await blob((16 << 20) + 1);
    await keep(store, it);
    await place.corrupt(store, it);
    if (place.needsHasher) await check.rejects(() => store.verify(), { code: 'host' }, 'without a hasher');
    check.equal(await store.verify({ Hasher: place.Hasher }), { checked: 1, removed: [it.oid] }, 'found');
  }],

  ['a verification can be stopped', async (check, place) => {
    const store = await place.open();
    await kept(store, 3);
    const controller = new AbortController();
    const reason = new Error('enough');
    let told = 0;
    const onProgress = () => {
      told += 1;
      controller.abort(reason);
    };
    const stopped = () => store.verify({ signal: controller.signal, onProgress });
    await check.rejects(stopped, { is: reason }, 'in the middle');
    check.equal(told, 1, 'at once');
    await check.rejects(stopped, { is: reason }, 'before it began');
    check.equal((await store.list()).length, 3, 'nothing is lost');
  }],
];
