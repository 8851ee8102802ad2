// Why something could not be done, in the words of the contract's enum `failure`.

const SLOW = ['UND_ERR_CONNECT_TIMEOUT', 'UND_ERR_HEADERS_TIMEOUT', 'UND_ERR_BODY_TIMEOUT'];
const SCARCE = ['EADDRNOTAVAIL', 'EMFILE', 'ENFILE'];
const UNREACHABLE = ['ENETUNREACH', 'ENETDOWN', 'EHOSTUNREACH', 'EAI_AGAIN', 'ENOTFOUND'];
const WORDS = {
  offline: ['ECONNREFUSED', 'ECONNRESET', 'EPIPE', ...UNREACHABLE, ...SCARCE],
  'timed-out': ['ETIMEDOUT', 'TimeoutError', ...SLOW],
  denied: ['EACCES', 'EPERM'],
  'not-found': ['ENOENT'],
  'no-space': ['ENOSPC', 'EDQUOT', 'QuotaExceededError'],
  aborted: ['AbortError'],
  io: ['EIO', 'EISDIR'],
};
const WHY = new Map(Object.entries(WORDS).flatMap(([why, words]) => words.map((word) => [word, why])));
/** Node and Bun have a code for each refusal of TLS, Deno a sentence. */
const REFUSAL = /CERT|SELF_SIGNED|UNABLE_TO_|^ERR_(SSL|TLS)_|EPROTO|certificate/;

/** An error of this host's own. */
export function fault(why, detail) {
  return Object.assign(new Error(detail), { why });
}

/** The last reply of an effect that threw. Messages of others are left out: they hold paths and secret addresses. */
export function failed(thrown) {
  const error = thrown instanceof Error ? thrown : fault('io', 'something else than an error was thrown');
  const why = error.why ?? WHY.get(word(error)) ?? 'io';
  return { tag: 'failed', val: { why, detail: error.why ? error.message : word(error) || error.name } };
}

/** What an error of the network means: without a word of its own, that the server cannot be reached. */
export function lost(error) {
  let inner = error;
  while (inner.cause instanceof Error) inner = inner.cause;
  if (inner.why || WHY.has(word(inner))) return inner;
  const refused = REFUSAL.test(word(inner)) || REFUSAL.test(inner.message);
  return fault(refused ? 'blocked' : 'offline', word(inner));
}

/** The one word that may be shown. */
function word({ code, name }) {
  if (typeof code === 'string') return code;
  return name === 'Error' || name === 'TypeError' ? '' : name;
}
