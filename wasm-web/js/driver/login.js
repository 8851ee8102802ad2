// Which login goes where: the caller's, to the endpoint's own origin. It never enters the module.

import { fault } from './failure.js';

/** Gives the value of `Authorization` for a request. `login` is a login, or a function that gives one. */
export function logins(login) {
  /** The login in use, or the question for it. */
  let given;
  return async ({ url, login: needed }, signal) => {
    signal.throwIfAborted();
    // Requests that need the same login wait for the same question.
    const refused = needed === 'renewed';
    if (refused || given === undefined) given = ask(login, new URL(url).origin, refused);
    const value = header(await Promise.race([given, aborted(signal)]));
    if (!value) throw fault('denied', refused && login ? refusal(login) : 'no login was given for this server');
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

/** What to say of a login that the server did not take. */
function refusal(login) {
  const isBareToken = typeof login === 'string' && !login.includes(' ');
  const hint = isBareToken ? ': a string is all of Authorization, and a token alone is { token }' : '';
  return `this server did not take the login${hint}`;
}

/** A question to a user may stay open for ever. */
function aborted(signal) {
  return new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason), { once: true }));
}

/** The value of `Authorization` for what a caller gave as a login. */
function header(login) {
  if (!login) return undefined;
  const value = typeof login === 'string' ? login : bearer(login) ?? basic(login);
  try {
    new Headers({ authorization: value });
  } catch {
    throw fault('denied', 'the login has characters that no header can have');
  }
  return value;
}

function bearer({ token }) {
  return typeof token === 'string' ? `Bearer ${token}` : undefined;
}

function basic({ user, password }) {
  if (typeof user !== 'string' || typeof password !== 'string') {
    throw fault('denied', 'a login is { user, password }, { token }, or a string');
  }
  const bytes = new TextEncoder().encode(`${user}:${password}`);
  return `Basic ${btoa(Array.from(bytes, (byte) => String.fromCharCode(byte)).join(''))}`;
}
