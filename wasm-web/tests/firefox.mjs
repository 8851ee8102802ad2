// The recording, and a hydration from a server of another origin, in Debian's Firefox. Nothing drives it: it opens a
// page, and the page says how it went. Ends with 1 if anything differs.

import { spawn } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { recording } from '../../tests/hosts/js/recording.mjs';
import { serve } from './browser/server.mjs';
import { COMMON } from './replaying.mjs';

const FIREFOX = process.env.FIREFOX_BIN ?? 'firefox-esr';
const PATIENCE_MS = 300_000;
const BYTES = 300_000;

const pages = await serve();
const folder = await mkdtemp(join(tmpdir(), 'hydrant-firefox-'));
const body = randomBytes(BYTES);
const oid = createHash('sha256').update(body).digest('hex');

/** A server of another origin: the batch API, one blob, and a place for what the page says. */
let heard;
const said = new Promise((resolve) => (heard = resolve));
const other = createServer(async (request, response) => {
  const chunks = [];
  for await (const chunk of request) chunks.push(chunk);
  const { origin, host } = { origin: pages.origin, host: request.headers.host };
  response.setHeader('access-control-allow-origin', origin);
  response.setHeader('access-control-allow-headers', 'accept, content-type');
  if (request.method === 'OPTIONS') return response.end();
  if (request.url === '/said') {
    heard(JSON.parse(Buffer.concat(chunks)));
    return response.end();
  }
  if (request.url === `/${oid}`) return response.end(body);
  response.setHeader('content-type', 'application/vnd.git-lfs+json');
  const actions = { download: { href: `http://${host}/${oid}` } };
  return response.end(JSON.stringify({ transfer: 'basic', objects: [{ oid, size: BYTES, actions }] }));
});
await new Promise((resolve) => other.listen(0, '127.0.0.1', resolve));
const endpoint = `http://127.0.0.1:${other.address().port}`;

const page = `<!doctype html><meta charset="utf-8"><title>Firefox</title><script type="module">
  const found = { version: navigator.userAgent };
  try {
    const { replayed, same } = await import('/tests/replaying.mjs');
    const text = await (await fetch('/recording')).text();
    for (const [name, module] of [['page', 'read'], ['full-page', 'full']]) {
      const engine = await import('/package/' + name + '.js');
      await engine.init();
      found[module] = replayed(engine, text, same);
    }
    const { hydrate } = await import('/package/page.js');
    const wants = [{ oid: '${oid}', size: ${BYTES} }, { oid: '${'0'.repeat(64)}', size: ${BYTES} }];
    const [file, missing] = await hydrate({ endpoint: '${endpoint}', wants });
    found.bytes = (await file.bytes()).length;
    found.missing = missing.error.code;
  } catch (error) {
    found.error = String(error);
  }
  await fetch('${endpoint}/said', { method: 'POST', mode: 'no-cors', body: JSON.stringify(found) });
</script>`;
await writeFile(join(folder, 'page.html'), page);
pages.files.set('/recording', recording());
pages.files.set('/firefox', join(folder, 'page.html'));

const firefox = spawn(FIREFOX, ['--headless', '--no-remote', '--profile', folder, `${pages.origin}/firefox`], {
  stdio: 'ignore', detached: true,
});
let timer;
const late = new Promise((_, reject) => {
  timer = setTimeout(() => reject(new Error(`Firefox said nothing within ${PATIENCE_MS} ms`)), PATIENCE_MS);
  firefox.once('error', reject);
});
try {
  const found = await Promise.race([said, late]);
  console.log(found);
  const isEnough = Object.entries(COMMON).every(([module, { calls, steps }]) => {
    return found[module]?.calls > calls && found[module].steps > steps && found[module].running === 0;
  });
  process.exitCode = !found.error && isEnough && found.bytes === BYTES && found.missing === 'malformed' ? 0 : 1;
} finally {
  clearTimeout(timer);
  // It has processes of its own.
  process.kill(-firefox.pid);
  await new Promise((resolve) => firefox.once('close', resolve));
  other.closeAllConnections();
  other.close();
  await pages.close();
  await rm(folder, { recursive: true, force: true, maxRetries: 5 });
}
