// A host of the component for Node, Deno and Bun: a folder of blobs, and what brings blobs into it and out of it.
//
//   const host = open({ component, folder: 'cache', login: () => ({ user, password }) });
//   const report = await host.hydrate('https://example.org/repository/info/lfs', [{ name, oid, size }]);
//
// `component` is what the transpiled module's `instantiate` returns. A blob is `FOLDER/OID` once its outcome is `ok`.

import { drive } from './driver.mjs';
import { loadDoc, readFile } from './files.mjs';
import { exchange } from './http.mjs';
import { logins } from './login.mjs';
import { Stages } from './stages.mjs';

/**
 * Opens a host. `login({ origin, refused })` gives `{ user, password }` for the server, or nothing; it is asked at the
 * first request. `config` replaces defaults of the contract's `config`: with `{ login: 'none' }` a server that lets
 * everybody in is used without asking.
 *
 * Every method returns the contract's `transfer-report`. Its options: `signal` stops it, and then the report says
 * `unfinished` for the rest; `onProgress` and `onRetry` are shown the contract's `progress` and `retry`.
 */
export function open({ component: { operations, sessions }, folder, login, config }) {
  const { hydrate, upload } = operations.Operation;
  const { hydrateSession } = sessions ?? {};

  return {
    /** Brings blobs into the folder. A want is `{ name, oid, size }`. */
    hydrate: (endpoint, wants, options) => run(endpoint, options, hydrate, wants.map(sized)),

    /** Brings files to the server. A file is `{ name, expects }`: its path, and its oid where that is known. */
    upload: (endpoint, files, options) => run(endpoint, options, upload, files),

    /** Brings the blobs of a session into the folder; `tree` is the work tree of its ledger. */
    hydrateSession: (endpoint, session, { tree, ...options }) =>
      run(endpoint, options, hydrateSession, session, tree),
  };

  async function run(endpoint, options, begin, wanted, tree) {
    const [seed] = crypto.getRandomValues(new BigUint64Array(1));
    const defaults = operations.defaultConfig(endpoint, seed);
    let operation;
    try {
      operation = begin({ ...defaults, login: login ? 'stored' : 'none', ...config }, wanted);
    } catch (error) {
      // What cannot even begin is a report, too. Anything but the contract's error is a fault of the program.
      if (error.payload?.code === undefined) throw error;
      return { outcomes: [], ended: { tag: 'err', val: error.payload } };
    }
    const stages = new Stages(folder);
    const effects = effectsOf({ authorize: logins(endpoint, login), limits: operations.limits(), stages, tree });
    const perform = async ({ tag, val }, answer) => effects[tag](val, answer);
    try {
      return await drive(operation, (operation) => operation.finishTransfer(), perform, options);
    } finally {
      await stages.close();
    }
  }
}

/** What this host can be asked for. Each answers as the contract's `effect` says. */
function effectsOf({ authorize, limits, stages, tree }) {
  return {
    http: (it, answer) => exchange(it, answer, { authorize, stages }),
    'has-blob': (blob, answer) => hasBlob(blob, answer, stages),
    'keep-blob': ({ stage, blob }) => stages.keep(stage, blob.oid).then(end),
    'drop-stage': (stage) => stages.drop(stage).then(end),
    'read-file': (reading, answer) => readFile(reading, answer, limits),
    'load-doc': (name) => loadDoc(name, tree),
  };
}

async function hasBlob(blob, answer, stages) {
  if (await stages.has(blob)) return { tag: 'present' };
  const found = await stages.claim(blob);
  if (!found) return { tag: 'absent' };
  const partial = ({ id, bytes }) => ({ tag: 'partial', val: { stage: id, bytes } });
  if (found.bytes < blob.size) return partial(found);
  // All of it may be there. It is copied and hashed like any beginning, into a stage of ours.
  const whole = { ...found, id: crypto.randomUUID() };
  answer.say(partial(whole));
  const resume = { stage: found.id, bytes: found.bytes };
  return { tag: 'received', val: await stages.write({ id: whole.id, blob, resume }, [], answer) };
}

function end() {
  return { tag: 'end' };
}

function sized({ size, ...want }) {
  return { ...want, size: BigInt(size) };
}
