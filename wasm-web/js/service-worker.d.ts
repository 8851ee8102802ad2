import type { hydrate, HydrateOptions, Store } from './index.js';

/** A file at an address of the page's own. */
export interface Found {
  oid: string;
  size: number;
  /** Its media type; `application/octet-stream` if there is none. */
  type?: string;
}

/** How files are answered with, and what else `hydrate` takes. */
export interface Answering extends Omit<Partial<Extract<HydrateOptions, { wants: unknown }>>, 'wants' | 'store' | 'signal' | 'endpoint'> {
  /** The function of the entry in use. */
  hydrate: typeof hydrate;
  endpoint?: string | URL | Promise<string | URL>;
  store: Store | Promise<Store>;
  /** The file at a URL; nothing if it is none of ours. */
  find(url: URL, request: Request): Found | undefined | false | Promise<Found | undefined>;
  /**
   * `verify-first`, the default: a page gets no byte before all are proved. `stream-through`: it gets them as they
   * arrive, all but the last unproved; a file that turns out wrong breaks off with an error.
   */
  mode?: 'verify-first' | 'stream-through';
}

/** A listener for the `fetch` events of a service worker. Ranges are answered; errors have the header `hydrant-code`. */
export function answering(options: Answering): (event: FetchEvent) => void;

/** As `lib.webworker.d.ts` has it, for programs that do not use that. */
interface FetchEvent {
  readonly request: Request;
  respondWith(response: Promise<Response>): void;
}
