// A server of files and blobs on loopback, for pages under test. It counts what blobs are asked for.

import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { extname, join, normalize } from 'node:path';
import { fileURLToPath } from 'node:url';
import { folder as built } from '../package.mjs';

const ROOTS = { package: built, tests: fileURLToPath(new URL('..', import.meta.url)) };
export const TYPES = {
  '.html': 'text/html',
  '.js': 'text/javascript',
  '.json': 'application/json',
  '.mjs': 'text/javascript',
  '.wasm': 'application/wasm',
};

/** Serves `/package/…`, `/tests/…`, and blobs under `/blobs/OID`. */
export async function serve() {
  const serving = new Serving();
  const server = createServer((request, response) => {
    serving.answer(request, response).catch(() => response.destroy());
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  serving.origin = `http://127.0.0.1:${server.address().port}`;
  serving.close = async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  };
  return serving;
}

class Serving {
  /** Bytes, by oid. */
  blobs = new Map();
  /** Oids that were asked for, in order. */
  asked = [];
  /** Answers with blobs wait for this. */
  gate = Promise.resolve();

  async answer(request, response) {
    const path = normalize(decodeURIComponent(new URL(request.url, 'http://localhost').pathname));
    const [, root, ...rest] = path.split('/');
    if (root === 'blobs' && this.blobs.has(rest[0])) {
      this.asked.push(rest[0]);
      await this.gate;
      return this.#end(response, 200, 'application/octet-stream', this.blobs.get(rest[0]));
    }
    if (path === '/favicon.ico') return this.#end(response, 204, 'image/x-icon', '');
    const bytes = ROOTS[root] && (await readFile(join(ROOTS[root], ...rest)).catch(() => undefined));
    if (!bytes) return this.#end(response, 404, 'text/plain', 'there is no such file\n');
    return this.#end(response, 200, TYPES[extname(path)] ?? 'application/octet-stream', bytes);
  }

  #end(response, status, type, bytes) {
    response.writeHead(status, { 'content-type': type, 'cache-control': 'no-store' });
    response.end(bytes);
  }
}
