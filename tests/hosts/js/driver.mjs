// The loop of the contract, for any operation: poll, perform, answer, sleep. It decides nothing.

import { clearTimeout, setTimeout } from 'node:timers';
import { failed } from './failure.mjs';

/** Milliseconds between two `so-far` of one effect at least. */
const SO_FAR_MS_MIN = 100;
/** Milliseconds that a timer can count at most. */
const TIMER_MS_MAX = 2 ** 31 - 1;

/**
 * Drives an operation to its end and returns what `finish` takes from it. `perform(effect, { say, soFar, signal })`
 * performs an effect: what it says goes to the component at once, and what it returns, or throws, is the last reply.
 */
export async function drive(operation, finish, perform, { signal, onProgress, onRetry } = {}) {
  /** What is under way: an id and the way to abort it; and the promises of all that still moves. */
  const open = new Map();
  const tasks = new Set();
  let rouse = () => {};
  let fault;

  const begin = ({ id, effect }) => {
    const controller = new AbortController();
    open.set(id, controller);
    const say = (reply) => {
      try {
        operation.reply(id, reply);
      } catch (misuse) {
        // A misuse is a fault of this host: it ends the loop, whatever the effect makes of it.
        fault ??= misuse;
        throw misuse;
      } finally {
        rouse();
      }
    };
    const task = perform(effect, { say, soFar: progress(say), signal: controller.signal })
      // Once it is aborted, the reason tells more than whatever broke because of that.
      .catch((error) => failed(controller.signal.aborted ? controller.signal.reason : error))
      .then((last) => {
        open.delete(id);
        say(last);
      })
      .catch((error) => {
        fault ??= error;
        rouse();
      })
      .finally(() => tasks.delete(task));
    tasks.add(task);
  };

  /** Until an answer comes or the tick passes. */
  const sleep = async (until) => {
    if (until === undefined && open.size === 0) throw new Error('the component waits for nothing');
    let timer;
    await new Promise((resolve) => {
      rouse = resolve;
      if (until === undefined) return;
      timer = setTimeout(resolve, Math.min(Math.max(Number(until - now().ticks), 0), TIMER_MS_MAX));
      // What is open keeps the process alive by itself. Before a retry nothing else does.
      if (open.size > 0) timer.unref();
    });
    clearTimeout(timer);
  };

  const loop = async () => {
    for (;;) {
      if (fault) throw fault;
      const { tag, val } = operation.poll(now());
      if (tag === 'perform') begin(val);
      else if (tag === 'cancel') open.get(val)?.abort();
      else if (tag === 'note') onProgress?.(val);
      else if (tag === 'retry') onRetry?.(val);
      else if (tag === 'wait') await sleep(val);
      else if (tag === 'done') return;
    }
  };

  const stop = () => {
    operation.stop();
    rouse();
  };
  signal?.addEventListener('abort', stop);
  try {
    if (signal?.aborted) stop();
    await loop();
    return finish(operation);
  } finally {
    signal?.removeEventListener('abort', stop);
    // The handle outlives everything that may still answer: nothing is told to a handle that is gone.
    for (const controller of open.values()) controller.abort();
    await Promise.all(tasks);
    operation[Symbol.dispose ?? Symbol.for('dispose')]();
  }
}

/** `so-far` for an effect, not too often. */
function progress(say) {
  let told = 0;
  return (bytes) => {
    if (performance.now() - told < SO_FAR_MS_MIN) return;
    told = performance.now();
    say({ tag: 'so-far', val: BigInt(bytes) });
  };
}

function now() {
  return { ticks: BigInt(Math.floor(performance.now())), wall: BigInt(Date.now()) };
}
