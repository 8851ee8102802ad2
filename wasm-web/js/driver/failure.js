// Why something could not be done, in the words of the contract's enum `failure`.

/** Names of errors that say enough by themselves. */
const WHY = {
  AbortError: 'aborted',
  TimeoutError: 'timed-out',
  QuotaExceededError: 'no-space',
  NotAllowedError: 'denied',
  SecurityError: 'denied',
  NotFoundError: 'not-found',
};

/** An error of the driver's own. */
export function fault(why, detail) {
  return Object.assign(new Error(detail), { why });
}

/** The last reply of an effect that threw. Messages of others are left out: they may hold paths and secret addresses. */
export function failed(error) {
  const why = error?.why ?? WHY[error?.name] ?? 'io';
  return { tag: 'failed', val: { why, detail: error?.why ? error.message : '' } };
}

/** The connection broke: the server was there, and is no more. Whatever has a name of its own stays what it is. */
export function broken(error) {
  return error?.why || error?.name in WHY ? error : fault('offline', 'the connection broke');
}

/**
 * What a `fetch` without an answer means. A browser says the same of a server that is down and of one that does not
 * allow this page. A request whose answer nobody may read tells them apart: it is answered by whoever is there.
 */
export async function unanswered(url, headers) {
  const { origin } = new URL(url);
  const offline = fault('offline', `${origin} cannot be reached`);
  if (!isBrowser || globalThis.location?.origin === origin || navigator.onLine === false) return offline;
  try {
    await fetch(origin, { mode: 'no-cors', method: 'HEAD', credentials: 'omit', cache: 'no-store' });
  } catch {
    return offline;
  }
  return fault('blocked', `${origin} does not allow pages of ${location.origin}: it must answer with ` +
    `Access-Control-Allow-Origin, and to OPTIONS with Access-Control-Allow-Headers: ${headers.join(', ')}`);
}

/** Whether the rules of browsers hold here. */
export const isBrowser = 'window' in globalThis || 'WorkerGlobalScope' in globalThis;
