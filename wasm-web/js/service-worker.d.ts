import type { hydrate, Options, Route, Store } from './index.js';

/** A file at an address of the page's own. */
export interface Found {
  oid: string;
  size: number;
  /** Its media type; `application/octet-stream` if there is none. */
  type?: string;
  /** What progress and routes call it; for the routes of forges, its path in the repository. */
  name?: string;
}

/** How files are answered with, and what else `hydrate` takes. */
export interface Answering extends Omit<Options, 'endpoint' | 'signal'> {
  /** The function of the entry in use. */
  hydrate: typeof hydrate;
  /** URL of the LFS API; not needed where there is a route. */
  endpoint?: MaybePromise<string | URL>;
  route?: Route;
  store: MaybePromise<Store>;
  /** The file at a URL; nothing if it is none of ours. Every GET of a page asks, also those for other origins. */
  find(url: URL, request: Request): MaybePromise<Found | undefined> | false | null | '' | 0;
  /**
   * `verify-first`, the default: a page gets no byte before all are proved. `stream-through`: it gets them as they
   * arrive, all but the last unproved; a file that turns out wrong breaks off with an error.
   */
  mode?: 'verify-first' | 'stream-through';
}

/**
 * A listener for the `fetch` events of a service worker. Ranges are answered. A file that cannot be had is answered
 * with a status that fits, the error's code in the header `hydrant-code`, and its message as text.
 */
export function answering(options: Answering): (event: FetchEvent) => void;

type MaybePromise<T> = T | Promise<T>;

/** As `lib.webworker.d.ts` has it, for programs that do not use that. */
interface FetchEvent {
  readonly request: Request;
  readonly clientId: string;
  respondWith(response: Promise<Response>): void;
  waitUntil(promise: Promise<unknown>): void;
}
