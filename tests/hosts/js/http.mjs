// The effect `http`: one request and its answer, within the bounds that the host enforces by itself.

import { clearTimeout, setImmediate, setTimeout } from 'node:timers';
import { lost } from './failure.mjs';
import { PIECE_BYTES, revision } from './files.mjs';
import { send } from './send.mjs';

/** Headers that are the connection's own business, whoever asks for them. */
const FRAMING = ['content-length', 'te', 'trailer', 'transfer-encoding', 'expect'];
const OURS = new Set(['host', 'connection', 'keep-alive', 'upgrade', 'cookie', ...FRAMING]);

/** Performs an exchange. `authorize` gives the login of a request, `stages` the place of a staged answer. */
export async function exchange({ request, stage, answerBytesMax, idleMax }, answer, { authorize, stages }) {
  const slice = request.body.tag === 'file' ? request.body.val : undefined;
  const allowed = request.headers.filter(({ name }) => !OURS.has(name.toLowerCase()));
  const headers = new Headers(allowed.map(({ name, value }) => [name, value]));
  const login = await authorize(request, answer.signal);
  if (login) headers.set('authorization', login);
  if (slice && !(await isUnchanged(slice))) return { tag: 'conflict' };

  const connection = new Connection(answer.signal, Number(idleMax));
  try {
    connection.waits();
    const sending = slice && send(request, slice, headers, answer, connection);
    const { status, headers: received, body } = await (sending?.response ?? ask(request, headers, connection));
    connection.works();
    answer.say({ tag: 'head', val: { status, headers: received } });
    const arriving = bounded(body, Number(answerBytesMax), connection);
    if (stage && [200, 203, 206].includes(status)) return await receive(status, arriving, stage, answer, stages);
    for await (const piece of arriving) {
      for (let at = 0; at < piece.length; at += PIECE_BYTES) {
        answer.say({ tag: 'chunk', val: piece.subarray(at, at + PIECE_BYTES) });
      }
    }
    // A server may answer at once and read on. If it refuses, it may never read the rest.
    if (slice && status >= 200 && status < 300) {
      connection.waits();
      const sent = await sending.sent;
      if (!(await isUnchanged(slice))) return { tag: 'conflict' };
      if (sent) answer.say({ tag: 'sent', val: sent });
    }
    return { tag: 'end' };
  } catch (error) {
    if (slice && !(await isUnchanged(slice))) return { tag: 'conflict' };
    // Once a connection is given up, the reason tells more than whatever broke because of that.
    throw connection.signal.aborted ? connection.signal.reason : error;
  } finally {
    connection.end();
  }
}

/** A request whose body is short, or none. */
async function ask({ method, url, body: { val }, redirect }, headers, { signal }) {
  try {
    const response = await fetch(url, {
      method: method.toUpperCase(),
      headers,
      body: val,
      redirect: redirect === 'follow' ? 'follow' : 'manual',
      signal,
    });
    const received = [...response.headers].map(([name, value]) => ({ name, value }));
    // Read from now on: once its Response is garbage, Node ends a body that has no reader.
    const body = response.body ? read(response.body.getReader(), signal) : [];
    return { status: response.status, headers: received, body };
  } catch (error) {
    throw lost(error);
  }
}

/** The bytes of a body. The reader hears of an abort from us: once a Response is garbage, Deno forgets its signal. */
async function* read(reader, signal) {
  signal.addEventListener('abort', () => reader.cancel(signal.reason).catch(() => {}));
  for (;;) {
    const { done, value } = await reader.read();
    signal.throwIfAborted();
    if (done) return;
    yield value;
  }
}

/** The bytes of an answer, up to a bound. The time that we take for a piece is not the server's. */
async function* bounded(body, bytesMax, connection) {
  let left = bytesMax;
  try {
    connection.waits();
    for await (const piece of body) {
      connection.works();
      yield piece.subarray(0, left);
      left -= piece.length;
      if (left <= 0) return;
      connection.waits();
    }
  } catch (error) {
    throw lost(error);
  }
}

/** Writes an answer to its stage. */
async function receive(status, arriving, stage, answer, stages) {
  // The component may refuse this head. Its cancel comes before a byte is written.
  await new Promise(setImmediate);
  answer.signal.throwIfAborted();
  const resume = status === 206 ? stage.resume : undefined;
  if (stage.resume && !resume) await stages.drop(stage.resume.stage);
  return { tag: 'received', val: await stages.write({ ...stage, resume }, arriving, answer) };
}

async function isUnchanged(slice) {
  return (await revision(slice.name))?.text === slice.revision;
}

/** Ends an exchange that waits too long for its server, or that nobody wants any more. */
class Connection {
  #over = new AbortController();
  #idleMax;
  #timer;

  constructor(signal, idleMax) {
    this.#idleMax = idleMax;
    signal.addEventListener('abort', () => this.end(signal.reason));
  }

  /** Aborted when it is over, for whatever reason. */
  get signal() {
    return this.#over.signal;
  }

  /** From now on it is the server's turn. */
  waits() {
    this.works();
    if (this.signal.aborted) return;
    this.#timer = setTimeout(() => this.end(new DOMException('no byte moved', 'TimeoutError')), this.#idleMax);
    this.#timer.unref();
  }

  /** It is our turn, for as long as we like. */
  works() {
    clearTimeout(this.#timer);
  }

  end(reason) {
    this.works();
    this.#over.abort(reason);
  }
}
