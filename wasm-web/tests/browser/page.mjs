// What a test finds in a page: the contract and the deeds, here and in a worker.

import { answers } from './answers.mjs';

let worker;

/** What a worker says to a question. It stays at work for as long as the page lives. */
function ask(...asked) {
  worker ??= new Worker(new URL('worker.mjs', import.meta.url), { type: 'module' });
  return new Promise((resolve, reject) => {
    worker.onmessage = ({ data }) => ('error' in data ? reject(new Error(data.error)) : resolve(data.value));
    worker.onerror = ({ message }) => reject(new Error(message));
    worker.postMessage(asked);
  });
}

globalThis.answer = {
  page: (what, ...given) => answers[what](...given),
  worker: (...asked) => ask(...asked),
};
/** What was told last, here or in the worker. */
new BroadcastChannel('told').onmessage = ({ data }) => (globalThis.told = data);
globalThis.isReady = true;
