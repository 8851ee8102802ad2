// What has no form never reaches the module: a typed error says which value it was, and nothing has changed.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { load } from './package.mjs';

const { hydrate, operations, pointers, sessions, manifests } = await load('full');
const OID = 'ab'.repeat(32);
const ENDPOINT = 'https://lfs.example.test';
const config = (seed = 1n) => operations.defaultConfig(ENDPOINT, seed);

test('values that are none', () => {
  const table = [
    [() => pointers.classify(undefined), /argument 1 must be an object, and is undefined/],
    [() => pointers.classify({ head: [1, 2], fileSize: 2 }), /argument 1\.head must be a Uint8Array, and is object/],
    [() => pointers.classify({ head: new Uint8Array(), fileSize: NaN }), /argument 1\.fileSize .*, and is NaN/],
    [() => pointers.classify({ head: new Uint8Array(), fileSize: -1 }), /fileSize/],
    [() => pointers.classify({ head: new Uint8Array(), fileSize: 1.5 }), /fileSize/],
    [() => pointers.classify({ head: new Uint8Array(), fileSize: 2 ** 60 }), /fileSize/],
    [() => pointers.classify({ head: new Uint8Array(), fileSize: 2n ** 64n }), /fileSize/],
    [() => pointers.classify({ head: new Uint8Array(), fileSize: -1n }), /fileSize/],
    [() => pointers.classifyMany({}), /argument 1 must be an array/],
    [() => pointers.explain({ flaw: 'ugly', line: 1 }), /argument 1\.flaw must be one of no-marker, /],
    [() => pointers.explain({ flaw: 'bad-line', line: 2 ** 32 }), /argument 1\.line/],
    [() => pointers.format({ oid: 7, size: 1n, extensions: [], canonical: true }), /argument 1\.oid must be a string/],
    [() => operations.Operation.hydrate(config(), [{ name: 'a', oid: OID }]), /argument 2\[0\]\.size/],
    [() => operations.Operation.hydrate({ ...config(), login: 'maybe' }, []), /argument 1\.login/],
    [() => operations.Operation.hydrate({ ...config(), insecureHttp: 1 }, []), /insecureHttp must be true or false/],
    [() => operations.Operation.locks(config(), { tag: 'break' }), /argument 2\.tag must be one of create, /],
    [() => sessions.hydrateSession(config(), '../x'), /the session cannot be used/],
    [() => manifests.read(new Uint8Array()), /the manifest cannot be read/],
  ];
  for (const [call, message] of table) {
    const isTyped = (error) => error.name === 'HydrantError' && error.code === 'malformed';
    assert.throws(call, (error) => isTyped(error) && message.test(error.message), String(call));
  }
  // Nothing of all that is left on the way.
  assert.equal(pointers.classify({ head: new Uint8Array([104, 105]), fileSize: 2n }).tag, 'content');
});

test('long strings and many objects meet the named limits', () => {
  const long = 'x'.repeat(5000);
  const size = 1n;
  assert.throws(() => operations.Operation.hydrate(config(), [{ name: long, oid: OID, size }]), { code: 'limit' });
  const many = Array.from({ length: 65_537 }, (_, at) => ({ name: String(at), oid: OID, size }));
  assert.throws(() => operations.Operation.hydrate(config(), many), { code: 'limit' });
  assert.throws(() => operations.defaultConfig(`https://${'x'.repeat(1 << 20)}`, 'seed'), { code: 'malformed' });
});

test('misuse changes nothing', () => {
  const operation = operations.Operation.hydrate(config(), [{ name: 'a', oid: OID, size: 5n }]);
  const now = { ticks: 0n, wall: 0n };
  const { tag, val: { id, effect } } = operation.poll(now);
  assert.deepEqual([tag, effect.tag], ['perform', 'has-blob']);
  const misuse = (payload) => (error) => error.name === 'Misuse' && error.payload === payload;
  assert.throws(() => operation.reply(id + 1, { tag: 'absent' }), misuse('unknown-effect'));
  assert.throws(() => operation.reply(id, { tag: 'end' }), misuse('out-of-order'));
  assert.throws(() => operation.reply(id, { tag: 'received', val: { oid: 'x', size: 1n } }), misuse('out-of-order'));
  const none = { tag: 'received', val: { oid: 'x', size: 1n } };
  assert.throws(() => operation.reply(id + 1, none), misuse('unknown-effect'));
  assert.throws(() => operation.reply(id, { tag: 'nothing' }), { code: 'malformed' });
  assert.throws(() => operation.finishBatch(), misuse('another-kind'));
  operation.reply(id, { tag: 'present' });
  assert.equal(operation.poll(now).tag, 'note');
  assert.equal(operation.poll(now).tag, 'done');
  assert.deepEqual(operation.finishTransfer().outcomes[0].ended, { tag: 'ok', val: undefined });
  assert.throws(() => operation.finishTransfer(), misuse('finished'));
  operation[Symbol.dispose ?? Symbol.for('dispose')]();
  assert.throws(() => operation.poll(now), misuse('finished'));
  operation[Symbol.dispose ?? Symbol.for('dispose')]();
});

test('one seed runs once', () => {
  const first = operations.Operation.hydrate(config(7n), []);
  assert.throws(() => operations.Operation.hydrate(config(7n), []), { code: 'host' });
  first.finishTransfer();
  operations.Operation.hydrate(config(7n), []).finishTransfer();
});

test('a call that cannot begin rejects, and says why', async () => {
  const wants = [{ oid: OID, size: 1 }];
  await assert.rejects(hydrate({ endpoint: 'nowhere', wants }), { code: 'malformed' });
  await assert.rejects(hydrate({ endpoint: 'http://lfs.example.test', wants }), { code: 'blocked' });
  await assert.rejects(hydrate({ endpoint: ENDPOINT, wants: [{ oid: OID, size: NaN }] }), { code: 'malformed' });
  await assert.rejects(hydrate({ endpoint: ENDPOINT, wants: [null] }), { code: 'malformed' });
  await assert.rejects(hydrate({ endpoint: ENDPOINT, manifest: '{' }), { code: 'malformed' });
  const [none] = await hydrate({ endpoint: ENDPOINT, wants: [{ oid: 'short', size: 1 }] });
  assert.equal(none.error.code, 'malformed');
});
