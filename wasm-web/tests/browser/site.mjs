// A folder as a web site on loopback, with an origin of its own.

import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { extname, join, normalize } from 'node:path';
import { TYPES } from './server.mjs';

/** Serves the folder that `folder` names at the time, under `/`, and before it what `made` has by path. */
export class Site {
  folder;
  /** Texts by path. */
  made = new Map();
  /** Headers of every answer. */
  headers = {};
  #server;

  static async open() {
    const site = new Site();
    site.#server = createServer((request, response) => site.#answer(request, response));
    await new Promise((resolve) => site.#server.listen(0, '127.0.0.1', resolve));
    site.origin = `http://127.0.0.1:${site.#server.address().port}`;
    return site;
  }

  async close() {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  async #answer({ url }, response) {
    const path = normalize(decodeURIComponent(new URL(url, this.origin).pathname));
    const name = path.endsWith('/') ? `${path}index.html` : path;
    // A browser asks for it whatever the page says.
    const icon = name === '/favicon.ico' ? '' : undefined;
    const bytes = this.made.get(name) ?? icon ?? (await readFile(join(this.folder, name)).catch(() => undefined));
    const type = TYPES[extname(name)] ?? 'application/octet-stream';
    const headers = { ...this.headers, 'content-type': type, 'cache-control': 'no-store' };
    response.writeHead(bytes === undefined ? 404 : 200, headers);
    response.end(bytes ?? 'there is no such file\n');
  }
}
