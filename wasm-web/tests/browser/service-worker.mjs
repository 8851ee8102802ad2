// A service worker with both ways to answer, under the names of the modes.

import { hydrate } from '/package/page.js';
import { answering } from '/package/service-worker.js';
import { CacheStore } from '/package/stores/cache.js';
import { OpfsStore } from '/package/stores/opfs.js';

const { endpoint, files, kind } = JSON.parse(new URL(location.href).searchParams.get('given'));
const store = { CacheStore, OpfsStore }[kind].open('answering');

addEventListener('install', () => skipWaiting());
addEventListener('activate', (event) => event.waitUntil(clients.claim()));
for (const mode of ['verify-first', 'stream-through']) {
  const folder = new URL(`${mode}/`, location.href).pathname;
  const find = ({ pathname }) => pathname.startsWith(folder) && files[pathname.slice(folder.length)];
  addEventListener('fetch', answering({ hydrate, endpoint, store, find, mode }));
}
