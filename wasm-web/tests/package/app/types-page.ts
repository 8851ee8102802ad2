// A program of a page that uses everything, and some of it wrongly. It is checked, not run.

import {
  Hasher, HydrantError, MemoryStore, Misuse, digest, hydrate, init, initSync, manifests, open, operations, pointers,
  run,
} from 'hydrant';
import type {
  Answer, Code, HydratedFile, HydrateOptions, KeepingStore, Kept, Login, Options, OwnHost, Route, Stage, Store, Want,
  types,
} from 'hydrant';
import * as page from 'hydrant/page';
import * as full from 'hydrant/full';
import * as fullPage from 'hydrant/full-page';
import { github, gitlab } from 'hydrant/routes';
import { answering } from 'hydrant/service-worker';
import { CacheStore } from 'hydrant/stores/cache';
import { FolderStore } from 'hydrant/stores/folder';
import { OpfsStore } from 'hydrant/stores/opfs';

declare const endpoint: string;
declare const pointer: string;

// Wants, and what comes of them.
const oid = 'ab'.repeat(32);
const wants: Want[] = [
  pointer, new Uint8Array(5), { name: 'a', pointer }, { oid, size: 5 }, { name: 'b', oid, size: 5n },
];
const [file] = await hydrate({ endpoint, wants });
if (!file) throw new Error('there is one for each want');
const name: string = file.name;
const size: number = file.size;
if (file.error instanceof HydrantError) {
  const code: Code = file.error.code;
  const time: bigint | undefined = file.error.retryAt;
  console.log(code, time, file.error.message);
}
const parts = [await file.bytes(), await file.slice(0, 5)];
const image: string = URL.createObjectURL(new Blob(parts, { type: 'image/png' }));
const texts: [string, Blob, Response] = [await file.text(), await file.blob(), new Response(await file.stream())];
for (let reader = (await file.stream()).getReader(); ;) {
  const { done, value } = await reader.read();
  if (done) break;
  console.log(value.length);
}

// Everything that a call takes.
const controller = new AbortController();
const login: Login = { user: 'me', password: 'secret' };
const options: Options = {
  endpoint: new URL(endpoint),
  login: async ({ origin, refused }) => (refused || !origin ? undefined : login),
  signal: controller.signal,
  onProgress: ({ name, done, total }) => console.log(name.length, done / total),
  onRetry: ({ name, detail, delay }) => console.log(name, detail, delay.toFixed()),
  onLeftOut: ({ origin, names }) => console.log(origin, names.join()),
  rewrite: (url) => url.replace('https://', '/proxy/'),
  config: { inFlightMax: 4, objectBytesMax: 2n ** 40n, insecureHttp: false },
};
const store: Store = new MemoryStore({ maxBytes: 2 ** 30 });
const more: HydrateOptions = { ...options, wants, store };
const files: HydratedFile[] = await hydrate(more);
await hydrate({ endpoint, manifest: '{}', login: { token: 'secret' } });
await hydrate({ endpoint, manifest: new Uint8Array(), login: 'Basic c2VjcmV0' });

// Routes.
const route: Route = github({ owner: 'me', repository: 'models', ref: 'main', token: 'secret' });
await hydrate({ route, wants });
await hydrate({ route: gitlab({ project: 5, ref: 'main', origin: 'https://gitlab.example' }), wants });
await hydrate({ route: ({ oid }) => ({ url: `/blobs/${oid}`, headers: { accept: '*/*' } }), wants });
await hydrate({ route: async ({ name }) => (name ? new URL(name, endpoint) : undefined), wants });

// Stores.
const kept: KeepingStore[] = [
  new MemoryStore(),
  await CacheStore.open(),
  await OpfsStore.open('models', { maxBytes: 5 }),
  await FolderStore.open('x'),
];
for (const store of kept) {
  const all: Kept[] = await store.list();
  await store.pin(oid);
  await store.unpin(oid);
  await store.remove(oid);
  const onProgress = ({ done }: { done: number }) => console.log(done);
  const { checked, removed } = await store.verify({ signal: controller.signal, Hasher, onProgress });
  const release = await store.claim(oid, controller.signal);
  release();
  store.hold(oid)();
  console.log(all.map(({ oid, size, usedAt, pinned }) => [oid, size, usedAt, pinned]), checked, removed.join());
  console.log(await open(store), await open(store, wants));
}

// A store of one's own: only what must be there.
const own: Store = {
  has: (oid, size) => (size > 0 && oid === 'x' ? true : undefined),
  stage: (id, blob, older): Stage => ({
    write: (bytes) => void [id, blob.size, older?.bytes, bytes.length],
    close() {},
  }),
  keep() {},
  async drop() {},
  open: async () => new Blob(),
};
await hydrate({ endpoint, wants, store: own });

// The rest.
const { oid: known, size: length } = await digest(new Blob());
await digest(new Uint8Array(5));
await digest(new ArrayBuffer(5));
await digest((await file.stream()));
await init();
await init(new URL('module.wasm', endpoint));
initSync(new Uint8Array());
const hasher = new Hasher();
hasher.update(new Uint8Array(5));
const digested: string = hasher.finish();
const kind = pointers.classify({ head: new Uint8Array(5), fileSize: 5n });
if (kind.tag === 'pointer') console.log(kind.val.oid, kind.val.size);
console.log(manifests, operations.version(), digested, known, length, image, texts, name, size, files);
console.log(new HydrantError({ code: 'busy', detail: 'later', retryAt: 5n }), new Misuse('finished').payload);

// I/O of one's own.
const host: OwnHost = {
  async perform(effect: types.Effect, answer: Answer): Promise<types.Reply> {
    if (effect.tag === 'has-blob') return { tag: 'absent' };
    if (effect.tag !== 'http') return { tag: 'end' };
    const { status } = await fetch(effect.val.request.url, { signal: answer.signal });
    answer.say({ tag: 'head', val: { status, headers: [] } });
    answer.soFar(5);
    answer.settle();
    return { tag: 'failed', val: { why: 'io', detail: '' } };
  },
};
{
  const config = operations.defaultConfig(endpoint, 5n);
  using operation = operations.Operation.hydrate(config, [{ name: 'a', oid, size: 5n }]);
  await run(operation, host);
  for (const { name, ended } of operation.finishTransfer().outcomes) {
    if (ended.tag === 'err') console.log(name, ended.val.code);
  }
}

// What writes.
const [sent] = await full.upload({ endpoint, login, files: [{ name: 'a', body: new Blob(), oid }] });
console.log(sent?.oid, sent?.size.toFixed(), sent?.error?.code, full.batches, full.endpoints, full.sessions);
const same: (typeof fullPage.upload)[] = [full.upload];
const alike: (typeof hydrate)[] = [page.hydrate, full.hydrate, fullPage.hydrate];
answering({ hydrate: full.hydrate, endpoint, store: CacheStore.open(), find: () => undefined });
console.log(same, alike);

// Wrong uses.
// @ts-expect-error: neither an endpoint nor a route
await hydrate({ wants });
// @ts-expect-error: nothing is wanted
await hydrate({ endpoint });
// @ts-expect-error: a want without a size
await hydrate({ endpoint, wants: [{ oid }] });
// @ts-expect-error: one want is no list
await hydrate({ endpoint, wants: pointer });
// @ts-expect-error: a login without a password
await hydrate({ endpoint, wants, login: { user: 'me' } });
// @ts-expect-error: there is no such option
await hydrate({ endpoint, wants, onProgres: () => {} });
// @ts-expect-error: there is no such code
if (file.error?.code === 'offline') console.log();
// @ts-expect-error: a file does not change
file.name = 'b';
// @ts-expect-error: the store is not opened yet
await hydrate({ endpoint, wants, store: CacheStore.open() });
// @ts-expect-error: stores are opened
new OpfsStore();
// @ts-expect-error: this entry does not write
console.log(page.upload);
// @ts-expect-error: a body is a Blob
await full.upload({ endpoint, files: [{ name: 'a', body: 'text' }] });
// @ts-expect-error: GitHub needs to know which commit
github({ owner: 'me', repository: 'models' });
// @ts-expect-error: an error is made from its parts
new HydrantError('it failed');
// @ts-expect-error: there is no such mode
answering({ hydrate, endpoint, store, find: () => undefined, mode: 'fast' });
// @ts-expect-error: a reply that says nothing
await run(operations.Operation.hydrate(operations.defaultConfig(endpoint, 5n), []), { perform: () => undefined });
