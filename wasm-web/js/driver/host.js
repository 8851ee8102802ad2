// Performs the effects that an operation of this package asks for, with `fetch`, a store, and what the caller gave.

import { wrong } from '../error.js';
import { heard } from '../options.js';
import { Digest } from './digest.js';
import { exchange } from './exchange.js';
import { fault, stored } from './failure.js';
import { Logins } from './login.js';
import { chunks, pieces } from './pieces.js';
import { answerBatch, asksForObjects } from './route.js';

/** The revision of what cannot change: a file of a browser, a document that the caller gave. */
const REVISION = '0';

const end = { tag: 'end' };

/**
 * Gives the function that performs. `store` keeps blobs. `login` is the login for the endpoint. `rewrite` gives the URL
 * to ask instead of another; `route` and `names` are for `route.js`. `files` and `docs` are Maps of what the operation
 * may read. `limits` and `Hasher` are the module's.
 */
export function performer({ store, login, rewrite, route, names, files, docs, onLeftOut, limits, Hasher }) {
  const host = {
    store,
    limits,
    logins: new Logins(login),
    rewrite: (url, { fail }) => (rewrite ? hook(() => address(rewrite(url)), fail) : url),
    leftOut: (headers, { fail }) => onLeftOut && hook(() => heard(onLeftOut(headers), fail), fail),
    file: (name) => files?.get(name),
    digest: (size) => new Digest(size, Hasher),
    /** What files hash to, by name. */
    hashed: new Map(),
    /** Stages of blobs that somebody else brought. */
    shared: new Set(),
    /** What ends the claim on a blob that was received, by its stage. */
    claims: new Map(),
  };

  const effects = {
    async http(it, answer) {
      if (route && asksForObjects(it.request)) return answerBatch(it.request, route, names, answer);
      return exchange(it, answer, host);
    },

    'has-blob': (blob, answer) => stored(() => found(blob, answer)),

    async 'keep-blob'({ stage, blob }, { patient }) {
      if (!host.shared.delete(stage)) await patient(stored(() => store.keep(stage, blob.oid)));
      return settled(stage);
    },

    async 'drop-stage'(stage, { patient }) {
      if (!host.shared.delete(stage)) await patient(stored(() => store.drop(stage)));
      return settled(stage);
    },

    async 'read-file'({ name, asChunks }, answer) {
      const file = host.file(name);
      if (!file) return { tag: 'absent' };
      host.hashed.set(name, await hash(file, answer, host, asChunks || file.size < limits.pointerBytesBelow));
      return { tag: 'at', val: REVISION };
    },

    async 'load-doc'(name) {
      const bytes = docs?.get(name);
      return bytes ? { tag: 'doc', val: { bytes, revision: REVISION } } : { tag: 'absent' };
    },
  };

  /** What the store has of a blob. */
  async function found({ oid, size }, answer) {
    const held = await store.has(oid, Number(size));
    if (held === true) return { tag: 'present' };
    if (!held) return { tag: 'absent' };
    const { stage, blob, validator } = held;
    const partial = { tag: 'partial', val: { stage, bytes: BigInt(blob.size), validator } };
    // One that is longer is none of it, which the core sees.
    if (blob.size !== Number(size)) return partial;
    let whole;
    try {
      whole = await hash(blob, { ...answer, soFar() {} }, host);
    } catch (error) {
      // Whoever wrote it may have kept it meanwhile.
      if (answer.signal.aborted || (await store.has(oid, Number(size))) !== true) throw error;
      return { tag: 'present' };
    }
    answer.say(partial);
    return { tag: 'received', val: whole };
  }

  function settled(stage) {
    host.claims.get(stage)?.();
    host.claims.delete(stage);
    return end;
  }

  return {
    perform({ tag, val }, answer) {
      if (!(tag in effects)) throw fault('io', 'nothing here has a ledger');
      return effects[tag](val, answer);
    },
    /** The end of the operation. */
    close() {
      for (const release of host.claims.values()) release();
    },
  };
}

/** What the caller's hook gave to be asked instead. */
function address(given) {
  // An async hook gives no address, and may reject besides.
  heard(given);
  if (typeof given === 'string' || given instanceof URL) return String(given);
  throw wrong('what rewrite gives', 'a string or a URL', given);
}

/** What the caller's own code throws ends the call. */
function hook(call, fail) {
  try {
    return call();
  } catch (error) {
    fail(error);
    throw error;
  }
}

/** Hashes all of a Blob, or hands it to the core if that must look at it. */
async function hash(file, answer, { digest }, asChunks) {
  const hashed = digest(file.size);
  try {
    for await (const piece of pieces(file.stream(), answer.signal, file.size)) {
      hashed.update(piece);
      if (asChunks) chunks(piece, answer);
      else answer.soFar(hashed.bytes);
    }
    const blob = await hashed.blob();
    if (asChunks !== undefined) answer.say(asChunks ? end : { tag: 'received', val: blob });
    return blob;
  } finally {
    hashed.end();
  }
}
