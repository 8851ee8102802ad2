// Which login goes where: the user's, to the endpoint's own origin, and nowhere else. It never enters the component.

import { Buffer } from 'node:buffer';
import { fault } from './failure.mjs';

/**
 * Gives the `Authorization` for a request, or nothing. `ask({ origin, refused })` gives `{ user, password }`, or
 * nothing when the user has none; `refused` is the login that the server did not take.
 */
export function logins(endpoint, ask) {
  const { origin } = new URL(endpoint);
  let current;
  return async ({ url, login }, signal) => {
    if (login === 'none') return undefined;
    if (!ask || new URL(url).origin !== origin) throw fault('denied', 'there is no login for this server');
    // Requests that need the same login wait for the same question.
    if (login === 'renewed') current = renewed(current, ask, origin);
    else current ??= renewed(undefined, ask, origin);
    const given = await Promise.race([current, aborted(signal)]);
    if (!given) throw fault('denied', 'no login was given');
    return `Basic ${Buffer.from(`${given.user}:${given.password}`).toString('base64')}`;
  };
}

async function renewed(before, ask, origin) {
  return ask({ origin, refused: await before });
}

/** A question to a user may stay open for ever. */
function aborted(signal) {
  return new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason), { once: true }));
}
