// The loop of the contract, for any operation: poll, perform, answer, sleep. It decides nothing.

import { Misuse, wrong } from '../error.js';
import { heard } from '../options.js';
import { failed } from './failure.js';
import { Patience } from './overdue.js';

/** Milliseconds between two `so-far` of one effect at least. */
const SO_FAR_MS_MIN = 100;
/** Milliseconds that a timer can count at most. */
const TIMER_MS_MAX = 2 ** 31 - 1;

/** Operations that are driven now. Two loops would take each other's steps. */
const driven = new WeakSet();

/**
 * Drives an operation to its end; then one of its `finish` methods has the report. `perform(effect, answer)` performs
 * an effect. `answer` has what it needs: `say(reply)` sends a reply at once, `soFar(bytes)` sends progress now and
 * then, `settle()` lets the operation act on what was said, `fail(error)` ends the loop, and `signal` is aborted when
 * nobody wants the effect any more; then it has a moment to end by itself. `patient(promise)` waits for what must not
 * be aborted: once the caller stops everything, a moment longer. What `perform` returns, or throws, is the last reply.
 * What another hook throws, or its promise rejects with meanwhile, ends the loop.
 */
export async function run(operation, host) {
  if (typeof operation?.poll !== 'function') throw wrong('argument 1', 'an operation', operation);
  if (typeof host?.perform !== 'function') throw wrong('perform', 'a function', host?.perform);
  if (driven.has(operation)) throw new Misuse('out-of-order');
  driven.add(operation);
  try {
    await drive(operation, host);
  } finally {
    driven.delete(operation);
  }
}

async function drive(operation, { perform, signal, onProgress, onRetry, onPhase }) {
  /** What is under way: an id and the way to abort it; and the promises of all that still moves. */
  const open = new Map();
  const tasks = new Set();
  const patience = new Patience();
  let wake;
  let isRoused = false;
  let fault;

  const rouse = () => {
    isRoused = true;
    wake?.();
  };

  const fail = (error) => {
    fault ??= { error };
    rouse();
  };

  const begin = ({ id, effect }) => {
    const controller = new AbortController();
    open.set(id, controller);
    const moment = new Patience();
    controller.signal.addEventListener('abort', () => moment.stop(controller.signal.reason));
    let isOver = false;
    const say = (reply) => {
      // Nobody waits any more for what was aborted: it had its moment.
      if (isOver && controller.signal.aborted) throw controller.signal.reason;
      try {
        operation.reply(id, reply);
      } catch (misuse) {
        // It is a fault of whoever performs, whatever comes of the effect.
        fail(misuse);
        throw misuse;
      }
      rouse();
    };
    const settle = () => {
      try {
        pump();
      } catch (error) {
        fail(error);
        throw error;
      }
      controller.signal.throwIfAborted();
    };
    const patient = (promise) => patience.for(promise);
    const answer = { say, soFar: progress(say), settle, fail, patient, signal: controller.signal };
    const task = moment.for((async () => perform(effect, answer))())
      // Once it is aborted, the reason tells more than whatever broke because of that.
      .catch((error) => failed(controller.signal.aborted ? controller.signal.reason : error))
      .then((last) => {
        open.delete(id);
        say(last);
      })
      .catch(fail)
      .finally(() => {
        isOver = true;
        moment.end();
        tasks.delete(task);
      });
    tasks.add(task);
  };

  /** Until an answer comes or the tick passes. */
  const sleep = async (until) => {
    let timer;
    await new Promise((resolve) => {
      wake = resolve;
      if (isRoused) resolve();
      else if (until !== undefined) {
        timer = setTimeout(resolve, Math.min(Math.max(Number(until - now().ticks), 0), TIMER_MS_MAX));
      }
    });
    clearTimeout(timer);
    isRoused = false;
    wake = undefined;
  };

  const steps = {
    perform: begin,
    cancel: (id) => open.get(id)?.abort(),
    note: ({ name, done, total }) => heard(onProgress?.({ name, done: Number(done), total: Number(total) }), fail),
    retry: ({ name, reason, at }) =>
      heard(onRetry?.({ name, detail: reason.detail, delay: Math.max(Number(at - now().ticks), 0) }), fail),
    enter: (phase) => heard(onPhase?.(phase), fail),
  };

  /** Takes steps until there is nothing to do but wait, or nothing at all. */
  const pump = () => {
    for (;;) {
      const { tag, val } = operation.poll(now());
      if (!(tag in steps)) return { isDone: tag === 'done', until: val };
      steps[tag](val);
    }
  };

  const stop = () => {
    operation.stop();
    patience.stop(signal.reason);
    rouse();
  };
  // The caller's signal may outlive thousands of calls, and have no room for a listener for each effect.
  signal?.addEventListener('abort', stop);
  try {
    if (signal?.aborted) stop();
    for (;;) {
      if (fault) throw fault.error;
      const { isDone, until } = pump();
      if (isDone && !fault) break;
      if (!isDone) await sleep(until);
    }
  } finally {
    signal?.removeEventListener('abort', stop);
    // The handle outlives everything that may still answer: nothing is told to a handle that is gone.
    for (const controller of open.values()) controller.abort();
    await Promise.all(tasks);
    patience.end();
  }
  // One that came after the last step.
  if (fault) throw fault.error;
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
