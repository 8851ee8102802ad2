// The host against servers, files and logins that are not as they should be.

import assert from 'node:assert/strict';
import { Buffer } from 'node:buffer';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { test } from 'node:test';
import { allWell, collect, digest, until, within } from './scene.mjs';

const MIB = 2 ** 20;

/** A server that offers every object at an address of its own, and answers there as it is told. */
async function offering(place, serve) {
  const authority = await place.listen(async (request, response) => {
    if (request.method !== 'POST') return serve(request, response);
    const { objects, operation } = JSON.parse(Buffer.concat(await request.toArray()).toString());
    const offered = ({ oid, size }) => {
      const action = { href: `http://${authority}/${oid}` };
      return { oid, size, actions: { [operation]: action } };
    };
    response.writeHead(200, { 'content-type': 'application/vnd.git-lfs+json' });
    response.end(JSON.stringify({ transfer: 'basic', objects: objects.map(offered) }));
  });
  return `http://${authority}/repository`;
}

/** Sends without an end. */
function pour(response) {
  const endless = function* () {
    for (;;) yield Buffer.alloc(64 * 1024, ' ');
  };
  return pipeline(endless, response).catch(() => {});
}

test('a server that lies once is asked again, one that always lies is believed nothing', () => within(async (place) => {
  const bytes = Buffer.alloc(3 * MIB, 'right');
  const [want, wrong] = [{ name: 'a', oid: digest(bytes), size: bytes.length }, Buffer.alloc(3 * MIB, 'wrong')];
  const asked = [];
  const endpoint = await offering(place, (request, response) => {
    asked.push(request.headers.range);
    response.end(asked.length === 2 ? bytes : wrong);
  });
  const host = await place.host();
  const retries = [];
  allWell(await host.hydrate(endpoint, [want], { onRetry: (retry) => retries.push(retry.reason.code) }));
  assert.ok(await place.holds(want));
  assert.deepEqual([asked, retries], [[undefined, undefined], ['integrity']]);

  const other = { ...want, oid: digest('other') };
  const report = await host.hydrate(endpoint, [other]);
  assert.equal(report.outcomes[0].ended.val.code, 'integrity');
  assert.deepEqual(await place.stages(), []);
}));

test('an endless answer is read up to its bound', () => within(async (place) => {
  const blob = await offering(place, (_, response) => pour(response));
  const host = await place.host();
  const report = await host.hydrate(blob, [{ name: 'a', oid: digest('a'), size: MIB }]);
  assert.equal(report.outcomes[0].ended.val.code, 'integrity');

  const batch = await place.listen((_, response) => {
    response.writeHead(200, { 'content-type': 'application/vnd.git-lfs+json' });
    return pour(response);
  });
  const none = await host.hydrate(`http://${batch}/repository`, [{ name: 'a', oid: digest('a'), size: MIB }]);
  assert.equal(none.ended.tag, 'err');
}));

test('a silent server is given up, before the head and in the middle of a body', () => within(async (place) => {
  const host = await place.host({ config: { idleMax: 200n, retriesMax: 3, retryDelayMax: 1n } });
  const want = { name: 'a', oid: digest('a'), size: MIB };
  const mute = await place.listen(() => {});
  const unheard = await host.hydrate(`http://${mute}/repository`, [want]);
  assert.match(unheard.ended.val.detail, /TimeoutError/);

  const stuck = await offering(place, (_, response) => response.write('some bytes'));
  const report = await host.hydrate(stuck, [want]);
  assert.match(report.outcomes[0].ended.val.detail, /TimeoutError/);
  assert.equal((await place.stages()).length, 1, 'what came is left for another try');
}));

test('a server that is not there is tried again', () => within(async (place) => {
  const gone = await place.listen(() => {});
  await place.leave();
  const host = await place.host({ config: { retriesMax: 1, retryDelayMax: 1n } });
  const retries = [];
  const onRetry = (retry) => retries.push(retry.name);
  const want = { name: 'a', oid: digest('a'), size: 1 };
  const report = await host.hydrate(`http://${gone}/repository`, [want], { onRetry });
  assert.equal(report.ended.val.code, 'host');
  assert.equal(retries.length, 1);
}));

test('a refused login is renewed, and goes to the server alone', () => within(async (place) => {
  const server = await place.server();
  const files = await place.files(2000, 3000);
  const asked = [];
  const login = ({ origin, refused }) => {
    asked.push([origin, refused?.password]);
    return refused ? server.login : { user: 'hydrant', password: 'old' };
  };
  const host = await place.host({ login });
  allWell(await host.upload(server.endpoint, files));
  const { origin } = new URL(server.endpoint);
  assert.deepEqual(asked, [[origin, undefined], [origin, 'old']]);
  // Actions have headers of their own: the login was for the batch request.
  const basic = server.requests.filter(({ login }) => login?.startsWith('Basic '));
  assert.ok(basic.every(({ path }) => path.endsWith('/objects/batch')));

  const stranger = await place.host();
  const report = await stranger.hydrate(server.endpoint, files);
  assert.equal(report.ended.val.code, 'auth');
  const dismissed = await (await place.host({ login: () => undefined })).hydrate(server.endpoint, files);
  assert.equal(dismissed.ended.val.code, 'auth');
}));

test('a body is read, and a cancel heard, after garbage was collected', () => within(async (place) => {
  const bytes = Buffer.alloc(MIB, 'x');
  const want = { name: 'a', oid: digest(bytes), size: bytes.length };
  const held = [];
  const endpoint = await offering(place, (_, response) => {
    response.write(bytes.subarray(0, 1000));
    held.push(response);
  });
  const host = await place.host();
  const first = host.hydrate(endpoint, [want]);
  await until('it waits for more', async () => (await place.stages()).length === 1);
  await collect();
  held[0].end(bytes.subarray(1000));
  allWell(await first);

  const cancel = new AbortController();
  const second = host.hydrate(endpoint, [{ ...want, oid: digest('other') }], { signal: cancel.signal });
  await until('it waits for more', async () => (await place.stages()).length === 1);
  await collect();
  cancel.abort();
  assert.equal((await second).outcomes[0].ended.val.code, 'unfinished');
}));

test('a question for a login does not outlive a cancel', () => within(async (place) => {
  const server = await place.server();
  const cancel = new AbortController();
  const login = () => new Promise(() => setTimeout(() => cancel.abort()));
  const host = await place.host({ login });
  const report = await host.hydrate(server.endpoint, await place.files(1), { signal: cancel.signal });
  assert.equal(report.outcomes[0].ended.val.code, 'unfinished');
}));

test('a file that changes after it was hashed is a conflict', () => within(async (place) => {
  const server = await place.server();
  const [file, other] = await place.files(MIB, 2 * MIB);
  // The login is asked for after the files were hashed.
  const login = async () => {
    await writeFile(file.name, 'something else');
    return server.login;
  };
  const host = await place.host({ login });
  const report = await host.upload(server.endpoint, [file, other]);
  assert.deepEqual(report.outcomes.map(({ ended }) => ended.val?.code ?? ended.tag), ['conflict', 'ok']);
  const absent = await host.upload(server.endpoint, [{ name: join(place.folder, 'nothing') }]);
  assert.equal(absent.outcomes[0].ended.val.code, 'not-found');
}));

test('what cannot begin is a report, and a fault of the program is thrown', () => within(async (place) => {
  const host = await place.host();
  const report = await host.hydrate('ftp://example.test', []);
  assert.deepEqual([report.outcomes, report.ended.val.code], [[], 'malformed']);
  await assert.rejects(host.hydrate('http://127.0.0.1/repository', [{ name: 'a', oid: 7, size: 1 }]), TypeError);
}));

test('a refusal is heard though nobody reads the upload', () => within(async (place) => {
  const endpoint = await offering(place, (_, response) => response.writeHead(422).end('no'));
  const host = await place.host();
  const report = await host.upload(endpoint, await place.files(64 * MIB));
  assert.equal(report.outcomes[0].ended.val.code, 'rejected');
}));
