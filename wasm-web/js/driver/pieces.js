// Bytes in pieces: from a stream of the platform, and to the core.

/** Milliseconds of work after which the page gets its turn: half a frame. */
const WORK_MS_MAX = 8;
/** Bytes of a `chunk` at most. */
const CHUNK_BYTES_MAX = 256 * 1024;

/** The pieces of a stream. Whoever stops before its end, or aborts the signal, tells it that nobody reads on. */
export async function* pieces(stream, signal) {
  const reader = stream.getReader();
  const cancel = () => reader.cancel(signal?.reason).catch(() => {});
  signal?.addEventListener('abort', cancel);
  let isDone = false;
  let since = performance.now();
  try {
    for (;;) {
      const { done, value } = await reader.read();
      signal?.throwIfAborted();
      isDone = done;
      if (done) return;
      yield value;
      if (performance.now() - since > WORK_MS_MAX) {
        await new Promise((resolve) => setTimeout(resolve));
        since = performance.now();
      }
    }
  } finally {
    signal?.removeEventListener('abort', cancel);
    if (!isDone) cancel();
  }
}

/** Bytes as chunks of a size that the contract allows. */
export function chunks(piece, { say }) {
  for (let at = 0; at < piece.length; at += CHUNK_BYTES_MAX) {
    say({ tag: 'chunk', val: piece.subarray(at, at + CHUNK_BYTES_MAX) });
  }
}
