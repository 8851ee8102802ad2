// A service worker that uses everything that is for one. It is checked, not run.

import { hydrate } from 'hydrant/page';
import { github } from 'hydrant/routes';
import { answering } from 'hydrant/service-worker';
import type { Answering, Found } from 'hydrant/service-worker';
import { CacheStore } from 'hydrant/stores/cache';
import { OpfsStore } from 'hydrant/stores/opfs';

declare const self: ServiceWorkerGlobalScope;

const files = new Map<string, Found>([['/lfs/a.png', { oid: 'ab'.repeat(32), size: 5, type: 'image/png' }]]);
const store = CacheStore.open('pictures');

self.addEventListener('fetch', answering({
  hydrate,
  endpoint: 'https://lfs.example/me/pictures',
  store,
  find: ({ pathname }) => files.get(pathname),
}));

const options: Answering = {
  hydrate,
  route: github({ owner: 'me', repository: 'pictures', ref: 'main' }),
  store: await OpfsStore.open(),
  find: async ({ pathname }, request) => (request.mode === 'no-cors' ? files.get(pathname) : undefined),
  mode: 'stream-through',
  login: { token: 'secret' },
  onProgress: ({ name }) => console.log(name),
};
self.addEventListener('fetch', answering(options));
const find = ({ href }: URL) => href.endsWith('.png') && files.get(href);
answering({ hydrate, endpoint: Promise.resolve('/lfs'), store, find });

// @ts-expect-error: nothing says what stands where
answering({ hydrate, endpoint: '/lfs', store });
// @ts-expect-error: the function that hydrates is missing
answering({ endpoint: '/lfs', store, find: () => undefined });
// @ts-expect-error: wants come from `find`
answering({ hydrate, endpoint: '/lfs', store, find: () => undefined, wants: [] });
// @ts-expect-error: a listener is for an event of `fetch`
self.addEventListener('message', answering(options));
