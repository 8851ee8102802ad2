// What is held in a store already, without a server.

import { HydrantError } from './error.js';
import { HydratedFile } from './file.js';
import { named } from './wants.js';

/** Gives `open` for a module whose interfaces these are. */
export function opener({ pointers }, Hasher, ready) {
  /**
   * The files that a store holds: one for each want, in the same order, with its error inside if it is not held; without
   * wants, all that there is.
   */
  return async function open(store, wants) {
    await ready();
    store.Hasher ??= Hasher;
    if (!wants) return (await store.list()).map(({ oid, size }) => new HydratedFile({ name: oid, oid, size }, store));
    return Promise.all(wants.map(async (want, at) => {
      const { name, oid, size } = named(want, at, pointers);
      const isHeld = (await store.has(oid, Number(size))) === true;
      const error = new HydrantError({ code: 'not-found', detail: `${name} is not held here: hydrate it` });
      return new HydratedFile({ name, oid, size, error: isHeld ? undefined : error }, store);
    }));
  };
}
