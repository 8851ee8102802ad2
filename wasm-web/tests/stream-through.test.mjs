// What a service worker gives before all of it is proved, by events that a test makes.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { digest, within } from '../../tests/hosts/js/scene.mjs';
import { BYTES, MemoryStore, asked, bytesOf, fetched, published, read, wrong } from './answering/asked.mjs';

test('stream-through gives bytes before the transfer ends', () => within(async (place) => {
  const { server, bytes, store, want, handler } = await published(place, { mode: 'stream-through' });
  const release = server.holdFirst(200_000);
  const response = await asked(handler);
  assert.deepEqual([response.status, response.headers.get('content-length')], [200, String(BYTES)]);
  const reader = response.body.getReader();
  let arrived = 0;
  while (arrived < 100_000) {
    const { value } = await reader.read();
    assert.deepEqual(value, bytes.slice(arrived, arrived + value.length));
    arrived += value.length;
  }
  assert.notEqual(await store.has(want.oid, BYTES), true, 'it is not proved');
  release();
  for (;;) {
    const { done, value } = await reader.read();
    if (done) break;
    arrived += value.length;
  }
  assert.equal(arrived, BYTES);
  assert.equal(await store.has(want.oid, BYTES), true);
  assert.deepEqual(await bytesOf(await asked(handler)), bytes);
  assert.equal(fetched(server), 1);
}));

test('stream-through answers a player, which asks for all bytes as a range', () => within(async (place) => {
  const { server, bytes, handler } = await published(place, { mode: 'stream-through' });
  const release = server.holdFirst(200_000);
  const response = await asked(handler, { headers: { range: 'bytes=0-' } });
  assert.deepEqual([response.status, response.headers.get('content-range')], [206, `bytes 0-${BYTES - 1}/${BYTES}`]);
  release();
  assert.deepEqual(await bytesOf(response), bytes);
}));

test('stream-through breaks off before the end of a wrong file', () => within(async (place) => {
  const { server, store, want, handler } = await published(place, { mode: 'stream-through' });
  server.change = wrong;
  const { bytes, error } = await read(await asked(handler));
  // It is fetched once more, and what was given cannot be taken back.
  assert.equal(error.code, 'busy');
  assert.ok(bytes.length > 0 && bytes.length < BYTES, `${bytes.length} bytes`);
  assert.notEqual(await store.has(want.oid, BYTES), true);
}));

test('stream-through gives no byte of a wrong file that comes in one piece', () => within(async (place) => {
  const { server, handler } = await published(place, { mode: 'stream-through' }, 10);
  server.change = wrong;
  const response = await asked(handler);
  assert.deepEqual([response.status, response.headers.get('hydrant-code')], [502, 'integrity']);
}));

test('stream-through goes on after a connection that broke', () => within(async (place) => {
  const { server, bytes, handler } = await published(place, { mode: 'stream-through' });
  let isBroken = false;
  server.change = async function* (body) {
    let passed = 0;
    for await (const piece of body) {
      yield piece;
      passed += piece.length;
      if (passed > 500_000 && !isBroken) {
        isBroken = true;
        throw new Error('broken');
      }
    }
  };
  assert.deepEqual(await bytesOf(await asked(handler)), bytes);
  assert.equal(fetched(server), 2);
}));

test('stream-through goes on with what an earlier page began', () => within(async (place) => {
  const { server, bytes, store, want, handler } = await published(place, { mode: 'stream-through' });
  const release = server.holdFirst(500_000);
  const first = await asked(handler);
  const reader = first.body.getReader();
  for (let arrived = 0; arrived < 300_000;) arrived += (await reader.read()).value.length;
  await reader.cancel();
  await Promise.all(first.waits);
  const { blob } = await store.has(want.oid, BYTES);
  assert.ok(blob.size >= 300_000, 'the beginning is there');
  release();
  const releaseRest = server.holdFirst(10_000);
  const pieces = [];
  let arrived = 0;
  for await (const piece of (await asked(handler)).body) {
    pieces.push(piece);
    arrived += piece.length;
    if (arrived < 300_000) continue;
    // So much came before the transfer could end.
    releaseRest();
  }
  assert.deepEqual(new Uint8Array(Buffer.concat(pieces)), bytes);
  assert.ok(server.asked('GET')[1].range, 'by a range');
}));

test('stream-through: a reader that leaves during a beginning leaves no place open', () => within(async (place) => {
  const size = 12_000_000;
  const { bytes, store, want, handler } = await published(place, { mode: 'stream-through' }, size);
  // More of it than waits for a reader.
  const stage = await store.stage('earlier', want);
  await stage.write(bytes.slice(0, 8_000_000));
  await stage.close();
  const response = await asked(handler);
  const reader = response.body.getReader();
  await reader.read();
  await reader.cancel();
  await Promise.all(response.waits);
  const { blob } = await store.has(want.oid, size);
  assert.equal(blob.size, 8_000_000, 'whoever comes next can go on with it');
  (await store.claim(want.oid))();
}));

test('stream-through gives no end to what began as something else', () => within(async (place) => {
  const { server, store, want, bytes, handler } = await published(place, { mode: 'stream-through' });
  let isFirst = true;
  // Wrong bytes come first, and break off. Meanwhile somebody else brings the file.
  server.change = async function* (body) {
    if (!isFirst) return yield* body;
    isFirst = false;
    let passed = 0;
    for await (const piece of wrong(body)) {
      yield piece;
      passed += piece.length;
      if (passed < 500_000) continue;
      const stage = await store.stage('another', want);
      await stage.write(bytes);
      await stage.close();
      await store.keep('another', want.oid);
      throw new Error('broken');
    }
  };
  const { bytes: given, error } = await read(await asked(handler));
  assert.ok(given.length < BYTES);
  assert.equal(error.code, 'busy');
  assert.deepEqual(await bytesOf(await asked(handler)), bytes, 'the next time it is right');
}));

test('stream-through gives no wrong piece held back, when another one has the file', () => within(async (place) => {
  const { server, store, want, bytes, handler } = await published(place, { mode: 'stream-through' }, 10);
  let isFirst = true;
  server.change = (body) => {
    const isWrong = isFirst;
    isFirst = false;
    return isWrong ? wrong(body) : body;
  };
  // The wrong bytes are dropped. Before they are asked for again, another one has the file.
  const drop = store.drop.bind(store);
  store.drop = async (id) => {
    await drop(id);
    const stage = await store.stage('another', want);
    await stage.write(bytes);
    await stage.close();
    await store.keep('another', want.oid);
  };
  assert.deepEqual(await bytesOf(await asked(handler)), bytes);
  assert.equal(isFirst, false, 'wrong bytes came');
}));

test('stream-through: what a reader does with its bytes changes nothing in the store', () => within(async (place) => {
  const { store, want, handler } = await published(place, { mode: 'stream-through' });
  for await (const piece of (await asked(handler)).body) piece.fill(0);
  assert.equal(digest(await bytesOf(await store.open(want.oid))), want.oid);
}));

test('stream-through: a page that stops reading holds up nobody', () => within(async (place) => {
  const size = 12_000_000;
  const { server, bytes, handler } = await published(place, { mode: 'stream-through' }, size);
  const idle = await asked(handler);
  const range = await asked(handler, { headers: { range: `bytes=${size - 5}-` } });
  assert.deepEqual(await bytesOf(range), bytes.slice(-5));
  assert.deepEqual(await bytesOf(idle), bytes, 'and gets everything once it reads on');
  assert.equal(fetched(server), 1);
}));

test('stream-through takes stores that only do what they must', () => within(async (place) => {
  const { bytes, store, want, handler } = await published(place, {
    mode: 'stream-through',
    store: (() => {
      const store = new MemoryStore();
      const bare = {};
      for (const name of ['has', 'stage', 'keep', 'drop', 'open']) bare[name] = (...given) => store[name](...given);
      return bare;
    })(),
  });
  assert.deepEqual(await bytesOf(await asked(handler)), bytes);
  assert.equal(await store.has(want.oid, BYTES), undefined, 'it is in the other one');
  assert.equal(digest(bytes), want.oid);
}));
