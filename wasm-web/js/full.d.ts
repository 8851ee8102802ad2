import type { HydrantError, Options } from './index.js';

export * from './index.js';
export { batches, endpoints, sessions } from './contract.js';

/** A file to bring to the server. */
export interface Upload {
  /** The caller's name for it, not that of another file of the call; progress and outcome carry it. */
  name: string;
  /** Its bytes. */
  body: Blob;
  /** SHA-256 that its bytes must have, if it is known. */
  oid?: string;
}

/** What became of a file. */
export interface Uploaded {
  readonly name: string;
  /** SHA-256 of its bytes; empty when they were never hashed. */
  readonly oid: string;
  /** Bytes. */
  readonly size: number;
  /** Why the server does not have it; undefined when it does. */
  readonly error?: HydrantError;
}

/** Brings files to the server: what it has already is not sent again. One outcome for each file, in the same order. */
export function upload(options: Options & { files: Upload[] }): Promise<Uploaded[]>;
