// The package as users get it: packed, installed, run by Node, and in pages with and without a bundler.

import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { readFile, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import process from 'node:process';
import { after, before, test } from 'node:test';
import { promisify } from 'node:util';
import { within } from '../../tests/hosts/js/scene.mjs';
import { Scene } from './browser/chromium.mjs';
import { Site } from './browser/site.mjs';
import { load } from './package.mjs';
import { bundled, bundlers } from './package/bundles.mjs';
import { reachable } from './package/contents.mjs';
import { install } from './package/installed.mjs';

const MISSING = { name: 'nobody has this', oid: '0'.repeat(64), size: 5 };

let scene;
let site;
let user;
before(async () => {
  [scene, site, user] = await Promise.all([Scene.open(), Site.open(), install()]);
});
after(async () => {
  await scene?.close();
  await site?.close();
  await user?.leave();
});

/** Runs a test with a server for pages of the site: `given` is for a program, `expected` what it must say. */
function served(test) {
  return within(async (place) => {
    const server = await place.server('--open', '--origin', site.origin);
    const files = await place.files(5, 70_000, 1_200_000);
    const { upload } = await load('full');
    const bodies = await Promise.all(files.map(async ({ name }) => ({ name, body: new Blob([await readFile(name)]) })));
    for (const { error } of await upload({ endpoint: server.endpoint, files: bodies })) assert.equal(error, undefined);
    const given = { endpoint: server.endpoint, wants: [...files, MISSING] };
    site.made.set('/given.json', JSON.stringify(given));
    await test(given, [...files.map(({ oid }) => oid), 'missing']);
  });
}

/** What the program of a page says. */
function said(path) {
  let text;
  return scene.within(async (own) => {
    const page = await own.visit(`${site.origin}${path}`);
    await page.waitForFunction(() => document.querySelector('output').textContent !== '');
    text = await page.textContent('output');
  }).then(() => JSON.parse(text));
}

test('the package holds what its exports name, the texts, and nothing else', async () => {
  const { exports, ...description } = JSON.parse(await readFile(join(user.root, 'package.json'), 'utf8'));
  assert.deepEqual(user.installed, ['hydrant'], 'it brings nothing along');
  assert.deepEqual([description.dependencies, description.scripts], [undefined, undefined]);
  const texts = ['README.md', 'LICENSE', 'LICENSE-APACHE', 'LICENSE-MIT', 'package.json'];
  const needed = await reachable(user.root, exports);
  assert.deepEqual([...user.files].sort(), [...new Set([...texts, ...needed])].sort());
});

for (const name of ['read', 'full']) {
  test(`${name} in Node`, () => served(async (given, expected) => {
    const script = join(user.folder, `node-${name}.js`);
    const { stdout, stderr } = await promisify(execFile)(process.execPath, [script, JSON.stringify(given)]);
    assert.deepEqual([JSON.parse(stdout), stderr], [expected, '']);
  }));

  for (const bundler of Object.keys(bundlers)) {
    test(`${name} in a page, bundled by ${bundler}`, () => served(async (_, expected) => {
      const { out, warnings } = await bundled(bundler, user.folder, name);
      assert.deepEqual(warnings, []);
      await holdsOnly(name, out);
      site.folder = out;
      assert.deepEqual(await said(`/${name}.html`), expected);
    }));
  }

  test(`${name} in a page without a bundler, by an import map`, () => served(async (_, expected) => {
    site.folder = user.folder;
    assert.deepEqual(await said(`/plain.html?${name}`), expected);
  }));
}

test('in a page without a bundler, by its address, under the strictest policy that runs modules', () => {
  return served(async (_, expected) => {
    site.folder = user.folder;
    site.headers = { 'content-security-policy': "script-src 'self' 'unsafe-inline' 'wasm-unsafe-eval'" };
    try {
      assert.deepEqual((await said('/address.html')).with(-1, 'missing'), expected);
    } finally {
      site.headers = {};
    }
  });
});

/** What a page says whose policy is this. */
async function under(policy, endpoint) {
  site.folder = user.folder;
  site.headers = { 'content-security-policy': policy };
  site.made.set('/policy.html', `<!doctype html><output></output><script type="module">
    import { hydrate } from '/node_modules/hydrant/page.js';
    const told = ({ code, message }) => {
      document.querySelector('output').textContent = JSON.stringify({ code, message });
    };
    const wants = [{ oid: '${MISSING.oid}', size: 5 }];
    hydrate({ endpoint: '${endpoint}', wants }).then(([{ error }]) => told(error), told);
  </script>`);
  try {
    let text;
    await scene.within(async (own) => {
      own.allow(/Content Security Policy/);
      const page = await own.visit(`${site.origin}/policy.html`);
      await page.waitForFunction(() => document.querySelector('output').textContent !== '');
      text = await page.textContent('output');
    });
    return JSON.parse(text);
  } finally {
    site.headers = {};
  }
}

test('a policy that forbids the module, or the server, is named', () => served(async ({ endpoint }) => {
  const scripts = "script-src 'self' 'unsafe-inline'";
  assert.deepEqual(await under(scripts, endpoint), {
    code: 'blocked',
    message: "the page's Content Security Policy forbids WebAssembly: script-src needs 'wasm-unsafe-eval'",
  });
  const { code, message } = await under(`${scripts} 'wasm-unsafe-eval'; connect-src 'self'`, endpoint);
  assert.equal(code, 'blocked');
  const { origin } = new URL(endpoint);
  assert.ok(message.endsWith(`Policy forbids requests to ${origin}: connect-src must name it`), message);
}));

/** Fails unless a bundle has the module of this entry as text, once, and no other. */
async function holdsOnly(name, out) {
  const names = await readdir(out, { recursive: true });
  assert.deepEqual(names.filter((name) => name.endsWith('.wasm')), [], 'no module as a file of its own');
  const scripts = names.filter((name) => name.endsWith('.js'));
  const texts = await Promise.all(scripts.map((name) => readFile(join(out, name), 'utf8')));
  for (const module of ['read', 'full']) {
    const source = await readFile(join(user.root, `wasm/${module}_bg.wasm.js`), 'utf8');
    const [text] = /[A-Za-z0-9+/]{1000,}/.exec(source);
    const times = texts.join('').split(text).length - 1;
    assert.equal(times, module === name ? 1 : 0, `the module of ${module}`);
  }
}
