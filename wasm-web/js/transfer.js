// The paved path: objects by name in, files or errors out.

import { isBrowser } from './driver/failure.js';
import { performer } from './driver/host.js';
import { run } from './driver/loop.js';
import { HydrantError } from './error.js';
import { HydratedFile } from './file.js';
import { checked, ending, needArray, needBlob } from './options.js';
import { MemoryStore } from './stores/memory.js';
import { isOid } from './stores/names.js';
import { named, ofManifest } from './wants.js';

/** The endpoint of a caller who has a route to each file, and no server to ask. */
const NO_SERVER = 'https://no-server.invalid';

/** The calls of a module whose interfaces these are. */
export function transfers({ operations, pointers, manifests }, Hasher, ready) {
  /**
   * Brings objects here, every byte verified. A want is the text of a pointer file, `{ name, pointer }`, or
   * `{ name, oid, size }`; with a manifest, its files are wanted. The result is one file for each, in the same order,
   * with its error inside if it has one.
   */
  async function hydrate(options) {
    const { wants, manifest, store = new MemoryStore(), ...given } = checked(options);
    await ready();
    lendHasher(store, Hasher);
    const asked = manifest === undefined
      ? Array.from(needArray(wants, 'wants'), (want, at) => named(want, at, pointers))
      : ofManifest(manifest, manifests);
    const fetched = asked.filter(({ error }) => !error);
    const begin = (config) => called('wants', () => operations.Operation.hydrate(config, fetched));
    // What is wanted here makes room for nothing, not even for the rest of it.
    const holds = [];
    let report;
    try {
      for (const oid of new Set(fetched.map((want) => want.oid))) if (isOid(oid)) holds.push(ending(store.hold?.(oid)));
      report = await transfer(begin, { store, names: given.route && namesOf(fetched), ...given });
    } finally {
      holds.forEach((release) => release());
    }
    if (report.outcomes.length < fetched.length) throw error(report.ended);
    const outcomes = report.outcomes.values();
    return asked.map((it) => {
      if (it.error) return new HydratedFile(it, store);
      const { ended, ...outcome } = outcomes.next().value;
      return new HydratedFile({ ...outcome, error: error(ended) }, store);
    });
  }

  /** Brings files to the server: `{ name, body }`, where the body is a Blob or a File. */
  async function upload(options) {
    const { files, ...given } = checked(options);
    const bodies = new Map();
    const sources = Array.from(needArray(files, 'files'), (file, at) => {
      needBlob(file?.body, `files[${at}].body`);
      const { name, oid, body } = file;
      // One of two would be sent in the place of both.
      if (bodies.has(name) && bodies.get(name) !== body) {
        throw new HydrantError({ code: 'malformed', detail: `files[${at}].name is the name of another file, too` });
      }
      bodies.set(name, body);
      return { name, expects: oid };
    });
    await ready();
    const begin = (config) => called('files', () => operations.Operation.upload(config, sources));
    const report = await transfer(begin, { files: bodies, ...given });
    return report.outcomes.map(({ ended, size, ...outcome }) => {
      return { ...outcome, size: Number(size), error: error(ended) };
    });
  }

  /** Begins an operation, and drives it to its report. */
  async function transfer(begin, { endpoint = NO_SERVER, config, signal, onProgress, onRetry, ...given }) {
    const [seed] = crypto.getRandomValues(new BigUint64Array(1));
    const operation = begin({
      ...operations.defaultConfig(String(endpoint), seed),
      login: given.login ? 'stored' : 'none',
      reportsRedirects: !isBrowser,
      ...config,
    });
    const { perform, close } = performer({ ...given, limits: operations.limits(), Hasher });
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

/** To verify what it holds, a store must hash: those of this package take the module's hasher. One may be frozen. */
export function lendHasher(store, Hasher) {
  if ('Hasher' in store && !store.Hasher) Reflect.set(store, 'Hasher', Hasher);
}

/** The names of each oid: files with equal content are one object. */
function namesOf(wants) {
  const names = new Map();
  for (const { name, oid } of wants) names.set(oid, (names.get(oid) ?? new Set()).add(name));
  return names;
}

/** The contract counts its arguments; a caller of these functions knows them by their names. */
function called(list, begin) {
  try {
    return begin();
  } catch (error) {
    if (!(error instanceof HydrantError)) throw error;
    const detail = error.message.replace(/^argument 1\b/, 'config').replace(/^argument 2\b/, list);
    throw new HydrantError({ ...error.payload, detail });
  }
}

/** The error of an end, or nothing. */
function error({ tag, val }) {
  return tag === 'err' ? new HydrantError(val) : undefined;
}
