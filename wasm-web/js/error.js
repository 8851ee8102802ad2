/**
 * What went wrong, in a form for programs and for people.
 *
 * `code` is one of a closed list: host, auth, missing, not-found, removed, rejected, busy, malformed, integrity,
 * conflict, blocked, limit, unfinished. `message` is one sentence, without secrets. `retryAt` is the time in
 * milliseconds since 1970 before which trying again is useless, if it is known.
 */
export class HydrantError extends Error {
  constructor({ code, detail, retryAt }) {
    super(detail);
    this.code = code;
    this.retryAt = retryAt;
  }

  get name() {
    return 'HydrantError';
  }

  /** The record of WIT. */
  get payload() {
    return { code: this.code, detail: this.message, retryAt: this.retryAt };
  }
}

/** The caller broke the contract; the call changed nothing. `payload` says how. */
export class Misuse extends Error {
  constructor(payload) {
    super(`the call breaks the contract: ${payload}`);
    this.payload = payload;
  }

  get name() {
    return 'Misuse';
  }
}

/** An argument is no such value. The value is not shown: it could be a secret. */
export function wrong(where, expected, given) {
  const shown = given === null || Number.isNaN(given) ? String(given) : typeof given;
  return new HydrantError({ code: 'malformed', detail: `${where} must be ${expected}, and is ${shown}` });
}
