// The routes of forges in a page, against stand-ins that answer with the headers that those forges send: any page may
// read, and no header is exposed.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { Scene } from './browser/chromium.mjs';
import { noise } from './stores/bytes.mjs';

const BYTES = noise(70_000, 7);
const PATH = 'media/a b/ünder?.bin';
/** The stand-ins have no certificate. */
const config = { retriesMax: 1, retryDelayMax: 1n, insecureHttp: true };
const CORS = { 'access-control-allow-origin': '*' };

let scene;
before(async () => (scene = await Scene.open()));
after(() => scene?.close());

const forges = {
  github: {
    given: { owner: 'an-owner', repository: 'a.repository', ref: 'refs/heads/main' },
    path: '/media/an-owner/a.repository/refs/heads/main/media/a%20b/%C3%BCnder%3F.bin',
    headers: { etag: '"blob"', 'content-type': 'application/octet-stream', 'cache-control': 'max-age=300' },
  },
  gitlab: {
    given: { project: 'group/sub/project', ref: 'feature/x' },
    path: '/api/v4/projects/group%2Fsub%2Fproject/repository/files/media%2Fa%20b%2F%C3%BCnder%3F.bin/raw' +
      '?ref=feature%2Fx&lfs=true',
    headers: {
      etag: 'W/"blob"', 'content-type': 'application/octet-stream',
      'content-disposition': 'attachment; filename="under.bin"; filename*=UTF-8\'\'%C3%BCnder%3F.bin',
    },
  },
};

for (const [name, { given, path, headers }] of Object.entries(forges)) {
  /** Runs a test with a forge that gives these bytes, and the hydration of what it should give. */
  const withForge = (bytes, test) => () => scene.within(async (own) => {
    const [page, peer] = [await own.page(), await own.peer()];
    const want = peer.give(BYTES, PATH);
    peer.cors = CORS;
    peer.takes = (seen, response) => {
      if (seen.method !== 'GET' || seen.path !== path) return false;
      response.writeHead(200, { ...headers, 'content-length': bytes.length }).end(bytes);
      return true;
    };
    const hydrated = (options) => {
      const forge = [name, { ...given, ...options, origin: peer.origin }];
      return own.ask(page, 'page', 'hydrated', { forge, wants: [want], config });
    };
    await test({ own, peer, want, hydrated });
  });

  test(`${name}: a file comes without a batch request or a preflight`, withForge(BYTES, async (given) => {
    const { peer, want, hydrated } = given;
    const { files } = await hydrated();
    assert.deepEqual(files, [{ name: PATH, oid: want.oid }]);
    assert.deepEqual(peer.requests.map(({ method, login }) => [method, login]), [['GET', undefined]]);
  }));

  test(`${name}: a wrong body is refused`, withForge(BYTES.with(69_999, 1 ^ BYTES[69_999]), async ({ hydrated }) => {
    const { files: [{ code }] } = await hydrated();
    assert.equal(code, 'integrity');
  }));

  test(`${name}: a pointer in place of its content is refused`, withForge(
    Buffer.from(`version https://git-lfs.github.com/spec/v1\noid sha256:${'ab'.repeat(32)}\nsize 70000\n`),
    async ({ hydrated }) => {
      const { files: [{ code }] } = await hydrated();
      assert.equal(code, 'integrity');
    },
  ));

  test(`${name}: a token goes to the forge, which must allow that`, withForge(BYTES, async (given) => {
    const { own, peer, want, hydrated } = given;
    own.allow(/blocked by CORS policy|net::ERR_FAILED|status of 404/);
    const { files: [{ code, message }] } = await hydrated({ token: 'secret' });
    assert.equal(code, 'blocked');
    assert.match(message, /Access-Control-Allow-Headers: authorization$/);
    peer.cors = { ...CORS, 'access-control-allow-headers': 'Authorization' };
    const { files } = await hydrated({ token: 'secret' });
    assert.deepEqual(files, [{ name: PATH, oid: want.oid }]);
    assert.equal(peer.asked('GET').at(-1).login, 'Bearer secret');
  }));
}

test('what a forge does not have is not found', () => scene.within(async (own) => {
  own.allow(/status of 404/);
  const [page, peer] = [await own.page(), await own.peer()];
  const forge = ['github', { ...forges.github.given, origin: peer.origin }];
  const wants = [{ name: 'other', oid: 'ab'.repeat(32), size: 5 }];
  const { files: [{ code }] } = await own.ask(page, 'page', 'hydrated', { forge, wants, config });
  assert.equal(code, 'not-found');
}));
