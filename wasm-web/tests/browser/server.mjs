// A server of files and blobs on loopback, for pages under test. It writes down what is asked for.

import { createReadStream } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { extname, join, normalize } from 'node:path';
import { fileURLToPath } from 'node:url';
import { folder as built } from '../package.mjs';

const TESTS = fileURLToPath(new URL('..', import.meta.url));
/** What tests of hosts share lies where an import of `../../tests/hosts/…` leads from `/tests/…`. */
const SHARED = fileURLToPath(new URL('../../../tests/hosts', import.meta.url));
const ROOTS = [['/package/', built], ['/tests/hosts/', SHARED], ['/tests/', TESTS]];
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
  /** Paths that were asked for, in order. */
  paths = [];
  /** Other files, by the path that they have here. */
  files = new Map();
  /** Answers with blobs wait for this. */
  gate = Promise.resolve();

  async answer(request, response) {
    const path = normalize(decodeURIComponent(new URL(request.url, 'http://localhost').pathname));
    this.paths.push(path);
    const [, root, oid] = path.split('/');
    if (root === 'blobs' && this.blobs.has(oid)) {
      this.asked.push(oid);
      await this.gate;
      return this.#end(response, 200, 'application/octet-stream', this.blobs.get(oid));
    }
    if (this.files.has(path)) return createReadStream(this.files.get(path)).pipe(response);
    if (path === '/favicon.ico') return this.#end(response, 204, 'image/x-icon', '');
    const [under, folder] = ROOTS.find(([under]) => path.startsWith(under)) ?? [];
    const bytes = folder && (await readFile(join(folder, path.slice(under.length))).catch(() => undefined));
    if (!bytes) return this.#end(response, 404, 'text/plain', 'there is no such file\n');
    return this.#end(response, 200, TYPES[extname(path)] ?? 'application/octet-stream', bytes);
  }

  #end(response, status, type, bytes) {
    response.writeHead(status, { 'content-type': type, 'cache-control': 'no-store' });
    response.end(bytes);
  }
}
