// The way over the boundary, and the forms of what goes over it. A form reads a value from the lane, one field after
// another, and writes one to a list of fields, after a look at each: what has no form never reaches the module.
//
// The values are those of WIT, as jco spells them: records are objects with camelCase keys; variants are
// `{ tag, val }`; enums are their names; an absent option is undefined; u64 is bigint, and on the way in a number will
// do.

import { wrong } from './error.js';

export const unit = { read: () => undefined, write: () => {} };

export const bool = {
  read: (lane) => lane.laneNumber() !== 0,
  write(it, where, fields) {
    if (typeof it !== 'boolean') throw wrong(where, 'true or false', it);
    fields.push(Number(it));
  },
};

export const number = (max) => ({
  read: (lane) => lane.laneNumber(),
  write(it, where, fields) {
    if (!Number.isInteger(it) || it < 0 || it > max) throw wrong(where, `a whole number from 0 to ${max}`, it);
    fields.push(it);
  },
});

export const long = {
  read: (lane) => lane.laneLong(),
  write(it, where, fields) {
    const big = Number.isSafeInteger(it) ? BigInt(it) : it;
    if (typeof big !== 'bigint' || BigInt.asUintN(64, big) !== big) {
      throw wrong(where, 'a whole number from 0 to 2^64 - 1', it);
    }
    fields.push(big);
  },
};

export const text = {
  read: (lane) => lane.laneText(),
  write(it, where, fields) {
    fields.push(needText(it, where));
  },
};

/**
 * A text of the caller's. A half of a character has no form in UTF-8: an encoder puts the same sign in the place of
 * each, and two names would become one.
 */
export function needText(it, where) {
  if (typeof it !== 'string') throw wrong(where, 'a string', it);
  if (/\p{Surrogate}/u.test(it)) throw wrong(where, 'well-formed text, without lone surrogates', it);
  return it;
}

export const bytes = {
  read: (lane) => lane.laneBytes(),
  write(it, where, fields) {
    if (!(it instanceof Uint8Array) || isDetached(it.buffer)) throw wrong(where, 'a Uint8Array', it);
    fields.push(it);
  },
};

/** Whether the memory went to somebody else. */
export function isDetached(buffer) {
  if (buffer.byteLength > 0) return false;
  try {
    return !new Uint8Array(buffer);
  } catch {
    return true;
  }
}

export const option = (form) => ({
  read: (lane) => (lane.laneNumber() ? form.read(lane) : undefined),
  write(it, where, fields) {
    fields.push(it == null ? 0 : 1);
    if (it != null) form.write(it, where, fields);
  },
});

export const list = (form) => ({
  read: (lane) => Array.from({ length: lane.laneNumber() }, () => form.read(lane)),
  write(it, where, fields) {
    if (!Array.isArray(it)) throw wrong(where, 'an array', it);
    // As many as it says, also if it has holes, or a getter that changes it.
    const { length } = it;
    fields.push(length);
    for (let at = 0; at < length; at += 1) form.write(it[at], `${where}[${at}]`, fields);
  },
});

export const tuple = (...forms) => ({
  read: (lane) => forms.map((form) => form.read(lane)),
  write(it, where, fields) {
    if (!Array.isArray(it)) throw wrong(where, 'an array', it);
    forms.forEach((form, at) => form.write(it[at], `${where}[${at}]`, fields));
  },
});

export const record = (form) => ({
  read(lane) {
    const it = {};
    for (const key in form) it[key] = form[key].read(lane);
    return it;
  },
  write(it, where, fields) {
    if (typeof it !== 'object' || it === null) throw wrong(where, 'an object', it);
    for (const key in form) form[key].write(it[key], `${where}.${key}`, fields);
  },
});

export const enumeration = (words) => {
  const names = words.split(' ');
  return {
    read: (lane) => names[lane.laneNumber()],
    write(it, where, fields) {
      if (!names.includes(it)) throw wrong(where, `one of ${names.join(', ')}`, it);
      fields.push(names.indexOf(it));
    },
  };
};

/** A case is its name and its form. One that is undefined keeps its number and never comes. */
export const variant = (...cases) => ({
  read(lane) {
    const [tag, form] = cases[lane.laneNumber()];
    const val = form.read(lane);
    return form === unit ? { tag } : { tag, val };
  },
  write(it, where, fields) {
    const at = cases.findIndex((known) => known && known[0] === it?.tag);
    if (at < 0) throw wrong(`${where}.tag`, `one of ${cases.flatMap((known) => known?.[0] ?? []).join(', ')}`, it?.tag);
    fields.push(at);
    cases[at][1].write(it.val, `${where}.val`, fields);
  },
});

/** As a variant, but with a `val` even where there is nothing to say. */
export const result = (ok, err) => {
  const form = variant(['ok', ok], ['err', err]);
  return { ...form, read: (lane) => ({ val: undefined, ...form.read(lane) }) };
};

/** Puts arguments on the lane. Nothing is put there unless all of them have their form. */
export function put(lane, forms, values) {
  const fields = [];
  forms.forEach((form, at) => form.write(values[at], `argument ${at + 1}`, fields));
  lane.laneClear();
  for (const field of fields) {
    switch (typeof field) {
      case 'number': lane.laneSetNumber(field); break;
      case 'bigint': lane.laneSetLong(field); break;
      case 'string': lane.laneSetText(field); break;
      default: lane.laneSetBytes(field);
    }
  }
}

/** Takes a result from the lane: a value, or an error, which is thrown. */
export function take(lane, form, error, thrown) {
  if (lane.laneNumber() === 0) return form.read(lane);
  throw thrown(error.read(lane));
}
