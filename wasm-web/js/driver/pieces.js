// Bytes in pieces: from a stream of the platform, and to the core.

/** Milliseconds of work after which the page gets its turn: half a frame. */
const WORK_MS_MAX = 8;
/** Bytes of a `chunk` at most. */
const CHUNK_BYTES_MAX = 256 * 1024;

/** Milliseconds that were worked since the page had its turn, whoever's work it was. */
let worked = 0;
/** The turn that the page gets now. */
let turn;

/** The pieces of a stream. Whoever stops before its end, or aborts the signal, tells it that nobody reads on. */
export async function* pieces(stream, signal) {
  const reader = stream.getReader();
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
