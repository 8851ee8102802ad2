// Pieces that are lent: a store that is done with each at once gets all of them in the same memory, whoever keeps them
// does not. In Chromium.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { Scene } from './browser/chromium.mjs';
import { noise } from './stores/bytes.mjs';

const SIZE = 4 << 20;

let scene;
before(async () => (scene = await Scene.open()));
after(() => scene?.close());

for (const where of ['page', 'worker']) {
  test(`OpfsStore in a ${where}: what was written is in memory no more`, () => scene.within(async (own) => {
    const [page, peer] = [await own.page(), await own.peer()];
    const want = peer.give(noise(SIZE, 1));
    const { came, there, kept } = await own.ask(page, where, 'gathered', 'OpfsStore', true, peer.endpoint, want);
    assert.ok(there <= 1, `${there} of ${came} pieces are in memory`);
    assert.ok(came > 1, 'it came in pieces');
    assert.equal(kept, want.oid);
  }));

  for (const kind of ['MemoryStore', 'CacheStore', 'OpfsStore']) {
    test(`${kind} in a ${where}: who keeps what is written has all of it`, () => scene.within(async (own) => {
      const [page, peer] = [await own.page(), await own.peer()];
      const want = peer.give(noise(SIZE, 2));
      const found = await own.ask(page, where, 'gathered', kind, false, peer.endpoint, want);
      assert.deepEqual(found, { came: found.came, there: found.came, gathered: want.oid, kept: want.oid });
    }));
  }
}

// One that does not give back at its end what it was lent never ends for its reader.
test('an answer that the page makes itself is lent nothing', () => scene.within(async (own) => {
  const [page, peer] = [await own.page(), await own.peer()];
  const want = peer.give(noise(SIZE, 3));
  await page.evaluate(() => {
    globalThis.wasLent = false;
    const { fetch } = globalThis;
    globalThis.fetch = async (...given) => {
      const response = await fetch(...given);
      const reader = response.body.getReader();
      const pull = async (controller) => {
        const { done, value } = await reader.read();
        globalThis.wasLent ||= controller.byobRequest !== null;
        if (!done) return controller.enqueue(value);
        controller.close();
        controller.byobRequest?.respond(0);
      };
      return new Response(new ReadableStream({ type: 'bytes', pull }), response);
    };
  });
  const { kept } = await own.ask(page, 'page', 'gathered', 'OpfsStore', true, peer.endpoint, want);
  assert.equal(kept, want.oid);
  assert.equal(await page.evaluate(() => globalThis.wasLent), false);
}));

test('a stream that takes no memory of others is read all the same', () => scene.within(async (own) => {
  const page = await own.page();
  const read = await page.evaluate(async () => {
    const { pieces } = await import('/package/driver/pieces.js');
    const stream = new ReadableStream({
      start(controller) {
        for (const byte of [1, 2, 3]) controller.enqueue(Uint8Array.of(byte));
        controller.close();
      },
    });
    const all = [];
    for await (const piece of pieces(stream, undefined, 3)) all.push(...piece);
    return all;
  });
  assert.deepEqual(read, [1, 2, 3]);
}));
