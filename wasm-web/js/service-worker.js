// Files of Git LFS at addresses of a page's own, for <img>, <video> and fetch: a handler for a service worker.
//
//   import { hydrate } from 'hydrant';
//   import { answering } from 'hydrant/service-worker';
//   addEventListener('fetch', answering({ hydrate, endpoint, store, find: (url) => wants.get(url.pathname) }));

import { StreamThrough } from './stream-through.js';

/** Header of a range of bytes. Requests for several ranges get all bytes, as a server may answer. */
const RANGE = /^bytes=(\d*)-(\d*)$/;

/**
 * Gives a listener for `fetch` events. `find(url, request)` says which file stands at a URL: `{ oid, size, type }`, or
 * nothing if that is none of ours. `hydrate` is the function of the entry in use, and what else is given goes to it.
 * `store`, `endpoint` and what `find` says may be promises.
 *
 * `mode`: with `verify-first` a page gets no byte before all are proved; with `stream-through` it gets them as they
 * arrive, and all but the last are unproved: a file that turns out wrong breaks off with an error.
 */
export function answering({ hydrate, find, store: opened, endpoint, mode = 'verify-first', ...others }) {
  if (mode !== 'verify-first' && mode !== 'stream-through') throw new TypeError(`there is no mode ${mode}`);

  return (event) => {
    const { request } = event;
    const found = request.method === 'GET' && find(new URL(request.url), request);
    if (found) event.respondWith(Promise.resolve(found).then((want) => (want ? respond(request, want) : fetch(request))));
  };

  async function respond(request, { type = 'application/octet-stream', ...want }) {
    const [store, given] = [await opened, { ...others, endpoint: await endpoint }];
    const headers = {
      'content-type': type, 'accept-ranges': 'bytes', etag: `"${want.oid}"`, 'x-content-type-options': 'nosniff',
    };
    const range = request.headers.get('range');
    if (mode === 'stream-through' && !range && !(await store.has(want.oid, Number(want.size)))) {
      const through = new StreamThrough(store);
      through.settle(hydrate({ ...given, wants: [want], store: through, signal: through.signal }));
      return new Response(through.readable, { headers: { ...headers, 'content-length': want.size } });
    }
    const [file] = await hydrate({ ...given, wants: [want], store, signal: request.signal }).catch((error) => [{ error }]);
    if (file.error) return refusal(file.error);
    return part(await file.blob(), range, headers);
  }
}

/** A file, or the range of it that was asked for. */
function part(blob, range, headers) {
  const [, first, last] = RANGE.exec(range ?? '') ?? [];
  if (first === undefined || first + last === '') {
    return new Response(blob, { headers: { ...headers, 'content-length': blob.size } });
  }
  const from = first === '' ? Math.max(blob.size - Number(last), 0) : Number(first);
  const end = first === '' || last === '' ? blob.size : Math.min(Number(last) + 1, blob.size);
  if (from >= end) return new Response(null, { status: 416, headers: { ...headers, 'content-range': `bytes */${blob.size}` } });
  return new Response(blob.slice(from, end), {
    status: 206,
    headers: { ...headers, 'content-length': end - from, 'content-range': `bytes ${from}-${end - 1}/${blob.size}` },
  });
}

/** What a page gets instead of a file: a status that fits, and the error in words. */
function refusal({ code, message }) {
  const status = { auth: 401, missing: 404, 'not-found': 404, removed: 410, busy: 503, limit: 413 }[code] ?? 502;
  return new Response(`${message}\n`, {
    status, headers: { 'content-type': 'text/plain; charset=utf-8', 'hydrant-code': code ?? 'host' },
  });
}
