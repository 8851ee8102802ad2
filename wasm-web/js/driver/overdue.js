// How long something that nobody wants any more is waited for.

/** Milliseconds that something aborted may take to end by itself: to close a file, to give back a lock. */
const ENDING_MS_MAX = 1000;

/** A promise that rejects when something was aborted and did not end in time. Call `end` once it ended. */
export function overdue(signal) {
  let timer;
  let begin;
  const isOverdue = new Promise((_, reject) => {
    begin = () => {
      timer = setTimeout(() => reject(signal.reason), ENDING_MS_MAX);
    };
    if (signal?.aborted) begin();
    else signal?.addEventListener('abort', begin, { once: true });
  });
  // Nobody need be waiting for it.
  isOverdue.catch(() => {});
  return {
    isOverdue,
    end() {
      // The signal may be the caller's, and outlive thousands of these.
      signal?.removeEventListener('abort', begin);
      clearTimeout(timer);
    },
  };
}

/** What a promise gives; once the signal is aborted, it is waited for no longer than that. */
export async function unlessOverdue(promise, signal) {
  const late = overdue(signal);
  try {
    return await Promise.race([promise, late.isOverdue]);
  } finally {
    late.end();
  }
}
