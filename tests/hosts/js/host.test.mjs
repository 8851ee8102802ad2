// The host against a real server, with real bytes, and against servers of a few lines that misbehave.
//
// HYDRANT_BIN names the `hydrant` command; without it, it is the one that `cargo xtask build` makes.

import assert from 'node:assert/strict';
import { Buffer } from 'node:buffer';
import { mkdir, readFile, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { allWell, until, within } from './scene.mjs';

const MIB = 2 ** 20;

/** A real server that has files of these sizes, and a host for it. */
async function served(place, sizes, options) {
  const server = await place.server();
  const host = await place.host({ login: () => server.login, ...options });
  const files = await place.files(...sizes);
  allWell(await host.upload(server.endpoint, files));
  return { server, host, files };
}

/** Cancels a download in the middle. */
async function leaveBeginning(server, host, file) {
  const release = server.holdFirst(3 * MIB);
  const cancel = new AbortController();
  const onProgress = ({ done }) => done > 0n && cancel.abort();
  const stopped = await host.hydrate(server.endpoint, [file], { signal: cancel.signal, onProgress });
  release();
  assert.equal(stopped.outcomes[0].ended.val.code, 'unfinished');
}

test('small and large blobs go up and come back', () => within(async (place) => {
  const server = await place.server();
  const host = await place.host({ login: () => server.login });
  const small = Array.from({ length: 200 }, (_, number) => number * 11);
  const files = await place.files(...small, 20 * MIB, 20 * MIB + 1, 20 * MIB - 1);
  allWell(await host.upload(server.endpoint, files.map(({ name, oid }) => ({ name, expects: oid }))));
  const progress = new Map();
  const onProgress = ({ name, done, total }) => progress.set(name, done === total);
  allWell(await host.hydrate(server.endpoint, files, { onProgress }));
  for (const file of files) assert.ok(await place.holds(file), file.name);
  assert.ok(files.every(({ name }) => progress.get(name)), 'the end of each was shown');
  assert.deepEqual(await place.stages(), []);

  const before = server.requests.length;
  allWell(await host.hydrate(server.endpoint, files));
  assert.equal(server.requests.length, before, 'what is here is not asked for');
}));

test('forty uploads are one batch request, and each file is sent once with its length', () => within(async (place) => {
  const sizes = Array.from({ length: 40 }, (_, number) => 10_000 * number + 1);
  const { server, host, files } = await served(place, sizes);
  assert.equal(server.requests.filter(({ path }) => path.endsWith('/objects/batch')).length, 1);
  const sent = server.asked('PUT');
  assert.equal(new Set(sent.map(({ path }) => path)).size, 40);
  assert.deepEqual(sent.map(({ length }) => Number(length)).sort((a, b) => a - b), files.map(({ size }) => size));
}));

test('the blobs of a session come here', () => within(async (place) => {
  const { server, host, files } = await served(place, [3 * MIB, 2000, 5]);

  const [session, tree] = ['2026-05-04T09-30-mina', join(place.folder, 'ledger')];
  const names = ['raw.jsonl', 'session.md', 'summary.md'];
  const entries = files.map(({ oid, size }, at) => [names[at], { storage: 'lfs', oid: `sha256:${oid}`, size }]);
  const manifest = { version: '1.0', session_name: session, files: Object.fromEntries(entries) };
  await mkdir(join(tree, 'sessions', session), { recursive: true });
  await writeFile(join(tree, 'sessions', session, 'meta.json'), JSON.stringify(manifest));

  const report = await host.hydrateSession(server.endpoint, session, { tree });
  allWell(report);
  assert.deepEqual(report.outcomes.map(({ name }) => name), names);
  for (const file of files) assert.ok(await place.holds(file));

  const none = await host.hydrateSession(server.endpoint, 'another', { tree });
  assert.equal(none.ended.val.code, 'not-found');
}));

test('what a cancel left is gone on with', () => within(async (place) => {
  const { server, host, files: [file] } = await served(place, [20 * MIB]);

  await leaveBeginning(server, host, file);
  const [left] = await place.stages();
  assert.ok(left.startsWith(`${file.oid}.0.`), 'a beginning was left in order');

  allWell(await host.hydrate(server.endpoint, [file]));
  assert.match(server.asked('GET').at(-1).range, new RegExp(`^bytes=[1-9][0-9]*-${file.size - 1}$`));
  assert.ok(await place.holds(file));
  assert.deepEqual(await place.stages(), []);
}));

test('a beginning is not lost when the next try gets no answer', () => within(async (place) => {
  const { server, host, files: [file] } = await served(place, [8 * MIB], { config: { retryDelayMax: 1n } });
  await leaveBeginning(server, host, file);
  let breaks = 1;
  server.breaks = ({ range }) => range && breaks-- > 0;
  allWell(await host.hydrate(server.endpoint, [file]));
  const [, broken, last] = server.asked('GET').map(({ range }) => range);
  assert.match(broken, /^bytes=[1-9]/);
  assert.equal(last, broken);
  assert.ok(await place.holds(file));
}));

test('of several beginnings the longest is gone on with, and none stays', () => within(async (place) => {
  const { server, host, files: [file] } = await served(place, [MIB]);
  const bytes = Buffer.concat([await readFile(file.name), Buffer.alloc(10)]);
  await mkdir(join(place.cache, 'stages'), { recursive: true });
  for (const length of [5000, 700_000, 20, MIB + 10, 0]) {
    await writeFile(join(place.cache, 'stages', `${file.oid}.0.left-${length}`), bytes.subarray(0, length));
  }
  allWell(await host.hydrate(server.endpoint, [file]));
  assert.deepEqual(server.asked('GET').map(({ range }) => range), [`bytes=700000-${MIB - 1}`]);
  assert.ok(await place.holds(file));
  assert.deepEqual(await readdir(join(place.cache, 'stages')), []);
}));

test('a beginning that is all of it needs no server, a wrong one is replaced', () => within(async (place) => {
  const { server, host, files: [file, other] } = await served(place, [MIB, 2 * MIB]);
  await mkdir(join(place.cache, 'stages'), { recursive: true });
  const leave = (oid, bytes) => writeFile(join(place.cache, 'stages', `${oid}.0.left`), bytes);
  await leave(file.oid, await readFile(file.name));
  await leave(other.oid, Buffer.alloc(2 * MIB));
  allWell(await host.hydrate(server.endpoint, [file, other]));
  const paths = server.asked('GET').map(({ path, range }) => [path.includes(other.oid), range]);
  assert.deepEqual(paths, [[true, undefined]]);
  assert.ok((await place.holds(file)) && (await place.holds(other)));
  assert.deepEqual(await place.stages(), []);
}));

test('a cancel before anything began is a report', () => within(async (place) => {
  const server = await place.server();
  const host = await place.host();
  const wants = await place.files(10, 20);
  const report = await host.hydrate(server.endpoint, wants, { signal: AbortSignal.abort() });
  assert.deepEqual(report.outcomes.map(({ ended }) => ended.val.code), ['unfinished', 'unfinished']);
  assert.deepEqual(server.requests, []);
}));

test('a blob wanted three times at once comes three times, in a stage of its own each', () => within(async (place) => {
  const { server, host, files: [file] } = await served(place, [8 * MIB]);
  server.gather(3);
  const reports = await Promise.all([1, 2, 3].map(() => host.hydrate(server.endpoint, [file])));
  reports.forEach(allWell);
  assert.equal(server.asked('GET').length, 3);
  assert.ok(await place.holds(file));
  assert.deepEqual(await place.stages(), []);
}));

test('a stage that another operation writes to is not offered', () => within(async (place) => {
  const { server, host, files: [file] } = await served(place, [8 * MIB]);
  const release = server.holdFirst(3 * MIB);
  const first = host.hydrate(server.endpoint, [file]);
  await until('the first one writes', async () => (await place.stages()).length === 1);
  allWell(await host.hydrate(server.endpoint, [file]));
  release();
  allWell(await first);
  assert.deepEqual(server.asked('GET').map(({ range }) => range), [undefined, undefined]);
  assert.ok(await place.holds(file));
}));

test('a stage that another process writes to is not offered, and both end well', () => within(async (place) => {
  const { server, host, files: [file] } = await served(place, [8 * MIB]);
  const release = server.holdFirst(3 * MIB);
  const other = place.hydrateElsewhere(server, [file]);
  await until('the other one writes', async () => (await place.stages()).length === 1);
  assert.ok((await place.stages())[0].startsWith(`${file.oid}.${other.pid}.`));

  allWell(await host.hydrate(server.endpoint, [file]));
  assert.deepEqual(server.asked('GET').map(({ range }) => range), [undefined, undefined]);
  assert.ok(await place.holds(file));
  release();
  await other.ended;
  assert.equal(other.said.trim(), '["ok"]');
  assert.ok(await place.holds(file));
}));

test('what a killed process left is gone on with', () => within(async (place) => {
  const { server, host, files: [file] } = await served(place, [8 * MIB]);
  const release = server.holdFirst(3 * MIB);
  const other = place.hydrateElsewhere(server, [file]);
  await until('the other one writes', async () => (await place.stages()).length === 1);
  other.kill();
  await other.ended;
  release();
  allWell(await host.hydrate(server.endpoint, [file]));
  assert.match(server.asked('GET').at(-1).range, /^bytes=[1-9]/);
  assert.ok(await place.holds(file));
  assert.deepEqual(await place.stages(), []);
}));
