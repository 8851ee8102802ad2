// What a caller wants, in the words of the contract.

import { HydrantError, wrong } from './error.js';
import { isDetached, long, needText } from './lane.js';

/** The bytes of a file that classify it; pointers are shorter. */
const HEAD_BYTES = 1024;
/** What a server sends in place of a file that is not where a page asked for it. */
const PAGE = /^\s*<(!doctype|html)/i;
const LOST = 'it is a page of HTML, as servers send it for an address where there is no file';

/**
 * A want with a name, an oid and a size. The caller gives that, or the text of a pointer file, with or without a name.
 * A want without a name is called by its place in the list.
 */
export function named(want, at, pointers) {
  const isBare = typeof want === 'string' || want instanceof Uint8Array;
  const where = `wants[${at}]`;
  if (!isBare && (typeof want !== 'object' || want === null)) throw wrong(where, 'an object or a pointer', want);
  const name = needText(want.name ?? String(at), `${where}.name`);
  const text = isBare ? want : want.pointer;
  if (typeof text !== 'string' && !(text instanceof Uint8Array)) {
    const { oid, size } = want;
    if (oid !== undefined) {
      needText(oid, `${where}.oid`);
      long.write(size, `${where}.size`, []);
      return { name, oid, size };
    }
    const detail = `${where} must be the text of a pointer file, or have a pointer, or an oid and a size`;
    throw new HydrantError({ code: 'malformed', detail });
  }
  if (text instanceof Uint8Array && isDetached(text.buffer)) throw wrong(where, 'a pointer whose bytes are here', text);
  const bytes = utf8(text, where);
  const kind = pointers.classify({ head: bytes.subarray(0, HEAD_BYTES), fileSize: bytes.length });
  if (kind.tag !== 'pointer') {
    const hint = PAGE.test(new TextDecoder().decode(bytes.subarray(0, HEAD_BYTES))) ? `: ${LOST}` : '';
    const detail = `${where} is ${pointers.explain(kind.val)}${hint}`;
    throw new HydrantError({ code: 'malformed', detail });
  }
  return { name, oid: kind.val.oid, size: kind.val.size };
}

/** The files of a manifest that Git LFS stores, as wants; or with the error of an entry that cannot be used. */
export function ofManifest(manifest, manifests) {
  const { files } = manifests.read(utf8(manifest, 'manifest'));
  const stored = files.filter(({ storage, flaw }) => storage === 'lfs' || flaw);
  return stored.map(({ name, oid = '', size, flaw }) => ({ name, oid, size, error: flaw && new HydrantError(flaw) }));
}

function utf8(text, where) {
  return typeof text === 'string' ? new TextEncoder().encode(needText(text, where)) : text;
}
