// The handler for service workers, asked by events that a test makes.

import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { folder, load } from '../package.mjs';

export const { HydrantError, MemoryStore, hydrate } = await load('index');
export const { answering } = await import(pathToFileURL(join(folder, 'service-worker.js')));
const { upload } = await load('full');

const PAGE = 'https://page.example';
export const BYTES = 3_000_000;

/** A server with a file of this size, and a handler for it. */
export async function published(place, options, size = BYTES) {
  const server = await place.server('--open');
  const [file] = await place.files(size);
  const bytes = new Uint8Array(await readFile(file.name));
  const [{ error }] = await upload({ endpoint: server.endpoint, files: [{ name: 'file', body: new Blob([bytes]) }] });
  assert.equal(error, undefined);
  server.requests.length = 0;
  const want = { oid: file.oid, size, type: 'image/png' };
  const store = new MemoryStore();
  const find = (url) => url.pathname === '/lfs/file' && want;
  const given = { hydrate, endpoint: server.endpoint, store, find, ...options };
  return { server, bytes, want, store, given, handler: answering(given) };
}

/** What a handler answers; nothing if it leaves the request to the browser. */
export async function asked(handler, { path = '/lfs/file', headers, signal, method, clientId } = {}) {
  let answer;
  const waits = [];
  handler({
    clientId,
    request: new Request(`${PAGE}${path}`, { headers, signal, method }),
    respondWith: (response) => (answer = response),
    waitUntil: (promise) => waits.push(promise),
  });
  const response = await answer;
  return response && Object.assign(response, { waits });
}

export const bytesOf = async (response) => new Uint8Array(await response.arrayBuffer());

/** How many objects were fetched. */
export const fetched = (server) => server.asked('GET').length;

/** Reads what comes before a stream ends or breaks: the bytes, and the error. */
export async function read(response) {
  const pieces = [];
  try {
    for await (const piece of response.body) pieces.push(piece);
  } catch (error) {
    return { bytes: Buffer.concat(pieces), error };
  }
  return { bytes: Buffer.concat(pieces) };
}

/** Changes one byte of what is fetched. */
export async function* wrong(body) {
  let isFirst = true;
  for await (const piece of body) {
    if (isFirst) piece[0] ^= 1;
    isFirst = false;
    yield piece;
  }
}
