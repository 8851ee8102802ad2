// The effect `http`: one request and its answer, within the bounds that the host enforces by itself.

import { ending } from '../options.js';
import { broken, fault, stored } from './failure.js';
import { chunks, isBorrower, pieces } from './pieces.js';
import { headersOf, send } from './request.js';
import { Watch } from './watch.js';

/** The statuses whose bodies may be blobs. */
const STAGED = [200, 203, 206];

/** Performs an exchange in the surroundings that `host.js` describes. */
export async function exchange(it, answer, host) {
  const { stage } = it;
  if (!stage || !host.store.claim) return asked(it, answer, host);
  const { oid, size } = stage.blob;
  const release = ending(await stored(() => host.store.claim(oid, answer.signal)));
  let isReceived = false;
  try {
    answer.signal.throwIfAborted();
    // Somebody else may have brought the blob, or have used its beginning, while we waited for the claim.
    const found = await stored(() => host.store.has(oid, Number(size)));
    const isGone = stage.resume && found?.stage !== stage.resume.stage;
    const last = found === true
      ? await shared(stage, answer, host)
      : await asked(isGone ? whole(it) : it, answer, host);
    // Nobody keeps what comes too late.
    isReceived = last.tag === 'received' && !answer.signal.aborted;
    return last;
  } finally {
    // Whoever comes next must find the blob: it is kept, or dropped, before the claim ends.
    if (isReceived) host.claims.set(stage.id, release);
    else release();
  }
}

/** The exchange without a beginning to go on from. */
function whole(it) {
  const headers = it.request.headers.filter(({ name }) => !/^(if-)?range$/i.test(name));
  return { ...it, request: { ...it.request, headers }, stage: { ...it.stage, resume: undefined } };
}

/** The store has the blob by now, verified: as good as an answer. */
async function shared(stage, answer, host) {
  if (stage.resume) await stored(() => host.store.drop(stage.resume.stage));
  host.shared.add(stage.id);
  answer.say({ tag: 'head', val: { status: 200, headers: [] } });
  return { tag: 'received', val: stage.blob };
}

/** Asks for what is wanted. A beginning that the server does not let a page go on from is left where it is. */
async function asked(it, answer, host) {
  try {
    return await answered(it, answer, host);
  } catch (error) {
    // A page may GET from many servers that do not know If-Range: their OPTIONS refuses it. Nothing was sent yet.
    if (!error?.isRefusedToPages || !it.stage?.resume) throw error;
    return answered(whole(it), answer, host);
  }
}

async function answered({ request, stage, answerBytesMax, idleMax }, answer, host) {
  const slice = request.body.tag === 'file' ? request.body.val : undefined;
  answer.signal.throwIfAborted();
  const headers = await headersOf(request, answer, host);
  const watch = new Watch(answer.signal, Number(idleMax));
  try {
    // Nobody tells how much of a file went out. Slower than this, the core ends it.
    watch.waits(slice ? Number(slice.length) / host.limits.sentBytesPerMsMin : 0);
    const body = slice ? part(host.file(slice.name), slice) : request.body.val;
    const response = await send(host.rewrite(request.url, answer), request, { headers, body, signal: watch.signal });
    watch.works();
    if (response.type === 'opaqueredirect') throw redirected(request);
    const { status } = response;
    if (status === 401 || status === 403) host.logins.refusedBy(request, status);
    const given = Array.from(response.headers, ([name, value]) => ({ name, value }));
    answer.say({ tag: 'head', val: { status, headers: given } });
    const arriving = (lentBytes) => bounded(response.body, Number(answerBytesMax), watch, lentBytes);
    let last = { tag: 'end' };
    if (stage && STAGED.includes(status)) {
      // The core may refuse this head. Its cancel comes before a byte is written.
      answer.settle();
      last = await stored(() => receive(response, arriving, stage, answer, host));
    } else {
      for await (const piece of arriving()) chunks(piece, answer);
    }
    watch.end();
    // A file of a browser cannot change: what was sent is what was hashed.
    const sent = slice && response.ok && host.hashed.get(slice.name);
    if (sent) answer.say({ tag: 'sent', val: sent });
    return last;
  } catch (error) {
    const reason = watch.signal.aborted ? watch.signal.reason : error;
    watch.abort();
    if (slice && error?.name === 'NotReadableError') return { tag: 'conflict' };
    throw reason;
  }
}

/** A redirect that a browser hides: only of what has no secret and no body it may follow by itself. */
function redirected({ url, method, headers, login }) {
  const { origin } = new URL(url);
  const hasLogin = login !== 'none' || headers.some(({ name }) => name.toLowerCase() === 'authorization');
  const other = method === 'get' ? 'a request with headers of its own' : 'a POST or PUT';
  const what = hasLogin ? 'a request with a login' : other;
  return fault('blocked', `${origin} redirects ${what}, and a browser does not say where to: ask there instead`);
}

function part(file, { offset, length }) {
  if (!file) throw fault('not-found', '');
  return file.slice(Number(offset), Number(offset + length));
}

/** The bytes of an answer, up to a bound. The time that we take for a piece is not the server's. */
async function* bounded(body, bytesMax, watch, lentBytes) {
  if (!body) return;
  let left = bytesMax;
  try {
    watch.waits();
    for await (const piece of pieces(body, watch.signal, lentBytes)) {
      watch.works();
      yield piece.subarray(0, left);
      left -= piece.length;
      if (left <= 0) return;
      watch.waits();
    }
  } catch (error) {
    throw broken(error);
  }
}

/** Writes an answer to its stage, and says what it is. */
async function receive(response, arriving, stage, answer, { store, digest }) {
  const older = response.status === 206 ? stage.resume : undefined;
  if (stage.resume && !older) await store.drop(stage.resume.stage);
  const size = Number(stage.blob.size);
  const from = older && { stage: older.stage, bytes: Number(older.bytes) };
  // A `fetch` of the page's own can give bytes that it writes over later. The network's own answers have a type.
  const isShared = response.type === 'default';
  const hashed = digest(size);
  try {
    const place = await store.stage(stage.id, { oid: stage.blob.oid, size }, from);
    try {
      const { beginning } = place;
      if (beginning) {
        for await (const piece of pieces(beginning.stream(), answer.signal, beginning.size)) hashed.update(piece);
      }
      const isLent = !isShared && isBorrower(place.write);
      for await (const given of arriving(isLent ? size : 0)) {
        const piece = isShared ? new Uint8Array(given) : given;
        hashed.update(piece);
        const written = place.write(piece);
        if (written) await written;
        answer.soFar(hashed.bytes);
      }
    } finally {
      await place.close(validator(response.headers));
    }
    return { tag: 'received', val: await hashed.blob() };
  } finally {
    hashed.end();
  }
}

/** What says that a later answer has the same bytes: a strong ETag, or else Last-Modified. */
function validator(headers) {
  const etag = headers.get('etag');
  return (etag?.startsWith('"') && etag) || headers.get('last-modified') || undefined;
}
