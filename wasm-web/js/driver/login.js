// Which login goes where: the caller's, to the endpoint's own origin. It never enters the module.

import { fault } from './failure.js';
import { asksForObjects } from './route.js';

/** Gives the value of `Authorization` for requests. The login that it is given is one, or a function that gives one. */
export class Logins {
  #login;
  /** The login in use, or the question for it. */
  #given;
  /** What was refused last, where that is another request than the one that needs a new login. */
  #refused;

  constructor(login) {
    this.#login = login;
  }

  /** A server answered a request with 401 or 403. */
  refusedBy(request, status) {
    const { method, url } = request;
    const isAnother = !asksForObjects(request);
    this.#refused = isAnother ? `${new URL(url).origin} answered ${status} to a ${method.toUpperCase()}` : undefined;
  }

  async authorize({ url, login: needed }, signal) {
    signal.throwIfAborted();
    // Requests that need the same login wait for the same question.
    const refused = needed === 'renewed';
    if (refused || this.#given === undefined) this.#given = ask(this.#login, new URL(url).origin, refused);
    const value = header(await Promise.race([this.#given, aborted(signal)]));
    if (value) return value;
    throw fault('denied', refused && this.#login ? this.#refusal() : 'no login was given for this server');
  }

  /** What to say of a login that the server did not take. */
  #refusal() {
    if (this.#refused) return `${this.#refused}, and no other login was given`;
    const isBareToken = typeof this.#login === 'string' && !this.#login.includes(' ');
    const hint = isBareToken ? ': a string is all of Authorization, and a token alone is { token }' : '';
    return `this server did not take the login${hint}`;
  }
}

/** A login that is no function and was refused is not given again. */
async function ask(login, origin, refused) {
  if (typeof login !== 'function' && refused) return undefined;
  try {
    const given = typeof login === 'function' ? await login({ origin, refused }) : login;
    if (typeof given !== 'object' || given === null) return given;
    // Each part is read once, and here: a getter is the caller's own code, too.
    const { token, user, password } = given;
    return { token, user, password };
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
