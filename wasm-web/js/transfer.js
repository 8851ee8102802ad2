// The paved path: objects by name in, files or errors out.

import { isBrowser } from './driver/failure.js';
import { performer } from './driver/host.js';
import { run } from './driver/loop.js';
import { HydrantError } from './error.js';
import { MemoryStore } from './stores/memory.js';

/** The calls of a module whose contract is given. */
export function transfers({ operations, pointers, sessions }, Hasher, ready) {
  /**
   * Brings objects here, every byte verified. A want is the text of a pointer file, or `{ name, oid, size }`; the
   * result is one file for each, in the same order, with its error inside if it has one.
   */
  async function hydrate({ endpoint, wants, manifest, signal, store = new MemoryStore(), config, ...given }) {
    await ready();
    const docs = new Map();
    let begin;
    if (manifest === undefined) {
      const named = wants.map((want, at) => want_(want, at, pointers));
      begin = (config) => operations.Operation.hydrate(config, named);
    } else {
      const text = typeof manifest === 'string' ? new TextEncoder().encode(manifest) : manifest;
      docs.set('sessions/session/meta.json', text);
      begin = (config) => sessions.hydrateSession(config, 'session');
    }
    const report = await transfer(begin, { endpoint, signal, config }, { store, docs, ...given });
    if (report.outcomes.length === 0 && report.ended.tag === 'err') throw new HydrantError(report.ended.val);
    return report.outcomes.map((outcome) => new HydratedFile(outcome, store));
  }

  /** Brings files to the server: `{ name, body }`, where the body is a Blob or a File. */
  async function upload({ endpoint, files, signal, config, ...given }) {
    await ready();
    const bodies = new Map(files.map(({ name, body }) => [name, body]));
    const sources = files.map(({ name, oid }) => ({ name, expects: oid }));
    const begin = (config) => operations.Operation.upload(config, sources);
    const report = await transfer(begin, { endpoint, signal, config }, { files: bodies, ...given });
    const uploaded = ({ name, oid, size, ended }) => ({ name, oid, size: Number(size), error: error(ended) });
    return report.outcomes.map(uploaded);
  }

  /** Begins an operation, and drives it to its report. */
  async function transfer(begin, { endpoint, signal, config }, given) {
    const [seed] = crypto.getRandomValues(new BigUint64Array(1));
    const operation = begin({
      ...operations.defaultConfig(String(endpoint), seed),
      login: given.login ? 'stored' : 'none',
      reportsRedirects: !isBrowser,
      ...config,
    });
    const { onProgress, onRetry, ...surroundings } = given;
    const { perform, close } = performer({ ...surroundings, Hasher });
    try {
      await run(operation, { perform, signal, onProgress, onRetry });
      return operation.finishTransfer();
    } finally {
      close();
      operation[Symbol.dispose ?? Symbol.for('dispose')]();
    }
  }

  return { hydrate, upload };
}

/** A want with a name: the caller's, or its place in the list. */
function want_(want, at, pointers) {
  if (typeof want !== 'string' && !(want instanceof Uint8Array)) {
    return { name: want?.name ?? String(at), oid: want?.oid, size: want?.size };
  }
  const head = typeof want === 'string' ? new TextEncoder().encode(want) : want;
  const kind = pointers.classify({ head: head.subarray(0, 1024), fileSize: head.length });
  if (kind.tag !== 'pointer') {
    const detail = `want ${at + 1} is no pointer: ${pointers.explain(kind.val)}`;
    throw new HydrantError({ code: 'malformed', detail });
  }
  return { name: String(at), oid: kind.val.oid, size: kind.val.size };
}

/** The error of an outcome, or nothing. */
function error({ tag, val }) {
  return tag === 'err' ? new HydrantError(val) : undefined;
}

/** A file that was asked for: its bytes, or why there are none. */
class HydratedFile {
  #store;

  constructor({ name, oid, size, ended }, store) {
    this.#store = store;
    /** The name that was asked for. */
    this.name = name;
    /** SHA-256 of its bytes, 64 lower-case hexadecimal digits. */
    this.oid = oid;
    /** Bytes. */
    this.size = Number(size);
    /** Why it is not here; undefined when it is. */
    this.error = error(ended);
  }

  /** The file as a Blob, which reads bytes when they are asked for. Rejects with the file's error if it has one. */
  async blob() {
    if (this.error) throw this.error;
    const blob = await this.#store.open(this.oid);
    if (blob) return blob;
    throw new HydrantError({ code: 'host', detail: 'the store has lost this file: hydrate it again' });
  }

  /** Bytes from one position up to, not including, another; no others are read. */
  async slice(from, to) {
    return new Uint8Array(await (await this.blob()).slice(from, to).arrayBuffer());
  }

  /** All bytes. */
  async bytes() {
    return this.slice(0, this.size);
  }

  /** A stream of all bytes. */
  async stream() {
    return (await this.blob()).stream();
  }

  /** All of it as text, decoded from UTF-8. */
  async text() {
    return (await this.blob()).text();
  }
}
