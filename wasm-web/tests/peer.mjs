// A small LFS server on loopback: batch API and storage in one, or a storage of its own beside it. What it answers is
// what a test says. It writes down every request, and knows how many of its answers are under way.

import { createServer } from 'node:http';
import { digest } from '../../tests/hosts/js/scene.mjs';

const LFS = 'application/vnd.git-lfs+json';
/** Headers for pages of any origin. */
export const OPEN_TO_PAGES = {
  'access-control-allow-origin': '*',
  'access-control-allow-headers': 'authorization, content-type, if-range, range, x-action',
  'access-control-allow-methods': 'GET, POST, PUT',
};

export class Peer {
  /** Every request: method, path, headers; those with a body also have it, as text, once it came. */
  requests = [];
  /** Bytes, by oid. */
  blobs = new Map();
  /** Headers of every answer. */
  cors = OPEN_TO_PAGES;
  /** Headers of a blob. */
  headers = () => ({});
  /** The objects of a batch response, for those that were asked for. */
  objects = (asked) => asked.map((object) => this.object(object));
  /** Takes a request itself, by returning true. */
  takes = () => false;
  #running = 0;
  #watchers = new Set();
  #server;

  static async open() {
    const peer = new Peer();
    peer.#server = createServer((request, response) => peer.#serve(request, response));
    await new Promise((resolve) => peer.#server.listen(0, '127.0.0.1', resolve));
    peer.port = peer.#server.address().port;
    peer.origin = `http://127.0.0.1:${peer.port}`;
    peer.endpoint = `${peer.origin}/lfs`;
    /** Where its blobs are: a storage may have another origin. */
    peer.storage = peer.origin;
    return peer;
  }

  /** Ends every connection. */
  drop() {
    this.#server.closeAllConnections();
  }

  async close() {
    this.drop();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  /** Has these bytes from now on; what to want of them. */
  give(bytes, name = 'file') {
    const oid = digest(bytes);
    this.blobs.set(oid, bytes);
    return { name, oid, size: bytes.length };
  }

  /** Requests with a method; with a path, if it begins like this. */
  asked(method, path = '/') {
    return this.requests.filter((request) => request.method === method && request.path.startsWith(path));
  }

  /** One object of a batch response. */
  object({ oid, size }, header) {
    return { oid, size, actions: { download: { href: `${this.storage}/blobs/${oid}`, header } } };
  }

  /** Waits until something is so of what came and went. */
  async until(isSo) {
    if (isSo()) return;
    await new Promise((resolve) => {
      const look = () => {
        if (!isSo()) return;
        this.#watchers.delete(look);
        resolve();
      };
      this.#watchers.add(look);
    });
  }

  /** Waits until no answer is under way. */
  async idle() {
    await this.until(() => this.#running === 0);
  }

  /** Lets a test's own steps wake those who wait. */
  tell() {
    for (const look of [...this.#watchers]) look();
  }

  async #serve(request, response) {
    const { method, url: path, headers } = request;
    const seen = { method, path, headers, login: headers.authorization, body: undefined };
    this.requests.push(seen);
    this.#running += 1;
    response.once('close', () => {
      this.#running -= 1;
      this.tell();
    });
    this.tell();
    for (const [name, value] of Object.entries(this.cors)) response.setHeader(name, value);
    try {
      const pieces = [];
      for await (const piece of request) pieces.push(piece);
      seen.body = Buffer.concat(pieces).toString();
      if (await this.takes(seen, response)) return;
      this.#answer(seen, response);
    } catch {
      response.destroy();
    }
  }

  #answer(seen, response) {
    const { method, path, headers, body } = seen;
    if (method === 'OPTIONS') return response.writeHead(204).end();
    if (path.endsWith('/objects/batch')) {
      return json(response, 200, { objects: this.objects(JSON.parse(body).objects) });
    }
    const bytes = this.blobs.get(path.split('/').at(-1));
    if (method !== 'GET' || !bytes) return json(response, 404, { message: 'not here' });
    const own = this.headers(seen);
    const [, from] = /^bytes=(\d+)-/.exec(headers.range ?? '') ?? [];
    const isSame = headers['if-range'] === undefined || headers['if-range'] === (own.etag ?? own['last-modified']);
    if (from === undefined || !isSame) {
      return response.writeHead(200, { 'content-length': bytes.length, ...own }).end(bytes);
    }
    const rest = bytes.subarray(Number(from));
    const range = `bytes ${from}-${bytes.length - 1}/${bytes.length}`;
    response.writeHead(206, { 'content-length': rest.length, 'content-range': range, ...own }).end(rest);
  }
}

/** Answers with JSON of the LFS API. */
export function json(response, status, value, headers = {}) {
  response.writeHead(status, { 'content-type': LFS, ...headers }).end(JSON.stringify(value));
  return true;
}

/** Sends the first bytes of a whole body, and leaves it at that. */
export async function begin(response, bytes, count, headers = {}) {
  response.writeHead(200, { 'content-length': bytes.length, ...headers });
  await new Promise((resolve) => response.write(bytes.subarray(0, count), resolve));
}
