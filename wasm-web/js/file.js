// A file that was asked for.

import { HydrantError } from './error.js';

/** The bytes of a file, or why there are none. */
export class HydratedFile {
  #store;

  constructor({ name, oid, size, error }, store) {
    this.#store = store;
    /** The name that was asked for. */
    this.name = name;
    /** SHA-256 of its bytes, 64 lower-case hexadecimal digits. */
    this.oid = oid;
    /** Bytes. */
    this.size = Number(size);
    /** Why it is not here; undefined when it is. */
    this.error = error;
  }

  /** The file as a Blob, which reads bytes when they are asked for. Rejects with the file's error if it has one. */
  async blob() {
    if (this.error) throw this.error;
    const blob = await this.#store.open(this.oid);
    if (blob) return blob;
    throw new HydrantError({ code: 'host', detail: 'the store has lost this file: hydrate it again' });
  }

  /** Bytes from one position up to, not including, another; no others are read. */
  async slice(from, to) {
    return new Uint8Array(await (await this.blob()).slice(from, to).arrayBuffer());
  }

  /** All bytes. */
  async bytes() {
    return this.slice(0, this.size);
  }

  /** A stream of all bytes. */
  async stream() {
    return (await this.blob()).stream();
  }

  /** All of it as text, decoded from UTF-8. */
  async text() {
    return (await this.blob()).text();
  }
}
