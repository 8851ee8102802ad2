// Stores that throw, reject, give nothing or never answer: a typed error in the file, an abort ends the call, and a
// good store gets the file afterwards.

import assert from 'node:assert/strict';
import process from 'node:process';
import { after, test } from 'node:test';
import { load } from './package.mjs';
import { Peer } from './peer.mjs';
import { noise } from './stores/bytes.mjs';

const { MemoryStore, hydrate } = await load('index');
const BYTES = noise(100_000, 3);

const unhandled = [];
process.on('unhandledRejection', (reason) => unhandled.push(reason));
after(async () => {
  await new Promise((resolve) => setImmediate(resolve));
  assert.deepEqual(unhandled, []);
});

/** What a store can do instead of its work. */
const faults = {
  'throws': () => { throw new Error('planted'); },
  'throws nothing': () => { throw undefined; },
  'throws an odd name': () => { throw Object.assign(new Error('planted'), { name: 'constructor', why: 'because' }); },
  'rejects': async () => { throw new Error('planted'); },
  // Names that mean something where a server is the matter.
  ...Object.fromEntries(['NotFound', 'NotAllowed', 'Security', 'Timeout', 'Abort'].map((name) =>
    [`rejects with ${name}Error`, async () => { throw new DOMException('planted', `${name}Error`); }])),
  'has no room': async () => { throw new DOMException('planted', 'QuotaExceededError'); },
};
const METHODS = ['has', 'claim', 'stage', 'write', 'close', 'keep'];

/** A store in memory, one of whose methods, or of its stages' methods, does something else. */
function storeWith(method, other) {
  const store = new MemoryStore();
  const replace = (it) => (it[method] = (...given) => other(...given));
  if (method in store) replace(store);
  else {
    const { stage } = store;
    store.stage = async (...given) => {
      const place = await stage.apply(store, given);
      replace(place);
      return place;
    };
  }
  return Object.freeze(store);
}

/** Runs a test with a server, and shows afterwards that nothing of it is in the way. */
async function withPeer(work) {
  const peer = await Peer.open();
  try {
    const want = peer.give(BYTES);
    await work((options) => hydrate({ endpoint: peer.endpoint, wants: [want], ...options }), peer);
    await peer.idle();
    const [file] = await hydrate({ endpoint: peer.endpoint, wants: [want] });
    assert.deepEqual(await file.bytes(), BYTES);
  } finally {
    await peer.close();
  }
}

for (const method of METHODS) {
  for (const [what, fault] of Object.entries(faults)) {
    test(`${method} ${what}`, () => withPeer(async (hydrated) => {
      let calls = 0;
      const store = storeWith(method, (...given) => {
        calls += 1;
        return fault(...given);
      });
      const [{ error }] = await hydrated({ store });
      assert.ok(calls > 0, 'it was called');
      assert.equal(error.name, 'HydrantError');
      assert.equal(error.code, 'host');
      assert.ok(!error.message.includes('planted'), 'no words of strangers');
      if (what === 'has no room') assert.match(error.message, /no space left/);
    }));
  }

  test(`${method} never answers: an abort ends the call`, () => withPeer(async (hydrated) => {
    const controller = new AbortController();
    let calls = 0;
    const store = storeWith(method, () => {
      calls += 1;
      controller.abort();
      return new Promise(() => {});
    });
    const [{ error }] = await hydrated({ store, signal: controller.signal });
    assert.ok(calls > 0, 'it was called');
    assert.equal(error.code, 'unfinished');
  }));
}

test('has gives a beginning that is longer than the file', () => withPeer(async (hydrated) => {
  const store = new MemoryStore();
  const has = store.has.bind(store);
  store.has = async (...given) => (await has(...given)) ?? { stage: 'long', blob: new Blob([BYTES, BYTES]) };
  const [file] = await hydrated({ store });
  assert.deepEqual(await file.bytes(), BYTES);
}));

test('open gives nothing, or rejects', () => withPeer(async (hydrated) => {
  const [lost] = await hydrated({ store: storeWith('open', () => undefined) });
  await assert.rejects(lost.bytes(), { code: 'host', message: /has lost this file/ });
  const [broken] = await hydrated({ store: storeWith('open', faults.rejects) });
  await assert.rejects(broken.bytes(), /planted/);
}));

test('room that goes and comes back: what was kept stays', () => withPeer(async (hydrated, peer) => {
  let isFull = true;
  const store = new MemoryStore();
  const { stage } = store;
  store.stage = async (...given) => {
    const place = await stage.apply(store, given);
    const { write } = place;
    let written = 0;
    place.write = (bytes) => {
      if (isFull && written > 0) throw new DOMException('', 'QuotaExceededError');
      written += bytes.length;
      return write.call(place, bytes);
    };
    return place;
  };
  const small = peer.give(BYTES.slice(0, 10), 'small');
  const large = peer.give(noise(3_000_000, 4), 'large');
  const wants = [small, large];
  const [kept, refused] = await hydrated({ store, wants });
  assert.equal(kept.error, undefined);
  assert.equal(refused.error.code, 'host');
  assert.match(refused.error.message, /no space left/);
  isFull = false;
  const held = await hydrated({ store, wants });
  assert.deepEqual(held.map(({ error }) => error), [undefined, undefined]);
  assert.deepEqual(await held[1].bytes(), noise(3_000_000, 4));
  assert.equal(peer.asked('GET').filter(({ path }) => path.endsWith(small.oid)).length, 1, 'the small one came once');
}));

test('a claim or a hold whose end throws or rejects is ended all the same', () => withPeer(async (run) => {
  for (const method of ['claim', 'hold']) {
    for (const [what, fault] of Object.entries(faults)) {
      let ends = 0;
      const store = storeWith(method, () => () => {
        ends += 1;
        return fault();
      });
      const [file] = await run({ store });
      assert.deepEqual(await file.bytes(), BYTES, `${method} ${what}`);
      assert.equal(ends, 1, `${method} ${what}`);
    }
  }
}));

for (const [what, fault] of Object.entries(faults)) {
  test(`drop ${what}`, () => withPeer(async (run, peer) => {
    peer.takes = ({ method }, response) => method === 'GET' && (response.end(noise(BYTES.length, 9)), true);
    let calls = 0;
    const store = storeWith('drop', () => {
      calls += 1;
      return fault();
    });
    const [{ error }] = await run({ store });
    peer.takes = () => false;
    assert.ok(calls > 0, 'it was called');
    assert.equal(error.code, 'host');
    assert.ok(!error.message.includes('planted'), 'no words of strangers');
  }));
}

test('a store that gives nothing to end a claim or a hold with is none the worse', () => withPeer(async (run) => {
  for (const method of ['claim', 'hold']) {
    const [file] = await run({ store: storeWith(method, () => 'nothing') });
    assert.deepEqual(await file.bytes(), BYTES, method);
  }
  const [file] = await run({ store: storeWith('hold', async () => { throw new Error('planted'); }) });
  assert.deepEqual(await file.bytes(), BYTES);
}));
