// Why something could not be done, in the words of the contract's enum `failure`.

/** Names of errors that say enough by themselves. */
const WHY = new Map(Object.entries({
  AbortError: 'aborted',
  TimeoutError: 'timed-out',
  QuotaExceededError: 'no-space',
  NotAllowedError: 'denied',
  SecurityError: 'denied',
  NotFoundError: 'not-found',
}));
/** Request headers that a page may send without a question to the server. */
const SAFE = ['accept', 'range'];

/** An error of the driver's own. */
class Fault extends Error {
  constructor(why, detail) {
    super(detail);
    this.why = why;
  }
}

export function fault(why, detail) {
  return new Fault(why, detail);
}

/**
 * The last reply of an effect that threw. Messages of others are left out: they may hold paths and secret addresses.
 */
export function failed(error) {
  if (error instanceof Fault) return { tag: 'failed', val: { why: error.why, detail: error.message } };
  return { tag: 'failed', val: { why: WHY.get(error?.name) ?? 'io', detail: '' } };
}

/** The name of an error of others, if it is one: all that may be told of it. */
export function nameOf(error) {
  return /^\w{1,40}$/.test(error?.name) ? error.name : 'something';
}

/**
 * Does something with the caller's store. What that throws is the matter of this machine, whatever it is called: its
 * NotFoundError is no 404 of a server.
 */
export async function stored(work) {
  try {
    return await work();
  } catch (error) {
    if (error instanceof Fault) throw error;
    const isFull = WHY.get(error?.name) === 'no-space';
    throw isFull ? fault('no-space', '') : fault('io', `the store threw ${nameOf(error)}`);
  }
}

/** The connection broke: the server was there, and is no more. Whatever has a name of its own stays what it is. */
export function broken(error) {
  if (error instanceof Fault) return error;
  return WHY.has(error?.name) ? fault(WHY.get(error.name), '') : fault('offline', 'the connection broke');
}

/**
 * What a `fetch` without an answer means. A browser says the same of a server that is down and of one that does not
 * allow this page. A request whose answer nobody may read tells them apart: it is answered by whoever is there. One
 * that `wasLetIn` before met a gateway that is out of order, or a connection that broke.
 */
export async function unanswered({ url, method, headers, signal }, wasLetIn) {
  const { origin } = new URL(url);
  const offline = fault('offline', `${origin} cannot be reached`);
  if (!isBrowser || wasLetIn || globalThis.location?.origin === origin || navigator.onLine === false) return offline;
  const policy = new Policy(origin);
  try {
    await fetch(origin, {
      mode: 'no-cors', method: 'HEAD', credentials: 'omit', referrerPolicy: 'no-referrer', cache: 'no-store', signal,
    });
  } catch {
    return (await policy.forbids()) ? policyFault(origin) : offline;
  } finally {
    policy.leave();
  }
  const names = [...headers.keys()].filter((name) => !SAFE.includes(name));
  const asked = [
    ...(names.length > 0 ? [`Access-Control-Allow-Headers: ${names.join(', ')}`] : []),
    ...(method === 'PUT' ? ['Access-Control-Allow-Methods: PUT'] : []),
  ];
  // Short: the core quotes 200 bytes.
  const toAnswer = asked.length > 0 ? `, and to OPTIONS ${asked.join(', ')}` : '';
  const refusal = fault('blocked', `${origin} does not allow pages of ${globalThis.location?.origin}: it must send ` +
    `Access-Control-Allow-Origin${toAnswer}`);
  refusal.isRefusedToPages = true;
  return refusal;
}

function policyFault(origin) {
  return fault('blocked', `the page's Content Security Policy forbids requests to ${origin}: connect-src must name it`);
}

/** Hears whether the page's own Content Security Policy forbids an origin: a browser tells that by an event alone. */
class Policy {
  #isForbidden = false;
  #hear;

  constructor(origin) {
    this.#hear = ({ effectiveDirective, blockedURI }) => {
      this.#isForbidden ||= effectiveDirective === 'connect-src' && `${blockedURI}/`.startsWith(`${origin}/`);
    };
    globalThis.addEventListener('securitypolicyviolation', this.#hear);
  }

  /** The event can come a turn after the refusal. */
  async forbids() {
    await new Promise((resolve) => setTimeout(resolve));
    return this.#isForbidden;
  }

  leave() {
    globalThis.removeEventListener('securitypolicyviolation', this.#hear);
  }
}

/** Whether the rules of browsers hold here. */
export const isBrowser = 'window' in globalThis || 'WorkerGlobalScope' in globalThis;
