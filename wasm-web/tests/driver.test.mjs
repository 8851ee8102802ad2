// What the driver does for an operation: in Node, against a small server, with a store in memory that a test watches.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { load } from './package.mjs';
import { Peer, begin, json } from './peer.mjs';
import { noise, write } from './stores/bytes.mjs';

const { MemoryStore, hydrate, operations, run } = await load('index');

const SIZE = 5000;
const BYTES = noise(SIZE, 1);
const once = { retriesMax: 0 };
/** Milliseconds that a server may be silent where a test is about that: enough for a machine that is busy. */
const IDLE_MS_MAX = 1000;

/** Runs a test with a server that has something, a store, and the hydration of it. */
function withPeer(test) {
  return async () => {
    const peer = await Peer.open();
    try {
      const [want, store] = [peer.give(BYTES), new MemoryStore()];
      const hydrated = async (options) => {
        const [file] = await hydrate({ endpoint: peer.endpoint, wants: [want], store, ...options });
        return file;
      };
      await test({ peer, want, store, hydrated });
    } finally {
      await peer.close();
    }
  };
}

/** Lets everybody go on who can. */
const turn = () => new Promise((resolve) => setImmediate(resolve));

/** Lets a test do something before, or instead of, a method of a store. */
function replace(store, method, other) {
  const own = store[method].bind(store);
  store[method] = (...given) => other(() => own(...given), ...given);
}

/** Counts what is written to the places of a store, and those that are open. */
function watched(store) {
  const seen = { opened: 0, closed: 0, bytes: 0 };
  replace(store, 'stage', async (stage) => {
    const place = await stage();
    seen.opened += 1;
    replace(place, 'close', async (close) => {
      seen.closed += 1;
      await close();
    });
    replace(place, 'write', (write, bytes) => {
      seen.bytes += bytes.length;
      return write();
    });
    return place;
  });
  return seen;
}

test('what is under way is aborted by a stop', async () => {
  const config = operations.defaultConfig('https://lfs.example.test', 2n ** 63n);
  const operation = operations.Operation.hydrate(config, [{ name: 'a', oid: 'ab'.repeat(32), size: 5n }]);
  const controller = new AbortController();
  let isAborted;
  const perform = async ({ tag }, { signal }) => {
    if (tag === 'has-blob') return { tag: 'absent' };
    controller.abort();
    await turn();
    isAborted = signal.aborted;
    throw new DOMException('', 'AbortError');
  };
  await run(operation, { perform, signal: controller.signal });
  assert.equal(isAborted, true);
  assert.equal(operation.finishTransfer().outcomes[0].ended.val.code, 'unfinished');
});

for (const [what, isGone] of [['goes on', false], ['that is gone before its turn came is not gone on with', true]]) {
  test(`a beginning ${what}`, withPeer(async ({ peer, want, store, hydrated }) => {
    peer.headers = () => ({ etag: '"v1"' });
    const stage = await write(store, want, BYTES.slice(0, 1000), { validator: '"v1"' });
    replace(store, 'claim', async (claim) => {
      if (isGone) await store.drop(stage);
      return claim();
    });
    const file = await hydrated({ config: once });
    assert.equal(file.error, undefined);
    assert.deepEqual(await file.bytes(), BYTES);
    const asked = peer.asked('GET').map(({ headers }) => [headers.range, headers['if-range']]);
    assert.deepEqual(asked, [isGone ? [undefined, undefined] : [`bytes=1000-${SIZE - 1}`, '"v1"']]);
  }));
}

test('a claim ends once the blob is kept', withPeer(async ({ want, store, hydrated }) => {
  const told = [];
  let next;
  replace(store, 'keep', async (keep) => {
    next = store.claim(want.oid).then((release) => {
      told.push('claimed');
      release();
    });
    await turn();
    await keep();
    told.push('kept');
  });
  const { error } = await hydrated();
  assert.equal(error, undefined);
  await next;
  assert.deepEqual(told, ['kept', 'claimed']);
}));

for (const isRight of [true, false]) {
  test(`a whole stage of ${isRight ? 'right' : 'wrong'} bytes is hashed before it is taken`, withPeer(async (given) => {
    const { peer, want, store, hydrated } = given;
    await write(store, want, isRight ? BYTES : BYTES.with(7, BYTES[7] ^ 1));
    const file = await hydrated();
    assert.equal(file.error, undefined);
    assert.deepEqual(await file.bytes(), BYTES);
    assert.equal(peer.asked('GET').length, isRight ? 0 : 1);
  }));
}

test('a whole stage that another one keeps while it is hashed is there', withPeer(async (given) => {
  const { peer, want, store, hydrated } = given;
  await write(store, want, BYTES);
  replace(store, 'has', async (has) => {
    const found = await has();
    if (found === true) return true;
    const { stage, validator } = found;
    const stream = () => new ReadableStream({
      async pull() {
        await store.keep(stage, want.oid);
        throw new DOMException('its file was moved', 'NotReadableError');
      },
    });
    return { stage, validator, blob: { size: SIZE, stream } };
  });
  const file = await hydrated({ config: once });
  assert.equal(file.error, undefined);
  assert.deepEqual(await file.bytes(), BYTES);
  assert.deepEqual(peer.requests, []);
}));

test('a login that was refused is not given again', withPeer(async ({ peer, hydrated }) => {
  peer.takes = ({ method }, response) => method === 'POST' && json(response, 401, { message: 'who is it?' });
  const { error } = await hydrated({ login: { user: 'me', password: 'mine' } });
  assert.equal(error.code, 'auth');
  assert.equal(peer.asked('POST').length, 1);
}));

test('requests that need the same login share one question', withPeer(async ({ peer }) => {
  // The server is asked for so many in three requests.
  const wants = Array.from({ length: 250 }, (_, at) => peer.give(noise(10, at), `file ${at}`));
  const asked = [];
  const login = async ({ refused }) => {
    asked.push(refused);
    return { token: 'mine' };
  };
  const files = await hydrate({ endpoint: peer.endpoint, wants, login });
  assert.deepEqual(files.filter(({ error }) => error), []);
  assert.deepEqual(peer.asked('POST').map(({ login }) => login), ['Bearer mine', 'Bearer mine', 'Bearer mine']);
  assert.deepEqual(asked, [false]);
}));

test('of an answer that is longer than its blob, no more is read than shows that', withPeer(async (given) => {
  const { peer, store, hydrated } = given;
  const seen = watched(store);
  peer.takes = ({ method }, response) => method === 'GET' && response.writeHead(200).end(noise(4_000_000, 2));
  const { error } = await hydrated({ config: once });
  assert.equal(error.code, 'integrity');
  assert.ok(seen.bytes <= seen.opened * (SIZE + 1), `${seen.bytes} bytes of ${seen.opened} answers`);
}));

test('a server that falls silent is given up', withPeer(async ({ peer, hydrated }) => {
  peer.takes = async ({ method }, response) => {
    if (method !== 'GET') return false;
    await begin(response, BYTES, 1000);
    return true;
  };
  // Otherwise this ends it, with another error.
  const signal = AbortSignal.timeout(20_000);
  const { error } = await hydrated({ config: { ...once, idleMax: BigInt(IDLE_MS_MAX) }, signal });
  assert.equal(error.code, 'host');
  assert.match(error.message, /^the download: the connection stalled/);
  await peer.idle();
}));

test('a store that takes its time is no silent server', withPeer(async ({ store, hydrated }) => {
  replace(store, 'stage', async (stage) => {
    const place = await stage();
    replace(place, 'write', async (write) => {
      await new Promise((resolve) => setTimeout(resolve, 2 * IDLE_MS_MAX));
      await write();
    });
    return place;
  });
  const { error } = await hydrated({ config: { ...once, idleMax: BigInt(IDLE_MS_MAX) } });
  assert.equal(error, undefined);
}));

test('what is wanted makes no room for the rest of it', withPeer(async ({ peer }) => {
  const wants = [1, 2, 3].map((seed) => peer.give(noise(SIZE, seed), `file ${seed}`));
  const store = new MemoryStore({ maxBytes: 1.5 * SIZE });
  const files = await hydrate({ endpoint: peer.endpoint, wants, store });
  for (const [at, file] of files.entries()) assert.deepEqual(await file.bytes(), noise(SIZE, at + 1));
}));

/** How a hydration can end while its file arrives. Each lets it come to that, and gives options. */
const ends = {
  'well': () => ({}),
  'with a connection that breaks'({ peer }) {
    peer.takes = async ({ method }, response) => {
      if (method !== 'GET') return false;
      await begin(response, BYTES, 1000);
      response.destroy();
      return true;
    };
    return {};
  },
  'with wrong bytes'({ peer, want }) {
    peer.blobs.set(want.oid, BYTES.with(7, BYTES[7] ^ 1));
    return {};
  },
  'with a stop'({ store }) {
    const controller = new AbortController();
    replace(store, 'stage', async (stage) => {
      const place = await stage();
      replace(place, 'write', (write) => {
        controller.abort();
        return write();
      });
      return place;
    });
    return { signal: controller.signal };
  },
  'with a stop while it is kept'({ store }) {
    const controller = new AbortController();
    replace(store, 'keep', () => {
      controller.abort();
      return new Promise(() => {});
    });
    return { signal: controller.signal };
  },
  'without room'({ store }) {
    replace(store, 'stage', async (stage) => {
      const place = await stage();
      replace(place, 'write', () => Promise.reject(new DOMException('full', 'QuotaExceededError')));
      return place;
    });
    return {};
  },
  async 'with a beginning that cannot be read'({ want, store }) {
    await write(store, want, BYTES.slice(0, 1000));
    replace(store, 'stage', async (stage, ...[, , older]) => {
      const place = await stage();
      const stream = () => new ReadableStream({ pull: (it) => it.error(new DOMException('', 'NotReadableError')) });
      return older ? { ...place, beginning: { size: 1000, stream } } : place;
    });
    return {};
  },
};

for (const [how, prepare] of Object.entries(ends)) {
  test(`a hydration that ends ${how} leaves no place open, and no claim`, withPeer(async (given) => {
    const { want, store, hydrated } = given;
    const seen = watched(store);
    await hydrated({ config: once, ...(await prepare(given)) });
    assert.ok(seen.opened > 0, 'there was one');
    assert.equal(seen.closed, seen.opened);
    assert.ok(await Promise.race([store.claim(want.oid), turn()]), 'another one can have it');
  }));
}
