// What a caller gives, looked at before anything begins. What is null counts as not given.

import { wrong } from './error.js';
import { needText } from './lane.js';

const HOOKS = ['onProgress', 'onRetry', 'onLeftOut', 'rewrite', 'route'];
/** What a store must be able to do. */
const OF_STORES = ['has', 'stage', 'keep', 'drop', 'open'];

/** The options of a call, each read once. Throws an error that names the first that is of no use. */
export function checked(options) {
  need(typeof options === 'object' && options !== null, 'argument 1', 'an object', options);
  const given = Object.fromEntries(Object.entries(options).filter(([, it]) => it !== null));
  for (const name of HOOKS) need(isOptional(given[name], 'function'), name, 'a function', given[name]);
  const { endpoint, route, signal, store, config, login } = given;
  const isAddress = typeof endpoint === 'string' || endpoint instanceof URL || (endpoint === undefined && route);
  need(isAddress, 'endpoint', 'a string or a URL', endpoint);
  if (typeof endpoint === 'string') needText(endpoint, 'endpoint');
  const isSignal = typeof signal?.aborted === 'boolean' &&
    ['addEventListener', 'removeEventListener'].every((method) => typeof signal[method] === 'function');
  need(signal === undefined || isSignal, 'signal', 'an AbortSignal', signal);
  need(isOptional(config, 'object'), 'config', 'an object', config);
  need(['undefined', 'string', 'object', 'function'].includes(typeof login), 'login', 'a login, or a function', login);
  if (store !== undefined) needStore(store);
  return given;
}

/** Throws unless it is a store. */
export function needStore(store) {
  const isStore = OF_STORES.every((method) => typeof store?.[method] === 'function');
  need(isStore, 'store', 'a store (await what opens one)', store);
}

/** What ends something that a store began. A store of the caller's own may have given nothing that does. */
export function ending(given) {
  if (typeof given !== 'function') {
    heard(given);
    return () => {};
  }
  // What was done is done, whatever its end says.
  return () => {
    heard((async () => given())());
  };
}

/** Hears what a promise rejects with that nobody waits for: unheard, it ends a process of Node. */
export function heard(given, hear = () => {}) {
  Promise.resolve(given).catch(hear);
  return given;
}

/** A list of the caller's. */
export function needArray(list, name) {
  need(Array.isArray(list), name, 'an array', list);
  return list;
}

/** Throws unless it is a Blob of any realm. */
export function needBlob(it, name) {
  const isBlob = typeof it?.stream === 'function' && typeof it.slice === 'function' && Number.isSafeInteger(it.size) &&
    it.size >= 0;
  need(isBlob, name, 'a Blob', it);
}

function isOptional(it, type) {
  return it === undefined || typeof it === type;
}

function need(isSo, where, expected, given) {
  if (!isSo) throw wrong(where, expected, given);
}
