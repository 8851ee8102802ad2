// A worker that has what a page has. What nobody catches in it is an error of the page.

import { answers } from './answers.mjs';

self.addEventListener('unhandledrejection', ({ reason }) => postMessage({ error: `unhandled: ${reason}` }));
self.addEventListener('message', async ({ data: [what, ...given] }) => {
  try {
    postMessage({ value: await answers[what](...given) });
  } catch (error) {
    postMessage({ error: `${error?.stack ?? error}` });
  }
});
