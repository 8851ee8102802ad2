// Files of this machine: their bytes in pieces, their states, and the effects `read-file` and `load-doc`.

import { createHash } from 'node:crypto';
import { open, readFile as readAll, realpath, stat } from 'node:fs/promises';
import { join, sep } from 'node:path';
import { fault } from './failure.mjs';

/** Bytes read at once, and bytes of a `chunk` at most. */
export const PIECE_BYTES = 256 * 1024;

/** The bytes of a file, each piece in a buffer of its own. */
export async function* pieces(path, { signal, offset = 0, length = Infinity } = {}) {
  const handle = await open(path, 'r');
  try {
    for (let at = 0; at < length; ) {
      signal?.throwIfAborted();
      const buffer = new Uint8Array(Math.min(PIECE_BYTES, length - at));
      const { bytesRead } = await handle.read(buffer, 0, buffer.length, offset + at);
      if (bytesRead === 0) return;
      at += bytesRead;
      yield buffer.subarray(0, bytesRead);
    }
  } finally {
    await handle.close();
  }
}

/** Counts and hashes bytes. */
export class Digest {
  #hash = createHash('sha256');
  bytes = 0;

  update(piece) {
    this.#hash.update(piece);
    this.bytes += piece.length;
  }

  /** What the bytes are; nothing can follow. */
  blob() {
    return { oid: this.#hash.digest('hex'), size: BigInt(this.bytes) };
  }
}

/** The state of a regular file; none when it is not there. */
export async function revision(path) {
  const facts = await stat(path, { bigint: true }).catch((error) => {
    if (error.code !== 'ENOENT' && error.code !== 'ENOTDIR') throw error;
  });
  if (!facts) return undefined;
  // Anything else than a file might never end.
  if (!facts.isFile()) throw fault('io', 'it is not a regular file');
  const { dev, ino, size, mtimeNs, ctimeNs } = facts;
  return { size, text: [dev, ino, size, mtimeNs, ctimeNs].join('-') };
}

/** Effect `read-file`. A file that changes meanwhile is found out when it is sent: it has lost the state told here. */
export async function readFile({ name, asChunks }, answer, { pointerBytesBelow }) {
  const state = await revision(name);
  if (!state) return { tag: 'absent' };
  const chunks = asChunks || state.size < pointerBytesBelow;
  const digest = new Digest();
  for await (const piece of pieces(name, answer)) {
    digest.update(piece);
    if (chunks) answer.say({ tag: 'chunk', val: piece });
    else answer.soFar(digest.bytes);
  }
  if (!chunks && digest.bytes < pointerBytesBelow) throw fault('io', 'the file shrank while it was read');
  answer.say(chunks ? { tag: 'end' } : { tag: 'received', val: digest.blob() });
  return { tag: 'at', val: state.text };
}

/** Effect `load-doc`, for documents of a ledger's work tree. No link leads out of it. */
export async function loadDoc(name, tree) {
  if (!tree || !name.startsWith('sessions/')) throw fault('denied', 'there is no such document');
  const top = await realpath(tree);
  const path = join(top, name);
  const state = await revision(path);
  if (!state) return { tag: 'absent' };
  if (!(await realpath(path)).startsWith(top + sep)) throw fault('denied', 'a link leads out of the work tree');
  return { tag: 'doc', val: { bytes: await readAll(path), revision: state.text } };
}
