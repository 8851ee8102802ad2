// What a page and a worker can be asked for.

import { runAll } from '/tests/stores/check.mjs';
import { contract } from '/tests/stores/contract.mjs';
import { deeds } from './deeds.mjs';
import { hydrating } from './hydrating.mjs';
import { places } from './places.mjs';

export const answers = {
  ...deeds,
  ...hydrating,
  contract: async (kind) => runAll(contract, await places(kind)),
};
