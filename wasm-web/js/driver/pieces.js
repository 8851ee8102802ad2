// Bytes in pieces: from a stream of the platform, and to the core.

import { isBrowser } from './failure.js';

/** Milliseconds of work after which the page gets its turn: half a frame. */
const WORK_MS_MAX = 8;
/** Bytes of a `chunk` at most. */
const CHUNK_BYTES_MAX = 256 * 1024;
/** Bytes of a piece that is lent at most. */
const LENT_BYTES_MAX = 256 * 1024;

/** Milliseconds that were worked since the page had its turn, whoever's work it was. */
let worked = 0;
/** The turn that the page gets now. */
let turn;
/** Functions that want nothing more of a piece once they resolve. Whoever wraps one may keep what it gets. */
const borrowers = new WeakSet();

/** Says of a function that pieces may be lent to it. */
export function borrows(write) {
  borrowers.add(write);
  return write;
}

/** Whether pieces may be lent to a function. */
export function isBorrower(write) {
  return borrowers.has(write);
}

/**
 * The pieces of a stream. Whoever stops before its end, or aborts the signal, tells it that nobody reads on. Where it
 * is said how many bytes come, they are lent: the memory of each piece is that of the next one.
 */
export async function* pieces(stream, signal, lentBytes = 0) {
  const reader = lentBytes > 0 && isBrowser ? lender(stream, lentBytes) : stream.getReader();
  const cancel = () => reader.cancel(signal?.reason).catch(() => {});
  signal?.addEventListener('abort', cancel);
  let isDone = false;
  try {
    for (;;) {
      const { done, value } = await reader.read();
      signal?.throwIfAborted();
      isDone = done;
      if (done) return;
      const since = performance.now();
      yield value;
      worked += performance.now() - since;
      if (worked > WORK_MS_MAX) await rest();
    }
  } finally {
    signal?.removeEventListener('abort', cancel);
    if (!isDone) cancel();
  }
}

/**
 * A reader of all pieces into the same memory, if the stream can do that. Where Chromium makes memory for each, it
 * gives back none for the first hundred MiB and more: a page that kept 1 GiB in OPFS had a peak 80 to 170 MiB above
 * that for 64 MiB. So it is 30 (measured).
 */
function lender(stream, bytes) {
  let reader;
  try {
    reader = stream.getReader({ mode: 'byob' });
  } catch {
    return stream.getReader();
  }
  let memory = new ArrayBuffer(Math.min(bytes, LENT_BYTES_MAX));
  return {
    async read() {
      const piece = await reader.read(new Uint8Array(memory));
      memory = piece.value?.buffer;
      return piece;
    },
    cancel: (reason) => reader.cancel(reason),
  };
}

/** Gives the page its turn. All who work take the same rest. */
function rest() {
  turn ??= new Promise((resolve) => {
    const end = () => {
      worked = 0;
      turn = undefined;
      resolve();
    };
    // The timers of a hidden page fire once a second, and later once a minute.
    if (globalThis.document?.hidden) soon(end);
    else setTimeout(end);
  });
  return turn;
}

/** Calls a function in a task of its own. */
function soon(call) {
  const { port1, port2 } = new MessageChannel();
  port1.onmessage = () => {
    port1.close();
    call();
  };
  port2.postMessage(undefined);
}

/** Bytes as chunks of a size that the contract allows. */
export function chunks(piece, { say }) {
  for (let at = 0; at < piece.length; at += CHUNK_BYTES_MAX) {
    say({ tag: 'chunk', val: piece.subarray(at, at + CHUNK_BYTES_MAX) });
  }
}
