// A host that does anything at all: replies of every kind to every id, stops, clocks that jump. Whatever it does, the
// component may not trap, say something that the contract does not know, or go on for ever.
//
//     node fuzz.mjs --minutes 60 [--seed 1]

import { Buffer } from 'node:buffer';
import { createHash } from 'node:crypto';
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { instantiate } from './component.mjs';

const ENDPOINT = 'https://lfs.test/r';
const CONTENTS = ['one', 'other', ''].map((text) => Buffer.from(text));
const LINE = Buffer.from('{"type":"user"}\n');
/** Moves of one run. */
const MOVES_MAX = 200;
/** Polls in a row without a wait or an end: more is a spin. */
const POLLS_MAX = 2_000;
/** Runs of one instance. */
const RUNS_MAX = 5_000;
const MISUSES = ['unknown-effect', 'out-of-order', 'too-large', 'finished', 'another-kind'];
const FAILURES = [
  'offline', 'timed-out', 'denied', 'refused', 'not-found', 'no-space', 'blocked', 'aborted', 'io',
];
const STATUSES = [200, 200, 206, 201, 302, 307, 401, 403, 404, 410, 413, 416, 422, 429, 503, 999];
const HEADERS = [
  ['Content-Type', 'application/vnd.git-lfs+json'], ['Content-Type', 'text/html'], ['Location', '/again'],
  ['Location', 'http://lfs.test/'], ['Location', 'x:y'], ['Content-Range', 'bytes 1-2/3'],
  ['Content-Range', 'bytes 1-18446744073709551616/2'], ['Retry-After', '3'], ['Retry-After', '\u0000\ud800'],
];

/** One operation, driven by a seed to its end. Throws when the component breaks its word. */
export function run({ operations, sessions }, seed) {
  const dice = new Dice(seed);
  const kind = dice.pick(Object.values(KINDS));
  const config = {
    ...operations.defaultConfig(ENDPOINT, BigInt(seed)),
    inFlightMax: dice.below(4), batchObjectsMax: dice.below(4), retriesMax: dice.below(3),
    login: dice.pick(['none', 'stored', 'renewed']),
  };
  const operation = refused(() => kind.begin(operations.Operation, sessions, config));
  if (!operation) return;
  const host = new Host(operation, dice);
  for (let moves = 0; moves < MOVES_MAX && !host.polled(); moves += 1) host.move();
  host.playOut();
  kind.finish(operation, sessions);
  operation[Symbol.dispose ?? Symbol.for('dispose')]();
}

const wants = () => CONTENTS.map((bytes) => ({ name: 'w', ...blob(bytes) }));
const transfer = (begin) => ({ begin, finish: (operation) => operation.finishTransfer().outcomes.length });

const KINDS = {
  hydrate: transfer((it, _, config) => it.hydrate(config, wants())),
  download: transfer((it, _, config) => it.download(config, wants())),
  upload: transfer((it, _, config) => it.upload(config, ['f', 'g', 'h'].map((name) => ({ name })))),
  hydrateSession: transfer((_, it, config) => it.hydrateSession(config, 's')),
  batch: {
    begin: (it, _, config) => it.batch(config, 'upload', CONTENTS.map(blob)),
    finish: (operation) => operation.finishBatch().length,
  },
  locks: {
    begin: (it, _, config) => it.locks(config, { tag: 'verify' }),
    finish: (operation) => operation.finishLocks().locks.length,
  },
  publish: {
    begin: (_, it, config) => it.publish(config, {
      session: 's', newSessionId: 'ses_n', createdAt: 'now', fields: [['title', 't']],
      files: ['raw.jsonl', 'b', 'summary.json'].map((name) => ({ name, inGit: name.endsWith('json') })),
    }),
    finish: (operation, it) => it.finishPublish(operation).files.length,
  },
  reconcile: {
    begin: (_, it, config) => it.reconcile(config, true),
    finish: (operation, it) => it.finishReconcile(operation).missing.length,
  },
};

/** Drives an operation by dice. */
export class Host {
  constructor(operation, dice) {
    Object.assign(this, { operation, dice, open: new Map(), last: -1, done: false, ticks: 1n, wall: 1n });
  }

  /** Polls until there is nothing to do; true at the end. */
  polled() {
    for (let polls = 0; polls < POLLS_MAX && !this.done; polls += 1) {
      const { tag, val } = this.operation.poll({ ticks: this.ticks, wall: this.wall });
      if (tag === 'perform') this.open.set(this.last = val.id, val.effect);
      else if (tag === 'cancel' && !this.open.has(val)) throw new Error('something is cancelled that is not open');
      else if (tag === 'wait' && val === undefined && this.open.size === 0) throw new Error('it waits for nothing');
      else if (tag === 'wait') return false;
      else if (tag === 'done') this.done = true;
    }
    if (!this.done) throw new Error(`no wait in ${POLLS_MAX} polls`);
    return true;
  }

  move() {
    const { dice } = this;
    const choice = dice.below(16);
    const id = dice.pick([...this.open.keys()]);
    if (choice === 0 && dice.below(4) === 0) this.operation.stop();
    else if (choice === 1) this.ticks += BigInt(dice.below(500_000));
    else if (choice === 2) [this.ticks, this.wall] = [this.ticks - 9n & 2n ** 64n - 1n, 2n ** 64n - 2n];
    else if (choice === 3) this.reply(dice.below(256), anything(dice));
    else if (id === undefined) return;
    else if (choice < 6) this.reply(id, anything(dice));
    else for (const reply of answer(this.open.get(id), dice)) this.reply(id, reply);
  }

  reply(id, reply) {
    try {
      this.operation.reply(id, reply);
      if (id > this.last) throw new Error('a reply was taken before anybody was asked');
      // The component may have decided on its next effect by now.
      if (id === this.last) this.reply(id + 1, { tag: 'end' });
      if (ENDS.has(reply.tag)) this.open.delete(id);
    } catch (error) {
      if (!MISUSES.includes(error.payload)) throw error;
      // Where our idea of what is open is wrong, it is put right here.
      if (error.payload === 'unknown-effect') this.open.delete(id);
    }
  }

  /** Time passes and every effect is given up, until the operation ends. */
  playOut() {
    this.operation.stop();
    for (let moves = 0; moves < MOVES_MAX; moves += 1) {
      if (this.done || this.polled()) return;
      this.ticks = this.ticks + 10_000_000n & 2n ** 64n - 1n;
      for (const id of this.open.keys()) this.reply(id, { tag: 'failed', val: { why: 'aborted', detail: '' } });
    }
    throw new Error('a stopped operation does not end');
  }
}

/**
 * Replies after which an effect may still be open are not here: `head`, `chunk`, `so-far`, `sent`, `end`, `received`.
 */
const ENDS = new Set(['doc', 'ledger', 'push-range', 'at', 'present', 'absent', 'conflict', 'failed']);

function anything(dice) {
  const choices = [
    () => ({ tag: 'so-far', val: dice.number() }), () => ({ tag: 'sent', val: anyBlob(dice) }), () => head(dice),
    () => chunk(dice.bytes()), () => ({ tag: 'end' }), () => ({ tag: 'received', val: anyBlob(dice) }),
    () => ({ tag: 'doc', val: { bytes: dice.bytes(), revision: dice.text() } }),
    () => ledger({ documents: ['m'], files: [] }, dice), () => range(dice), () => ({ tag: 'at', val: dice.text() }),
    () => ({ tag: 'present' }), () => partial(dice.number(), dice.text()), () => ({ tag: 'absent' }),
    () => ({ tag: 'conflict' }), () => failed(dice),
  ];
  return dice.pick(choices)();
}

/** A whole answer to an effect, right or wrong. */
function answer({ tag, val }, dice) {
  const bytes = dice.pick([...CONTENTS, LINE, LINE]);
  switch (tag) {
    case 'http': return exchange(val, dice);
    case 'has-blob': return dice.pick([
      [{ tag: 'present' }], [{ tag: 'absent' }], [partial(BigInt(dice.below(5)))],
      [partial(val.size), { tag: 'received', val: blob(bytes) }],
    ]);
    case 'read-file': return [chunk(bytes), { tag: 'end' }, { tag: 'at', val: 'r' }];
    case 'load-doc': return [dice.below(val.startsWith('sessions/') ? 2 : 8) === 0 ? document() : { tag: 'absent' }];
    case 'load-ledger': return [ledger(val, dice)];
    case 'load-push-range': return [range(dice)];
    default: return [dice.below(8) === 0 ? failed(dice) : tag === 'save-doc' && val.bytes || tag === 'push-ledger' ||
      tag === 'swap-file' || tag === 'rewrite-ledger' ? { tag: 'at', val: 'r' } : { tag: 'end' }];
  }
}

function exchange({ request, stage }, dice) {
  if (dice.below(6) === 0) return [failed(dice)];
  if (dice.below(6) === 0) return [head(dice), chunk(dice.bytes()), { tag: 'end' }];
  const { tag, val } = request.body;
  const isSent = ({ length }) => tag === 'file' && BigInt(length) === val.length;
  const replies = [...CONTENTS, LINE].filter(isSent).map((bytes) => ({ tag: 'sent', val: blob(bytes) }));
  const asked = tag === 'bytes' ? JSON.parse(Buffer.from(val)).objects : undefined;
  if (!stage) return [...replies, status(200, HEADERS[0]), chunk(api(asked, dice)), { tag: 'end' }];
  const first = stage.resume?.bytes ?? 0n;
  const whole = ['Content-Range', `bytes ${first}-${stage.blob.size - 1n}/${stage.blob.size}`];
  const right = CONTENTS.find((bytes) => blob(bytes).oid === stage.blob.oid) ?? CONTENTS[2];
  const bytes = dice.below(3) === 0 ? Buffer.from('bad') : right;
  return [status(first > 0n ? 206 : 200, whole), chunk(bytes), { tag: 'end' }];
}

/** Answers of the API: objects with actions, errors or nothing, and locks. */
function api(asked = CONTENTS.map(blob), dice) {
  const lock = { id: '1', path: 'a', locked_at: '', owner: { name: 'o' } };
  if (dice.below(5) === 0) return text({ ours: [lock], theirs: [lock], next_cursor: `${dice.below(3)}` });
  const objects = asked.map(({ oid, size }) => {
    const origin = dice.pick(['https://store.test', 'https://lfs.test', 'http://127.0.0.1']);
    const action = { href: `${origin}/${oid}`, header: { 'X-Token': 'secret' }, expires_in: dice.pick([-5, 600]) };
    const rest = dice.pick([
      { error: { code: 404, message: 'no' } }, { error: { code: 503, message: 'later' } }, {}, { actions: {} },
      { actions: { upload: action, verify: action } },
      { actions: { upload: action } },
      { actions: { download: action } },
    ]);
    return { oid, size: Number(size), ...rest };
  });
  return text({ transfer: 'basic', objects: objects.slice(dice.below(5) === 0 ? 1 : 0) });
}

function document() {
  const entry = (bytes) => ({ oid: `sha256:${blob(bytes).oid}`, size: bytes.length });
  const bytes = text({ session_id: 's', files: { a: entry(CONTENTS[0]), b: entry(CONTENTS[1]) } });
  return { tag: 'doc', val: { bytes, revision: '' } };
}

function ledger({ documents, files }, dice) {
  const file = (name, isDocument) => {
    const there = dice.below(3) === 0;
    const bytes = text({ session_id: 'ses_n', files: {} });
    return {
      name, revision: there ? 'r' : undefined, bytes: there && isDocument ? bytes : undefined,
      committed: isDocument && dice.below(3) === 0 ? bytes : undefined,
    };
  };
  const all = [...documents.map((name) => file(name, true)), ...files.map((name) => file(name, false))];
  return { tag: 'ledger', val: { tip: 'tip', files: all } };
}

function range(dice) {
  const files = CONTENTS.slice(dice.below(4)).map((bytes, at) => ({
    path: `${dice.pick(['sessions/s/', 'docs/', ''])}n${at}`, atTip: dice.below(3) > 0, unchanged: dice.below(4) > 0,
    bytes: Buffer.from(
      `version https://git-lfs.github.com/spec/v1\noid sha256:${blob(bytes).oid}\nsize ${bytes.length}\n`,
    ),
  }));
  const val = {
    tip: 'tip', base: dice.pick(['base', undefined]), commits: BigInt(dice.below(4)),
    baseIsAncestor: dice.below(4) > 0, isUnderway: dice.below(8) === 0, files,
  };
  return { tag: 'push-range', val };
}

const head = (dice) => status(dice.pick(STATUSES), ...HEADERS.slice(dice.below(HEADERS.length)));
const chunk = (val) => ({ tag: 'chunk', val });
const failed = (dice) => ({ tag: 'failed', val: { why: dice.pick(FAILURES), detail: dice.text() } });
const partial = (bytes, validator) => ({ tag: 'partial', val: { stage: 'left', bytes, validator } });
const anyBlob = (dice) => ({
  ...blob(dice.pick(CONTENTS)),
  ...dice.pick([{}, { size: dice.number() }, { oid: dice.text() }]),
});
const text = (value) => Buffer.from(JSON.stringify(value));

function status(code, ...headers) {
  return { tag: 'head', val: { status: code, headers: headers.map(([name, value]) => ({ name, value })) } };
}

function blob(bytes) {
  return { oid: createHash('sha256').update(bytes).digest('hex'), size: BigInt(bytes.length) };
}

/** What the call returns; nothing when the component refuses it in the words of the contract. */
function refused(call) {
  try {
    return call();
  } catch (error) {
    if (typeof error.payload?.code !== 'string') throw error;
    return undefined;
  }
}

/** Choices out of a seed: the same seed, the same choices. */
export class Dice {
  constructor(seed) {
    this.state = Math.imul(seed, 0x9e3779b1) >>> 0;
  }

  next() {
    this.state = this.state + 0x6d2b79f5 >>> 0;
    let mixed = Math.imul(this.state ^ this.state >>> 15, this.state | 1);
    mixed ^= mixed + Math.imul(mixed ^ mixed >>> 7, mixed | 61);
    return (mixed ^ mixed >>> 14) >>> 0;
  }

  below(bound) {
    return this.next() % bound;
  }

  pick(choices) {
    return choices[this.below(Math.max(choices.length, 1))];
  }

  number() {
    return this.pick([0n, 1n, 3n, 2n ** 32n, 2n ** 63n, 2n ** 64n - 1n]);
  }

  text() {
    return this.pick(['', 'r', '\u0000', '\ud800', 'é'.repeat(3_000), '../x', 'a\nb']);
  }

  bytes() {
    const length = this.pick([0, 1, 40, 1_024, 256 * 1024, 256 * 1024 + 1]);
    return new Uint8Array(length).fill(this.below(256));
  }
}

/** Runs until the time is over, and says so. */
async function main() {
  const options = { minutes: { type: 'string', default: '1' }, seed: { type: 'string', default: '1' } };
  const { minutes, seed: first } = parseArgs({ options }).values;
  const until = performance.now() + Number(minutes) * 60_000;
  let seed = Number(first);
  while (performance.now() < until) {
    const component = await instantiate();
    for (let runs = 0; runs < RUNS_MAX && performance.now() < until; runs += 1, seed += 1) {
      try {
        run(component, seed);
      } catch (error) {
        console.error(`seed ${seed}:`, error);
        process.exitCode = 1;
        return;
      }
    }
  }
  console.log(`${seed - Number(first)} operations, from seed ${first}: none trapped or went on for ever`);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await main();
