// What may become a name in a store. An oid can come from a stranger's pointer file, so nothing else gets past here.

import { HydrantError } from '../error.js';

const OID = /^[0-9a-f]{64}$/;
/** A stage, or a folder. */
const STAGE = /^(?!\.{1,2}$)[A-Za-z0-9._-]{1,64}$/;

/** Whether a text is an oid. */
export function isOid(text) {
  return typeof text === 'string' && OID.test(text);
}

/** Throws unless it is an oid. */
export function needOid(text) {
  if (!isOid(text)) throw malformed('an oid has 64 lower-case hexadecimal digits');
}

/** Throws unless it is the id of a stage. */
export function needStage(text) {
  if (typeof text !== 'string' || !STAGE.test(text)) {
    throw malformed('the id of a stage has 1 to 64 letters, digits, dots, dashes or underscores');
  }
}

/** Throws unless it can be the name of a folder. */
export function needFolder(text) {
  if (typeof text !== 'string' || !STAGE.test(text)) {
    throw malformed('the name of a folder has 1 to 64 letters, digits, dots, dashes or underscores');
  }
}

/** Throws unless it is a length in bytes. */
export function needBytes(number) {
  if (!Number.isSafeInteger(number) || number < 0) throw malformed('a length is a whole number of bytes');
}

/** The most that a store keeps, by its options. */
export function bytesMax(options, otherwise) {
  const { maxBytes: number = otherwise } = options ?? {};
  if (number !== Infinity && !(Number.isSafeInteger(number) && number >= 0)) {
    throw malformed('maxBytes must be a whole number of bytes, or Infinity');
  }
  return number;
}

/** There is no such stage, or no longer. The name of the error is what the driver goes by. */
export function noStage() {
  return new DOMException('there is no such stage', 'NotFoundError');
}

/** A stage cannot be used like this now. */
export function badStage(why) {
  return new DOMException(why, 'InvalidStateError');
}

/** The platform has no such store. Browsers hide them from pages that came over plain http. */
export function unsupported(why) {
  const where = globalThis.isSecureContext === false ? ': a page has it only by https, or from this machine' : '';
  return new DOMException(`${why}${where}`, 'NotSupportedError');
}

function malformed(detail) {
  return new HydrantError({ code: 'malformed', detail });
}
