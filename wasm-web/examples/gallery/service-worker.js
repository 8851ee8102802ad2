// Answers for lfs/NAME with files of Git LFS, and keeps them in the browser's cache.

import { hydrate } from '../../hydrant/page.js';
import { answering } from '../../hydrant/service-worker.js';
import { CacheStore } from '../../hydrant/stores/cache.js';

const folder = new URL('lfs/', location.href).href;
const demo = fetch('../demo.json').then((response) => response.json());

async function wanted(name) {
  const file = (await demo).files.find((file) => file.name === name);
  return file && { ...file, type: 'image/svg+xml' };
}

addEventListener('install', () => skipWaiting());
addEventListener('activate', (event) => event.waitUntil(clients.claim()));
addEventListener('fetch', answering({
  hydrate,
  endpoint: demo.then(({ endpoint }) => endpoint),
  store: CacheStore.open('hydrant-gallery'),
  find: ({ href }) => href.startsWith(folder) && wanted(href.slice(folder.length)),
}));
