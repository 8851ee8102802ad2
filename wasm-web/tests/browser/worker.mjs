// A worker that has what `page.mjs` has. A module may send questions before it has loaded.

import * as bytes from '/tests/stores/bytes.mjs';
import { runAll } from '/tests/stores/check.mjs';
import { contract } from '/tests/stores/contract.mjs';
import { corrupt, open, places } from './places.mjs';

const questions = {
  contract: async (kind) => runAll(contract, await places(kind)),
  script: async (text) => new Function('open', 'bytes', 'corrupt', `return (${text})()`)(open, bytes, corrupt),
};

self.addEventListener('unhandledrejection', ({ reason }) => postMessage({ error: `unhandled: ${reason}` }));
self.addEventListener('message', async ({ data: [what, ...given] }) => {
  try {
    postMessage({ value: await questions[what](...given) });
  } catch (error) {
    postMessage({ error: `${error?.stack ?? error}` });
  }
});
