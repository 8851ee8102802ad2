// What tests let a page or a worker do.

import { PIECE_BYTES, blob, bytesOf, heldOid, keep, newId, write } from '/tests/stores/bytes.mjs';
import { open } from './places.mjs';

/** Fetches a blob as an operation does: what is there or comes meanwhile is not fetched. What the store has then. */
async function fetched(kind, name, oid, size) {
  const store = await open[kind](name);
  const isHere = async () => (await store.has(oid, size)) === true;
  if (!(await isHere())) {
    const release = await store.claim(oid);
    if (!(await isHere())) {
      const bytes = new Uint8Array(await (await fetch(`/blobs/${oid}`)).arrayBuffer());
      await keep(store, { oid, size, bytes });
    }
    release();
  }
  return heldOid(store, oid);
}

/** Claims a blob, and holds it for as long as the page lives. */
async function claimed(kind, name, oid) {
  await (await open[kind](name)).claim(oid);
}

/** Writes so many bytes of a blob, and leaves its stage open. What somebody finds meanwhile in the same page. */
async function begun(kind, name, size, bytes) {
  const store = await open[kind](name);
  const it = await blob(size);
  const stage = await store.stage(newId(), it);
  for (let at = 0; at < bytes; at += PIECE_BYTES) {
    await stage.write(it.bytes.slice(at, Math.min(bytes, at + PIECE_BYTES)));
  }
  return (await store.has(it.oid, size)) === undefined;
}

/** Waits until a blob's beginning is offered, and goes on with it. How long that was, and what is kept then. */
async function finished(kind, name, size) {
  const store = await open[kind](name);
  const it = await blob(size);
  let found;
  while (!found) found = await store.has(it.oid, size);
  const bytes = await bytesOf(found.blob);
  if (bytes.some((byte, at) => byte !== it.bytes[at])) throw new Error('a wrong beginning');
  const older = { stage: found.stage, bytes: bytes.length };
  await store.keep(await write(store, it, it.bytes.slice(bytes.length), { older }), it.oid);
  return { beginning: bytes.length, isRight: (await heldOid(store, it.oid)) === it.oid };
}

/** Begins a blob with one store, and finishes it with another one of the same page. */
async function reopened(kind, name, size, bytes) {
  const it = await blob(size);
  const stage = await (await open[kind](name)).stage(newId(), it);
  await stage.write(it.bytes.slice(0, bytes));
  await stage.close();
  return finished(kind, name, size);
}

/** Keeps a blob that nobody else has begun. What was there of it, and what is kept then. */
async function anew(kind, name, size) {
  const store = await open[kind](name);
  const it = await blob(size);
  const before = await store.has(it.oid, size);
  await keep(store, it);
  return { before: before === undefined ? 'nothing' : 'something', isRight: (await heldOid(store, it.oid)) === it.oid };
}

/** Keeps blobs one after another, for as long as the page lives, and tells how many. */
async function keptOn(kind, name) {
  const store = await open[kind](name);
  for (let at = 0; ; at += 1) {
    await keep(store, await blob(200_000, at + 1));
    new BroadcastChannel('told').postMessage(at + 1);
  }
}

/** Looks at everything. */
async function verified(kind, name) {
  const store = await open[kind](name);
  const listed = (await store.list()).length;
  return { listed, ...(await store.verify()) };
}

/** Keeps blobs of these sizes, the first one pinned. */
async function filled(kind, name, sizes) {
  const store = await open[kind](name);
  for (const [at, size] of sizes.entries()) {
    const it = await blob(size);
    if (at === 0) await store.pin(it.oid);
    await keep(store, it);
  }
}

/** Tries to keep a blob. The name of the error, if there is one, and which of these sizes are there, and right. */
async function tried(kind, name, size, sizes) {
  const store = await open[kind](name);
  const it = await blob(size);
  const failed = await keep(store, it).then(() => undefined, (error) => error.name);
  const there = [];
  for (const size of sizes) {
    const { oid } = await blob(size);
    if ((await store.has(oid, size)) === true && (await heldOid(store, oid)) === oid) there.push(size);
  }
  return { failed, there };
}

/** Begins a blob for which there is no room. Whether that was said, and how much of it is there to go on from. */
async function refused(kind, name, size) {
  const store = await open[kind](name);
  const it = await blob(size);
  const stage = await store.stage(newId(), it);
  const failed = await stage.write(it.bytes).then(() => undefined, (error) => error.name);
  await stage.close().catch(() => {});
  return { failed, found: (await store.has(it.oid, size))?.blob.size };
}

/** Goes on with what `begun` wrote, and keeps it. The name of the error, and what lies in the folder of the stages. */
async function goneOn(name, size) {
  const store = await open.OpfsStore(name);
  const it = await blob(size);
  const found = await store.has(it.oid, size);
  const older = { stage: found.stage, bytes: found.blob.size };
  const stage = await store.stage(newId(), it, older);
  const failed = await stage.write(it.bytes.slice(older.bytes)).then(() => undefined, (error) => error.name);
  await stage.close().catch(() => {});
  return { failed, names: await stageNames(name) };
}

/** Lets Chromium leave a copy of a stage of nobody, and opens the store. What lies in the folder before and after. */
async function swept(name, size) {
  const stages = await stagesOf(name);
  const stage = await stages.getFileHandle(`${(await blob(size)).oid}.part`);
  await stage.createWritable({ keepExistingData: true }).catch(() => {});
  const before = await stageNames(name);
  await open.OpfsStore(name);
  return { before, after: await stageNames(name) };
}

async function stagesOf(name) {
  const root = await (await navigator.storage.getDirectory()).getDirectoryHandle(name);
  return root.getDirectoryHandle('stages');
}

/** Names of the files of stages, without the oids. */
async function stageNames(name) {
  const names = [];
  for await (const file of (await stagesOf(name)).keys()) names.push(file.replace(/^[0-9a-f]{64}/, ''));
  return names.sort();
}

/** Removes a blob of OPFS while somebody writes down when it was used. Whether it is there. */
async function removedInUse(name, size) {
  const store = await open.OpfsStore(name);
  const it = await blob(size);
  await keep(store, it);
  const root = await (await navigator.storage.getDirectory()).getDirectoryHandle(name);
  const note = await (await root.getDirectoryHandle('used')).getFileHandle(it.oid, { create: true });
  const writable = await note.createWritable();
  await store.remove(it.oid);
  await writable.close();
  return (await store.has(it.oid, size)) === true;
}

/**
 * Removes a part of a store of OPFS while it is open: one of its folders, or `all` of it. The name of the error where
 * something could not be kept or pinned after that, and what is listed.
 */
async function cleared(name, part) {
  const store = await open.OpfsStore(name);
  const [first, second] = [await blob(5000), await blob(7000)];
  await keep(store, first);
  await store.pin(first.oid);
  const all = await navigator.storage.getDirectory();
  const remove = async () => {
    // A note of a use is written beside everything else, and what is written cannot be removed. The list waits for it.
    await store.list();
    if (part === 'all') return all.removeEntry(name, { recursive: true });
    // Pins and notes are made again only once there is one.
    const folder = await all.getDirectoryHandle(name);
    await folder.removeEntry(part, { recursive: true }).catch((error) => {
      if (error.name !== 'NotFoundError') throw error;
    });
  };
  const told = [];
  for (const it of [first, second]) {
    await remove();
    if (part === 'all' || part === 'blobs') told.push((await store.list()).length, (await store.verify()).checked);
    await keep(store, it).catch(({ name }) => told.push(name));
    told.push((await heldOid(store, it.oid)) === it.oid);
  }
  await remove();
  await store.pin(second.oid).catch(({ name }) => told.push(name));
  await keep(store, second).catch(({ name }) => told.push(name));
  // Also a store that is opened later, and one whose parts go between the stage and the end.
  const id = await write(await open.OpfsStore(name), first, first.bytes);
  if (part === 'blobs') await remove();
  await store.keep(id, first.oid).catch(({ name }) => told.push(name));
  told.push((await heldOid(store, first.oid)) === first.oid, (await store.list()).some(({ pinned }) => pinned));
  return told;
}

export const deeds = {
  fetched, claimed, begun, finished, reopened, anew, keptOn, verified, filled, tried, refused, goneOn, swept,
  removedInUse, cleared,
};
