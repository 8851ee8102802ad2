// Whether the page that asked a service worker for something is still there.

/** Milliseconds between two looks for a page. */
const LOOK_MS = 1000;

/**
 * `signal` is aborted when nobody waits for the answer to a `fetch` event any more; `end` ends the looking. The
 * standard aborts the signal of the event's request. Chromium 156 does not, so one must look whether the page is there;
 * there, a request that a page gives up while it lives goes unnoticed until something is read from it.
 */
export function presence({ request, clientId }) {
  const gone = new AbortController();
  const abort = () => gone.abort();
  if (request.signal.aborted) abort();
  request.signal.addEventListener('abort', abort);
  const look = async () => {
    if (!(await clients.get(clientId))) abort();
  };
  // What does not come from a page has no such id.
  const timer = clientId ? setInterval(() => look().catch(() => {}), LOOK_MS) : undefined;
  return {
    signal: gone.signal,
    end() {
      clearInterval(timer);
      request.signal.removeEventListener('abort', abort);
    },
  };
}
