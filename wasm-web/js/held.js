// What is held in a store already, without a server.

import { HydrantError } from './error.js';
import { HydratedFile } from './file.js';
import { needArray, needStore } from './options.js';
import { isOid } from './stores/names.js';
import { lendHasher } from './transfer.js';
import { named } from './wants.js';

/** Gives `open` for a module whose interfaces these are. */
export function opener({ pointers }, Hasher, ready) {
  /**
   * The files that a store holds: one for each want, in the same order, with its error inside if it is not held;
   * without wants, all that there is.
   */
  return async function open(store, wants) {
    needStore(store);
    await ready();
    lendHasher(store, Hasher);
    if (wants == null) {
      return (await listed(store)).map(({ oid, size }) => new HydratedFile({ name: oid, oid, size }, store));
    }
    return Promise.all(Array.from(needArray(wants, 'wants'), async (want, at) => {
      const { name, oid, size } = named(want, at, pointers);
      return new HydratedFile({ name, oid, size, error: await lack(store, name, oid, Number(size)) }, store);
    }));
  };
}

/** Why a file cannot be had from a store; nothing if it can. */
async function lack(store, name, oid, size) {
  if (!isOid(oid)) return new HydrantError({ code: 'malformed', detail: `the oid of ${name} is none` });
  if ((await store.has(oid, size)) === true) return undefined;
  return new HydrantError({ code: 'not-found', detail: `${name} is not held here: hydrate it` });
}

async function listed(store) {
  if (typeof store.list === 'function') return store.list();
  throw new HydrantError({ code: 'malformed', detail: 'this store cannot list what it holds: say what you want' });
}
