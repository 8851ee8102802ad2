// Which login goes where: the caller's, to the endpoint's own origin. It never enters the module.

import { fault } from './failure.js';

/** Gives the value of `Authorization` for a request. `login` is a login, or a function that gives one. */
export function logins(login) {
  /** The login in use, or the question for it. */
  let given;
  return async ({ url, login: needed }, signal) => {
    // Requests that need the same login wait for the same question.
    const refused = needed === 'renewed';
    if (refused || given === undefined) given = ask(login, new URL(url).origin, refused);
    const value = header(await Promise.race([given, aborted(signal)]));
    if (!value) throw fault('denied', 'no login was given for this server');
    return value;
  };
}

/** A login that is no function and was refused is not given again. */
async function ask(login, origin, refused) {
  if (typeof login !== 'function') return refused ? undefined : login;
  try {
    return await login({ origin, refused });
  } catch {
    throw fault('denied', 'the login could not be had');
  }
}

/** A question to a user may stay open for ever. */
function aborted(signal) {
  return new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason), { once: true }));
}

/** The value of `Authorization` for what a caller gave as a login. */
function header(login) {
  if (!login || typeof login === 'string') return login;
  if (login.token) return `Bearer ${login.token}`;
  const bytes = new TextEncoder().encode(`${login.user}:${login.password}`);
  return `Basic ${btoa(String.fromCharCode(...bytes))}`;
}
