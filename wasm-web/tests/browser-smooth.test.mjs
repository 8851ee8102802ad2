// A page goes on while a large file is hydrated on its main thread, and so does a hidden one: in Chromium.
//
// How long a task takes depends on what else runs. So it is counted how much is hashed without a pause; long tasks are
// shown, not judged.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { Scene } from './browser/chromium.mjs';

const MIB = 1 << 20;
const SIZE = 64 * MIB;
/** Bytes that one call of the module hashes at most: about a tenth of a millisecond. */
const CALL_BYTES_MAX = 64 * 1024;
/** Bytes that the platform gets at once at most. */
const PLATFORM_BYTES_MAX = 16 * MIB;

let scene;
before(async () => (scene = await Scene.open()));
after(() => scene?.close());

for (const [size, by] of [[SIZE, 'module'], [PLATFORM_BYTES_MAX, 'platform']]) {
  test(`${size / MIB} MiB are hashed by the ${by}, in calls that a page bears`, () => scene.within(async (own) => {
    const [page, peer] = [await own.page(), await own.peer()];
    const want = peer.give(Buffer.alloc(size, 9));
    await page.evaluate(async () => {
      const { Hasher } = await import('/package/page.js');
      globalThis.hashed = { module: [], platform: [], longTasks: [] };
      const { update } = Hasher.prototype;
      Hasher.prototype.update = function (bytes) {
        globalThis.hashed.module.push(bytes.length);
        return update.call(this, bytes);
      };
      const { digest } = SubtleCrypto.prototype;
      SubtleCrypto.prototype.digest = function (name, bytes) {
        globalThis.hashed.platform.push(bytes.byteLength);
        return digest.call(this, name, bytes);
      };
      new PerformanceObserver((list) => {
        globalThis.hashed.longTasks.push(...list.getEntries().map(({ duration }) => duration));
      }).observe({ entryTypes: ['longtask'] });
    });
    const hashed = await page.evaluate(async ([endpoint, want]) => {
      const { hydrate } = await import('/package/page.js');
      const [{ error }] = await hydrate({ endpoint, wants: [want] });
      return { error: error?.message, ...globalThis.hashed };
    }, [peer.endpoint, want]);
    assert.equal(hashed.error, undefined);
    console.log(`long tasks: ${hashed.longTasks.join(', ') || 'none'} ms`);
    const bytes = (counts) => counts.reduce((sum, count) => sum + count, 0);
    const other = by === 'module' ? 'platform' : 'module';
    assert.equal(bytes(hashed[by]), size);
    assert.deepEqual(hashed[other], []);
    const most = by === 'module' ? CALL_BYTES_MAX : PLATFORM_BYTES_MAX;
    assert.ok(Math.max(...hashed[by]) <= most, `${Math.max(...hashed[by])} bytes at once`);
  }));
}

test('a hidden page, whose timers are slow, gets its turn without them', () => scene.within(async (own) => {
  const [page, peer] = [await own.page(), await own.peer()];
  const want = peer.give(Buffer.alloc(SIZE, 9));
  const found = await page.evaluate(async ([endpoint, want]) => {
    const { hydrate } = await import('/package/page.js');
    const turns = { timers: 0, messages: 0 };
    Object.defineProperty(document, 'hidden', { get: () => true });
    const { setTimeout, MessageChannel } = globalThis;
    globalThis.setTimeout = (call, delay, ...given) => {
      if (delay === undefined) turns.timers += 1;
      return setTimeout(call, delay, ...given);
    };
    globalThis.MessageChannel = class extends MessageChannel {
      constructor() {
        super();
        turns.messages += 1;
      }
    };
    const [{ error }] = await hydrate({ endpoint, wants: [want] });
    return { error: error?.message, timers: turns.timers, hasMessages: turns.messages > 0 };
  }, [peer.endpoint, want]);
  assert.deepEqual(found, { error: undefined, timers: 0, hasMessages: true });
}));
