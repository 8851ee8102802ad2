/// <reference lib="esnext.disposable" />
import type { operations, types } from './contract.js';

/**
 * What writes, and what asks for locks, is in `hydrant/full` alone: here `Operation.upload` and the like are missing.
 */
export { operations, pointers, manifests } from './contract.js';
export type { types } from './contract.js';

/** Why something cannot be had. The list is closed; the README of this package explains each. */
export type Code =
  | 'host' | 'auth' | 'missing' | 'not-found' | 'removed' | 'rejected' | 'busy' | 'malformed' | 'integrity' | 'conflict'
  | 'blocked' | 'limit' | 'unfinished';

/** What went wrong: a code for programs, and in `message` one sentence for people, without secrets. */
export class HydrantError extends Error {
  constructor(why: { code: Code; detail: string; retryAt?: bigint });
  readonly code: Code;
  /** Milliseconds since 1970 before which trying again is useless, if that is known. */
  readonly retryAt?: bigint;
}

/** The caller broke the contract; the call changed nothing. */
export class Misuse extends Error {
  constructor(payload: Misuse['payload']);
  readonly payload: 'unknown-effect' | 'out-of-order' | 'too-large' | 'finished' | 'another-kind';
}

/** A login: user and password, a bearer token as `{ token }`, or, as a string, the whole value of `Authorization`. */
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
  /**
   * The server asked for request headers that a browser does not send, such as `referer`. What no server may set, such
   * as `cookie`, is dropped everywhere, and not told.
   */
  onLeftOut?(headers: { origin: string; names: string[] }): void;
  /** The URL to ask instead of another one, for a proxy. */
  rewrite?(url: string): string | URL;
  /** Settings in place of the defaults; `operations.Config` explains each. */
  config?: Partial<operations.Config>;
}

/** An object to bring here: its pointer file, with or without a name, or what a pointer says. */
export type Want =
  | string
  | Uint8Array
  | { name?: string; pointer: string | Uint8Array }
  | { name?: string; oid: string; size: number | bigint };

/** Bytes with a buffer of their own, which a Blob takes. TypeScript has a word for it only since 5.7. */
type Bytes = ReturnType<typeof Uint8Array.of>;

/** A file that was asked for: its bytes, or why there are none. */
export interface HydratedFile {
  /** The name that was asked for; without one, the place in the list, from `0`. */
  readonly name: string;
  /** SHA-256 of its bytes, 64 lower-case hexadecimal digits. */
  readonly oid: string;
  /** Bytes. */
  readonly size: number;
  /** Why it is not here; undefined when it is. Then each of the methods below rejects with this error. */
  readonly error?: HydrantError;
  /** All bytes. */
  bytes(): Promise<Bytes>;
  /** Bytes from one position up to, not including, another. Nothing else is read. */
  slice(from: number, to?: number): Promise<Bytes>;
  /** All bytes, piece by piece. */
  stream(): Promise<ReadableStream<Bytes>>;
  /** All of it as text, decoded from UTF-8. */
  text(): Promise<string>;
  /** The file as a Blob, whose bytes are read when somebody asks for them. */
  blob(): Promise<Blob>;
}

/**
 * Where verified blobs are kept: all that `hydrate` needs of a store. Whoever has one of their own gives this.
 *
 * An oid is 64 lower-case hexadecimal digits; the id of a stage is 1 to 64 letters, digits, dots, dashes or
 * underscores. Sizes are bytes. What rejects does it with an error whose name says why: QuotaExceededError (no room),
 * NotAllowedError, NotFoundError. Whatever it is, the file ends with the code `host`.
 */
export interface Store {
  /** True: the blob is here, verified, of this size. An object: the first bytes of it, from an earlier try. */
  has(oid: string, size: number): MaybePromise<true | Beginning | undefined>;
  /**
   * Makes a stage for a blob, with the first bytes of an older stage, which is gone then. NotFoundError: the older one
   * is gone already, is shorter, or somebody writes to it.
   */
  stage(id: string, blob: { oid: string; size: number }, older?: { stage: string; bytes: number }): MaybePromise<Stage>;
  /**
   * Makes a stage the blob that its bytes were proved to be, in one step. NotFoundError: there is no such stage. One
   * that is gone because the blob was kept meanwhile is no error.
   */
  keep(stage: string, oid: string): MaybePromise<void>;
  /** Removes a stage. One that is not there is as good. */
  drop(stage: string): MaybePromise<void>;
  /** The blob, if it is here. That is a use: what was used longest ago goes first when there is no room. */
  open(oid: string): MaybePromise<Blob | undefined>;
  /**
   * Waits until nobody else fetches this blob, and gives a function that ends the claim. An abort ends the waiting with
   * its reason. What a tab or process claimed is free once it is gone. Without it, two may fetch the same at once.
   */
  claim?(oid: string, signal?: AbortSignal): Promise<() => void>;
  /** From now on the blob is in use here, and is not removed to make room; gives a function that ends this. */
  hold?(oid: string): () => void;
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
  /** The bytes that it began with. Read them before anything is written. */
  readonly beginning?: Blob;
  /**
   * Writes at the end. Nothing more is written before a promise resolves. The bytes belong to the stage: they must not
   * change afterwards.
   */
  write(bytes: Uint8Array): MaybePromise<void>;
  /** Nothing more is written; the stage stays, whole or not. */
  close(validator?: string): MaybePromise<void>;
}

type MaybePromise<T> = T | Promise<T>;

/** How much a store keeps. */
export interface StoreOptions {
  /**
   * Bytes of blobs that it keeps; then those go that were used longest ago. Pinned blobs, blobs in use in this page,
   * and the one that was kept just now never go, so it can be more. Stages do not count.
   */
  maxBytes?: number;
}

/** What the stores of this package have besides. Names that are none are rejected with the code `malformed`. */
export interface KeepingStore extends Required<Store> {
  /** All that is kept, the one that was used longest ago first. */
  list(): Promise<Kept[]>;
  /** Keeps a blob from being removed to make room, also one that comes later, until `unpin`. Pins last as blobs do. */
  pin(oid: string): Promise<void>;
  unpin(oid: string): Promise<void>;
  /** Removes a blob, pinned or not. One that is not there is as good. */
  remove(oid: string): Promise<void>;
  /**
   * Hashes everything that is kept. What is not what it is called, or cannot be read, is removed, so that it is fetched
   * again. It looks at everything, also after something was wrong. An abort rejects with its reason.
   */
  verify(options?: VerifyOptions): Promise<{
    /** How many were hashed. */
    checked: number;
    /** Oids of those that were wrong, and are gone. */
    removed: string[];
  }>;
}

/** One blob that is kept. */
export interface Kept {
  oid: string;
  /** Bytes. */
  size: number;
  /** When it was used, or else came: milliseconds since 1970. */
  usedAt: number;
  pinned: boolean;
}

/** What a verification takes. */
export interface VerifyOptions {
  signal?: AbortSignal;
  /** After each blob. */
  onProgress?(progress: { done: number; total: number }): void;
  /**
   * `Hasher` of this package, after `init()`: it hashes blobs of more than 16 MiB piece by piece. Without it, such
   * blobs reject with the code `host`, before anything is done. The store in a folder does not need it.
   */
  Hasher?: new () => { update(bytes: Uint8Array): void; finish(): string; free?(): void };
}

/** SHA-256, piece by piece. The module must be loaded: see `init`. */
export class Hasher {
  /** Adds bytes; at most 64 KiB at once are hashed at full speed. */
  update(bytes: Uint8Array): void;
  /** The digest as an oid. The hasher cannot be used any more. */
  finish(): string;
  /** Gives its memory back, if `finish` is not called. */
  free(): void;
}

/**
 * Keeps blobs in memory, for as long as something refers to it. Without `maxBytes` it keeps everything. Stages are
 * there for as long as the store.
 */
export class MemoryStore {
  constructor(options?: StoreOptions);
}
export interface MemoryStore extends KeepingStore {}

/**
 * Where a file is, if not where the batch API says: an absolute URL, or one with headers; nothing if there is no such
 * file. It is asked once for each name of equal content, until it has a way. Plain http needs `config: { insecureHttp:
 * true }`, on this machine, too. If it throws, or gives no such URL, files end with the code `host`.
 * `hydrant/routes` has the routes of forges.
 */
export type Route = (file: { name: string; oid: string; size: number }) =>
  MaybePromise<string | URL | { url: string | URL; headers?: HeadersInit } | undefined>;

/** What `hydrate` takes. */
export type HydrateOptions = Partial<Options> & {
  /** Keeps what arrives; without one, it is kept in memory as long as the files are. Open one once, for all calls. */
  store?: Store;
} & ({ endpoint: string | URL } | {
  /** Asked for each file in place of the server's batch API, where that does not allow pages. */
  route: Route;
}) & ({
  /** The objects. */
  wants: Want[];
} | {
  /** The `meta.json` of a session: its files in Git LFS are wanted. */
  manifest: string | Uint8Array;
});

/**
 * Brings objects here, every byte verified: one file for each want, in the same order, with its error inside if it has
 * one. Rejects with a HydrantError only when nothing could begin: an option, an address, a want or a manifest that
 * cannot be used; with the code `blocked` also if a policy of the page forbids WebAssembly. What the caller's own hooks
 * and getters throw rejects it, too, but for `login` and `route`; so does what a hook's promise rejects with while the
 * call goes on. Names are well-formed text, without lone surrogates. After an abort it ends within about a second, also
 * if the store does not answer.
 */
export function hydrate(options: HydrateOptions): Promise<HydratedFile[]>;

/**
 * The files that a store holds, without a server: one for each want, in the same order, with the code `not-found`
 * inside if it is not held; without wants, all that there is, if the store can list it.
 */
export function open(store: Store, wants?: Want[]): Promise<HydratedFile[]>;

/**
 * SHA-256 and length of a Blob, of bytes, or of a stream of bytes. Anything else rejects with the code `malformed`;
 * what a stream fails with comes through.
 */
export function digest(
  content: Blob | BufferSource | Uint8Array | ReadableStream<Uint8Array>,
): Promise<{ oid: string; size: number }>;

/** What a host of one's own answers an effect with, besides the last reply. */
export interface Answer {
  /** Sends a reply at once. */
  say(reply: types.Reply): void;
  /** Sends how many bytes are done, at most ten times a second. */
  soFar(bytes: number | bigint): void;
  /** Lets the operation act on what was said; throws if it cancels the effect. */
  settle(): void;
  /** Ends the run with this error. */
  fail(error: unknown): void;
  /** What a promise gives that must not be aborted; rejects if `OwnHost.signal` was aborted a second ago. */
  patient<T>(promise: Promise<T>): Promise<T>;
  /** Aborted when nobody wants the effect any more. */
  readonly signal: AbortSignal;
}

/** The I/O of a program that has its own. */
export interface OwnHost {
  /** Performs an effect. What it returns is the last reply; what it throws becomes `failed`, by its name. */
  perform(effect: types.Effect, answer: Answer): MaybePromise<types.Reply>;
  signal?: AbortSignal;
  onProgress?: Options['onProgress'];
  onRetry?: Options['onRetry'];
  onPhase?(phase: types.Phase): void;
}

/**
 * Drives an operation to its end with I/O of one's own; then its `finish` method has the report. Rejects with a Misuse
 * if it is driven already, or if the host breaks the contract. What was aborted has a second to end by itself: what it
 * says after that is dropped.
 */
export function run(operation: operations.Operation, host: OwnHost): Promise<void>;

/** Loads the module, once. What returns a promise does it by itself; the other functions need it done before. */
export function init(module?: URL | Response | WebAssembly.Module | BufferSource): Promise<void>;

/** The same at once, from the bytes of the module or from a compiled one. */
export function initSync(module: BufferSource | WebAssembly.Module): void;
