// What is held in a store already, without a server.

import { HydrantError } from './error.js';
import { HydratedFile } from './file.js';
import { needArray, needStore } from './options.js';
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
      const isHeld = (await store.has(oid, Number(size))) === true;
      const error = new HydrantError({ code: 'not-found', detail: `${name} is not held here: hydrate it` });
      return new HydratedFile({ name, oid, size, error: isHeld ? undefined : error }, store);
    }));
  };
}

async function listed(store) {
  if (typeof store.list === 'function') return store.list();
  throw new HydrantError({ code: 'malformed', detail: 'this store cannot list what it holds: say what you want' });
}
