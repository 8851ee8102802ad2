// What a test finds in a page: the stores, the contract, and a worker that has the same.

import * as bytes from '/tests/stores/bytes.mjs';
import { runAll } from '/tests/stores/check.mjs';
import { contract } from '/tests/stores/contract.mjs';
import { corrupt, open, places } from './places.mjs';

const run = {
  page: async (kind) => runAll(contract, await places(kind)),
  worker: (kind) => inWorker('contract', kind),
};

/** What a worker says to a question. Its errors are the page's. */
function inWorker(...asked) {
  const worker = new Worker(new URL('worker.mjs', import.meta.url), { type: 'module' });
  const answered = new Promise((resolve, reject) => {
    worker.addEventListener('message', ({ data }) => ('error' in data ? reject(new Error(data.error)) : resolve(data.value)));
    worker.addEventListener('error', (event) => reject(new Error(event.message)));
  });
  worker.postMessage(asked);
  return answered.finally(() => worker.terminate());
}

Object.assign(globalThis, { bytes, corrupt, inWorker, open, run, isReady: true });
