// The examples, as a user sees them. HYDRANT_SHOTS names a folder for pictures of the pages.

import assert from 'node:assert/strict';
import { join } from 'node:path';
import process from 'node:process';
import { after, before, test } from 'node:test';
import { HYDRANT } from '../../tests/hosts/js/scene.mjs';
import { serve } from '../examples/serve.mjs';
import { Scene } from './browser/chromium.mjs';
import { folder as built } from './package.mjs';

const SHOTS = process.env.HYDRANT_SHOTS;

let scene;
let examples;
before(async () => {
  [scene, examples] = await Promise.all([Scene.open(), serve({ built, hydrant: HYDRANT })]);
});
after(async () => {
  await scene?.close();
  await examples?.close();
});

/** A test with the page of an example. */
const opened = (name, test) => scene.within(async (own) => {
  const page = await own.visit(`${examples.origin}/${name}`);
  await test(page, own);
  if (SHOTS) await page.screenshot({ path: join(SHOTS, `${name.replace('/', '') || 'index'}.png`) });
});

/** Waits until this many pictures are to be seen, each of its own size. */
const shown = (page, number) => page.waitForFunction((number) => {
  const images = [...document.querySelectorAll('img')];
  return images.length === number && images.every(({ complete, naturalWidth }) => complete && naturalWidth === 160);
}, number);

const pictures = () => examples.files.filter(({ name }) => name.endsWith('.svg'));

test('the list leads to every example', () => opened('', async (page) => {
  const links = await page.locator('a').evaluateAll((links) => links.map(({ href }) => href));
  assert.equal(links.length, 4);
  for (const link of links) assert.equal((await fetch(link)).status, 200, link);
}));

test('five lines in a page', () => opened('page/', async (page) => {
  await shown(page, 1);
}));

test('a large file in a worker, which is there the next time', () => opened('worker/', async (page) => {
  const { size } = examples.files.find(({ name }) => name === 'transcript.jsonl');
  const seen = async () => {
    // The bar is full before the line is read.
    await page.waitForFunction(() => document.querySelector('#text')?.textContent !== '…');
    assert.equal(await page.evaluate(() => document.querySelector('#bar').value), 1);
    const text = await page.textContent('#text');
    assert.ok(text.startsWith(`${size.toLocaleString('en')} bytes`), text);
    assert.match(text, /"at":0,.*"line 0 of a long session"/);
    assert.equal(await page.locator('[role=alert]').count(), 0);
  };
  await seen();
  const asked = [];
  page.on('request', (request) => asked.push(request.url()));
  await page.reload();
  await seen();
  assert.ok(asked.length > 0);
  assert.deepEqual(asked.filter((url) => url.startsWith(new URL(examples.endpoint).origin)), []);
}));

test('a React component, with a file that the server does not have', () => opened('react/', async (page) => {
  await shown(page, 2);
  await page.waitForSelector('[role=alert]');
  assert.match(await page.textContent('[role=alert]'), /^missing .+/);
  assert.equal(await page.locator('progress').count(), 0, 'nothing is under way');
}));

// The last: it ends the server.
test('a gallery behind a service worker, also when the server of Git LFS is gone', () => {
  return opened('gallery/', async (page, own) => {
    await shown(page, pictures().length);
    await examples.stopLfs();
    const answers = [];
    page.on('response', (response) => answers.push(response));
    await page.reload();
    await shown(page, pictures().length);
    const files = answers.filter((answer) => answer.url().includes('/lfs/'));
    assert.equal(files.length, pictures().length);
    for (const answer of files) assert.ok(answer.fromServiceWorker(), answer.url());
    // Nobody else has them.
    assert.equal((await fetch(`${examples.origin}/gallery/lfs/${pictures()[0].name}`)).status, 404);
    const other = await own.visit(`${examples.origin}/gallery/`);
    await shown(other, pictures().length);
  });
});
