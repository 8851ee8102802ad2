// A file as the body of a request. `fetch` hides when a body is out, and in Deno it sends streams without their length,
// which servers refuse. The older interface does neither.

import { once } from 'node:events';
import http from 'node:http';
import https from 'node:https';
import { pipeline } from 'node:stream/promises';
import { fault, lost } from './failure.mjs';
import { Digest, pieces } from './files.mjs';

/** Begins to send. `response` is the answer, `sent` the digest of what went out, or nothing if some of it did not. */
export function send({ method, url }, { name, offset, length }, headers, answer, connection) {
  const digest = new Digest();
  let answered = false;
  const outgoing = (url.startsWith('https:') ? https : http).request(url, { method: method.toUpperCase() });
  for (const [name, value] of headers) outgoing.setHeader(name, value);
  outgoing.setHeader('content-length', String(length));

  const body = async function* () {
    const range = { signal: connection.signal, offset: Number(offset), length: Number(length) };
    for await (const piece of pieces(name, range)) {
      digest.update(piece);
      // Behind the head come chunks, and nothing else.
      if (!answered) answer.soFar(digest.bytes);
      connection.waits();
      yield piece;
    }
    if (digest.bytes < length) throw fault('io', 'the file is shorter than it was');
  };

  // Whoever waits for the answer or for the end hears of errors.
  outgoing.on('error', () => {});
  const response = once(outgoing, 'response').then(
    ([incoming]) => {
      answered = true;
      return { status: incoming.statusCode, headers: pairs(incoming.rawHeaders), body: incoming };
    },
    (error) => {
      throw lost(error);
    },
  );
  const sent = pipeline(body, outgoing).then(
    () => digest.blob(),
    () => undefined,
  );
  const giveUp = () => outgoing.destroy(connection.signal.reason);
  connection.signal.addEventListener('abort', giveUp);
  outgoing.on('close', () => connection.signal.removeEventListener('abort', giveUp));
  return { response, sent };
}

/** Names and values by turns, as pairs. */
function pairs(raw) {
  return Array.from({ length: raw.length / 2 }, (_, at) => ({ name: raw[2 * at], value: raw[2 * at + 1] }));
}
