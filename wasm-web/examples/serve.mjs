// Serves the examples, the package and a Git LFS server with files for them, all on loopback.
//
//   cargo xtask web --serve

import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { createServer } from 'node:http';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { extname, join, normalize } from 'node:path';
import process from 'node:process';
import { fileURLToPath, pathToFileURL } from 'node:url';

// The bundler and React are installed with the tests.
const { build } = createRequire(new URL('../tests/package.json', import.meta.url))('esbuild');

const EXAMPLES = fileURLToPath(new URL('.', import.meta.url));
const PICTURES = 6;
const LINES = 40_000;
const TYPES = {
  '.css': 'text/css',
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript',
  '.json': 'application/json',
  '.svg': 'text/plain',
  '.wasm': 'application/wasm',
};

/** Starts it. `built` is the folder of the built package, `hydrant` the command, `port` 0 for any. */
export async function serve({ built, hydrant, port = 0 }) {
  const folder = await mkdtemp(join(tmpdir(), 'hydrant-examples-'));
  const made = new Map();
  const server = createServer(async (request, response) => {
    const file = fileOf(request.url);
    const [, root, ...rest] = file.split('/');
    const bytes = made.get(file) ?? (await readFile(
      root === 'hydrant' ? join(built, ...rest) : join(EXAMPLES, root, ...rest),
    ).catch(() => undefined));
    // Whoever changes an example wants to see the change.
    const headers = { 'content-type': TYPES[extname(file)] ?? 'text/plain', 'cache-control': 'no-cache' };
    response.writeHead(bytes === undefined ? 404 : 200, headers);
    response.end(bytes ?? 'there is no such file\n');
  });
  await new Promise((resolve, reject) => server.listen(port, '127.0.0.1', resolve).once('error', reject));
  const origin = `http://127.0.0.1:${server.address().port}`;

  // Pages of another origin: the browser asks the server whether they may.
  const arguments_ = ['serve', '--json', '--open', '--store', join(folder, 'objects'), '--origin', origin];
  const child = spawn(hydrant, arguments_, { stdio: ['ignore', 'pipe', 'inherit'] });
  // It must not outlive this, whatever happens here.
  process.once('exit', () => child.kill());
  const { url } = await new Promise((resolve, reject) => {
    child.once('error', reject).once('exit', (code) => reject(new Error(`hydrant serve ended with ${code}`)));
    let said = '';
    child.stdout.on('data', (bytes) => {
      said += bytes;
      if (said.includes('}')) resolve(JSON.parse(said));
    });
  });
  const endpoint = `${url}/examples`;

  const files = [...Array.from({ length: PICTURES }, picture), transcript()];
  const { upload } = await import(pathToFileURL(join(built, 'full.js')));
  const sent = await upload({ endpoint, files: files.map(({ name, text }) => ({ name, body: new Blob([text]) })) });
  for (const { error } of sent) if (error) throw error;
  const named = files.map(({ name, text }) => {
    const [oid, size] = [createHash('sha256').update(text).digest('hex'), Buffer.byteLength(text)];
    made.set(`/pointers/${name}`, `version https://git-lfs.github.com/spec/v1\noid sha256:${oid}\nsize ${size}\n`);
    return { name, oid, size };
  });
  made.set('/demo.json', JSON.stringify({ endpoint, files: named }));
  made.set('/react/app.bundle.js', await bundled(built));
  made.set('/index.html', index());
  // A browser asks for it whatever a page says.
  made.set('/favicon.ico', '');

  /** Ends the server of Git LFS alone. */
  async function stopLfs() {
    if (child.exitCode !== null || child.signalCode !== null) return;
    const gone = new Promise((resolve) => child.once('close', resolve));
    child.kill();
    await gone;
  }

  return {
    origin,
    endpoint,
    files: named,
    stopLfs,
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
      await stopLfs();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** The file that a URL names; one that names none has a name that no file has. */
function fileOf(url) {
  try {
    const path = normalize(decodeURIComponent(new URL(url, 'http://localhost').pathname));
    return path.endsWith('/') ? `${path}index.html` : path;
  } catch {
    return '/no such name';
  }
}

/** The React example as a bundler makes it: nothing is configured for the package. */
async function bundled(built) {
  const { outputFiles: [{ text }] } = await build({
    entryPoints: [join(EXAMPLES, 'react/app.jsx')],
    alias: { hydrant: join(built, 'index.js') },
    nodePaths: [fileURLToPath(new URL('../tests/node_modules', import.meta.url))],
    bundle: true, format: 'esm', jsx: 'automatic', minify: true, write: false,
    define: { 'process.env.NODE_ENV': '"production"' },
  });
  return text;
}

function picture(_, number) {
  const circles = Array.from({ length: 12 }, (_, at) => {
    const [angle, hue] = [(at * Math.PI) / 6, number * 60 + at * 8];
    const [x, y] = [80 + 50 * Math.cos(angle), 80 + 50 * Math.sin(angle)].map((number) => number.toFixed(1));
    return `<circle cx="${x}" cy="${y}" r="22" fill="hsl(${hue} 70% 55%)" fill-opacity="0.7"/>`;
  });
  const name = `picture-${number + 1}.svg`;
  const size = 'width="160" height="160" viewBox="0 0 160 160"';
  return { name, text: `<svg xmlns="http://www.w3.org/2000/svg" ${size}>${circles.join('')}</svg>\n` };
}

function transcript() {
  const line = (_, at) => JSON.stringify({ at, role: at % 2 ? 'agent' : 'user', text: `line ${at} of a long session` });
  return { name: 'transcript.jsonl', text: Array.from({ length: LINES }, line).join('\n') };
}

function index() {
  const list = [
    ['page', 'Five lines in a page'],
    ['worker', 'A large file in a worker, kept in the browser'],
    ['react', 'A React component with a progress bar'],
    ['gallery', 'A gallery behind a service worker'],
  ].map(([folder, title]) => `<li><a href="${folder}/">${title}</a>`);
  return `<!doctype html><html lang="en"><meta charset="utf-8"><title>hydrant in the browser</title>
<link rel="stylesheet" href="/style.css"><h1>hydrant in the browser</h1><ul>${list.join('')}</ul></html>`;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const [built, hydrant] = process.argv.slice(2);
  const { origin, close } = await serve({ built, hydrant });
  process.once('SIGINT', close).once('SIGTERM', close);
  console.log(`${origin}/`);
}
