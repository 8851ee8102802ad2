// Files of Git LFS at addresses of a page's own, for <img>, <video> and fetch: a handler for a service worker.
//
//   import { hydrate } from 'hydrant';
//   import { answering } from 'hydrant/service-worker';
//   addEventListener('fetch', answering({ hydrate, endpoint, store, find: ({ href }) => wants.get(href) }));

import { heard } from './options.js';
import { presence } from './presence.js';
import { StreamThrough } from './stream-through.js';

const MODES = ['verify-first', 'stream-through'];
/** Header of a range of bytes. Requests for several ranges get all bytes, as a server may answer. */
const RANGE = /^bytes=(\d*)-(\d*)$/i;
/** What a code of this package looks like. */
const CODE = /^[a-z-]{4,10}$/;
/** What a player asks for first: all bytes, as a range. */
const ALL = /^bytes=0-$/i;

/**
 * Gives a listener for `fetch` events. `find(url, request)` says which file stands at a URL: `{ oid, size, type }`, or
 * nothing if that is none of ours. `hydrate` is the function of the entry in use, and what else is given goes to it.
 * `store`, `endpoint` and what `find` says may be promises.
 *
 * `mode`: with `verify-first` a page gets no byte before all are proved; with `stream-through` it gets them as they
 * arrive, and all but the last are unproved: a file that turns out wrong breaks off with an error.
 */
export function answering({ hydrate, find, store: opened, endpoint, mode = 'verify-first', ...others }) {
  if (!MODES.includes(mode)) throw new TypeError(`there is no mode ${mode}`);
  // Each answer says what is wrong with them; until the first, nobody does.
  heard(opened);
  heard(endpoint);

  return (event) => {
    const { request } = event;
    const found = request.method === 'GET' && wanted(request);
    if (found) event.respondWith(answer(event, found));
  };

  /** What is found. What `find` throws at once comes as what it rejects with. */
  function wanted(request) {
    try {
      return find(new URL(request.url), request);
    } catch (error) {
      return Promise.reject(error);
    }
  }

  async function answer(event, found) {
    try {
      const want = await found;
      if (want) return await respond(event, want);
    } catch (error) {
      return refusal(error);
    }
    return fetch(event.request);
  }

  async function respond(event, { type = 'application/octet-stream', ...want }) {
    const [store, given] = [await opened, { ...others, endpoint: await endpoint, wants: [want] }];
    const headers = {
      'content-type': type, 'accept-ranges': 'bytes', etag: `"${want.oid}"`, 'x-content-type-options': 'nosniff',
    };
    const range = rangeOf(event.request, headers.etag);
    const isWhole = range === undefined || ALL.test(range);
    const size = Number(want.size);
    const isHeld = mode === 'stream-through' && isWhole && size > 0 ? (await store.has(want.oid, size)) === true : true;
    const page = presence(event);
    if (!isHeld) {
      const body = await begun(event, page, store, given);
      return range ? partial(body, 0, size, size, headers) : all(body, size, headers);
    }
    const [file] = await hydrate({ ...given, store, signal: page.signal }).finally(page.end);
    return part(await file.blob(), range, headers);
  }

  /** The bytes of a file as they arrive. There is at least one. */
  async function begun(event, page, store, given) {
    const through = new StreamThrough(store);
    if (page.signal.aborted) through.abort();
    page.signal.addEventListener('abort', () => through.abort());
    const settled = through.settle(hydrate({ ...given, store: through, signal: through.signal })).finally(page.end);
    // Also when the page is gone: what has arrived is put away.
    event.waitUntil?.(settled);
    const error = await through.begun;
    if (error) throw error;
    return through.readable;
  }
}

/** The range that a request asks for, unless it is one of another file. */
function rangeOf({ headers }, etag) {
  const condition = headers.get('if-range');
  return condition === null || condition === etag ? headers.get('range') ?? undefined : undefined;
}

/** A file, or the range of it that was asked for. */
function part(blob, range, headers) {
  const [, first, last] = RANGE.exec(range ?? '') ?? [];
  const isBackwards = first !== '' && last !== '' && Number(last) < Number(first);
  if (first === undefined || first + last === '' || isBackwards) return all(blob, blob.size, headers);
  const from = first === '' ? Math.max(blob.size - Number(last), 0) : Number(first);
  const end = first === '' || last === '' ? blob.size : Math.min(Number(last) + 1, blob.size);
  if (from < end) return partial(blob.slice(from, end), from, end, blob.size, headers);
  return new Response(null, { status: 416, headers: { ...headers, 'content-range': `bytes */${blob.size}` } });
}

function all(body, size, headers) {
  return new Response(body, { headers: { ...headers, 'content-length': size } });
}

function partial(body, from, end, size, headers) {
  const own = { 'content-length': end - from, 'content-range': `bytes ${from}-${end - 1}/${size}` };
  return new Response(body, { status: 206, headers: { ...headers, ...own } });
}

/** What a page gets instead of a file: a status that fits, and the error in words. Others' errors have no code. */
function refusal(error) {
  const code = typeof error?.code === 'string' && CODE.test(error.code) ? error.code : 'host';
  const status = { auth: 401, missing: 404, 'not-found': 404, removed: 410, busy: 503, limit: 413 }[code] ?? 502;
  return new Response(`${error?.message ?? error}\n`, {
    status, headers: { 'content-type': 'text/plain; charset=utf-8', 'hydrant-code': code },
  });
}
