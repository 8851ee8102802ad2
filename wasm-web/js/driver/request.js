// One request as the platform sends it.

import { fault, unanswered } from './failure.js';

/**
 * Headers that belong to the connection or to the browser: `fetch` drops them without a word (the Fetch standard's
 * forbidden request-headers, without those that no server would ask for).
 */
const NOT_OURS = new RegExp('^(accept-charset|accept-encoding|connection|content-length|cookie|date|dnt|expect|host|' +
  'keep-alive|origin|referer|te|trailer|transfer-encoding|upgrade|via|(proxy|sec|access-control)-.*)$');
/** Of these, what every request has without being asked. */
const SENT_ANYWAY = ['accept-encoding', 'content-length', 'host'];

/** The headers that go out, with the login. The caller hears of those that the platform does not send. */
export async function headersOf({ url, headers: given, login }, answer, host) {
  const headers = new Headers();
  const leftOut = [];
  for (const { name, value } of given) {
    const lower = name.toLowerCase();
    if (!NOT_OURS.test(lower)) headers.append(name, value);
    else if (!SENT_ANYWAY.includes(lower)) leftOut.push(name);
  }
  if (leftOut.length > 0) host.leftOut({ origin: new URL(url).origin, names: leftOut }, answer);
  if (login !== 'none') headers.set('authorization', await host.logins.authorize({ url, login }, answer.signal));
  return headers;
}

/** What was answered to this page: origins, each with a method and the names of headers. */
const letIn = new Set();

/** Asks the server, with no right that the caller did not give: no cookie, and no word about the page. */
export async function send(url, { method, redirect }, { headers, body, signal }) {
  const request = {
    headers,
    body,
    signal,
    method: method.toUpperCase(),
    redirect: redirect === 'follow' ? 'follow' : 'manual',
    cache: 'no-store',
    credentials: 'omit',
    referrerPolicy: 'no-referrer',
  };
  try {
    const response = await fetch(url, request);
    letIn.add(kind(url, request));
    return response;
  } catch (error) {
    if (signal.aborted) throw signal.reason;
    if (!(error instanceof TypeError)) throw error;
    throw await unanswered(asked(url, request), letIn.has(kind(url, request)));
  }
}

/** All that a server's word to pages depends on, as a rule. What `rewrite` gave can be an address of the page's own. */
function kind(url, { method, headers }) {
  return [new URL(url, globalThis.location?.href).origin, method, ...headers.keys()].join(' ');
}

/** A request that `fetch` refused, if there can be such a one. */
function asked(url, request) {
  try {
    return new Request(url, request);
  } catch {
    throw fault('blocked', 'the platform cannot send this request');
  }
}
