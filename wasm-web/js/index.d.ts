import type { operations } from './contract.js';

export { operations, pointers, endpoints, manifests, sessions } from './contract.js';

/** Why something cannot be had. The list is closed; the README of the project explains each. */
export type Code =
  | 'host' | 'auth' | 'missing' | 'not-found' | 'removed' | 'rejected' | 'busy' | 'malformed' | 'integrity' | 'conflict'
  | 'blocked' | 'limit' | 'unfinished';

/** What went wrong: a code for programs, and in `message` one sentence for people, without secrets. */
export class HydrantError extends Error {
  readonly code: Code;
  /** Milliseconds since 1970 before which trying again is useless, if that is known. */
  readonly retryAt?: bigint;
}

/** The caller broke the contract; the call changed nothing. */
export class Misuse extends Error {
  readonly payload: 'unknown-effect' | 'out-of-order' | 'too-large' | 'finished' | 'another-kind';
}

/** A login: user and password, a bearer token, or the whole value of `Authorization`. */
export type Login = { user: string; password: string } | { token: string } | string;

/** What every call takes. */
export interface Options {
  /** URL of the LFS API, such as `https://example.org/owner/repository.git/info/lfs`. */
  endpoint: string | URL;
  /**
   * The login, or a function that gives it when the server asks. It goes to the origin of the endpoint alone. `refused`
   * says that the server did not take the one before; without another login the call ends with the code `auth`.
   */
  login?: Login | ((asked: { origin: string; refused: boolean }) => Login | undefined | Promise<Login | undefined>);
  /** Stops the call: what is not done then has the code `unfinished`. */
  signal?: AbortSignal;
  /** Bytes done and in all, for each object; at most ten times a second. */
  onProgress?(progress: { name: string; done: number; total: number }): void;
  /** Something failed and is tried again in `delay` milliseconds. */
  onRetry?(retry: { name: string; detail: string; delay: number }): void;
  /** The server asked for request headers that a browser does not send. */
  onLeftOut?(headers: { origin: string; names: string[] }): void;
  /** The URL to ask instead of another one, for a proxy. */
  rewrite?(url: string): string | URL;
  /** Settings in place of the defaults; `operations.Config` explains each. */
  config?: Partial<operations.Config>;
}

/** An object to bring here: the text of its pointer file, or what a pointer says. */
export type Want = string | Uint8Array | { name?: string; oid: string; size: number | bigint };

/** A file that was asked for: its bytes, or why there are none. */
export interface HydratedFile {
  /** The name that was asked for; without one, the place in the list. */
  readonly name: string;
  /** SHA-256 of its bytes, 64 lower-case hexadecimal digits. */
  readonly oid: string;
  /** Bytes. */
  readonly size: number;
  /** Why it is not here; undefined when it is. Then each of the methods below rejects with this error. */
  readonly error?: HydrantError;
  /** All bytes. */
  bytes(): Promise<Uint8Array>;
  /** Bytes from one position up to, not including, another. Nothing else is read. */
  slice(from: number, to?: number): Promise<Uint8Array>;
  /** All bytes, piece by piece. */
  stream(): Promise<ReadableStream<Uint8Array>>;
  /** All of it as text, decoded from UTF-8. */
  text(): Promise<string>;
  /** The file as a Blob, whose bytes are read when somebody asks for them. */
  blob(): Promise<Blob>;
}

/** Where verified blobs are kept. */
export interface Store {
  /** True: the blob is here, verified. An object: the first bytes of it, from an earlier try. */
  has(oid: string, size: number): MaybePromise<true | Beginning | undefined>;
  /** Makes a stage for a blob, with the first bytes of an older stage, which is gone then. */
  stage(id: string, blob: { oid: string; size: number }, older?: { stage: string; bytes: number }): MaybePromise<Stage>;
  /** Makes a stage the blob that its bytes were proved to be. */
  keep(stage: string, oid: string): MaybePromise<void>;
  /** Removes a stage. */
  drop(stage: string): MaybePromise<void>;
  /** The blob, if it is here. */
  open(oid: string): Promise<Blob | undefined>;
}

/** The first bytes of a blob. */
export interface Beginning {
  stage: string;
  blob: Blob;
  /** The strong ETag or the Last-Modified that they came with. */
  validator?: string;
}

/** Where a body is written before it is judged. */
export interface Stage {
  /** The bytes that it began with. */
  readonly beginning?: Blob;
  /** Writes at the end. Nothing more is written before a promise resolves. */
  write(bytes: Uint8Array): MaybePromise<void>;
  /** Nothing more is written; the stage stays, whole or not. */
  close(validator?: string): MaybePromise<void>;
}

type MaybePromise<T> = T | Promise<T>;

/** Keeps blobs in memory, for as long as something refers to it. */
export class MemoryStore implements Store {
  has(oid: string, size: number): true | Beginning | undefined;
  stage(id: string, blob: { oid: string; size: number }, older?: { stage: string; bytes: number }): Stage;
  keep(stage: string, oid: string): void;
  drop(stage: string): void;
  open(oid: string): Promise<Blob | undefined>;
}

/**
 * Brings objects here, every byte verified: one file for each want, in the same order, with its error inside if it has
 * one. Rejects with a HydrantError only when nothing could begin: an address, a want or a manifest that cannot be used.
 */
export function hydrate(options: Options & { store?: Store } & ({ wants: Want[] } | { manifest: string | Uint8Array })):
  Promise<HydratedFile[]>;

/** Loads the module, once. `hydrate` does it by itself; the other functions need it done before. */
export function init(module?: URL | Response | WebAssembly.Module | BufferSource): Promise<void>;

/** The same at once, from the bytes of the module or from a compiled one. */
export function initSync(module: BufferSource | WebAssembly.Module): void;
