// Another way to the same bytes: where a server's batch API does not allow pages, the forge may have an address for
// each file that does. The core hears of it as if the batch API had named that address, and proves the bytes as always.

import { fault, nameOf } from './failure.js';

/** Whether a request asks which objects the server has. */
export function asksForObjects({ method, url }) {
  return method === 'post' && new URL(url).pathname.endsWith('/objects/batch');
}

/**
 * Answers it. `route({ oid, size, name })` gives a URL, `{ url, headers }`, or nothing for what is not there. Files
 * with equal content are one object: the route is asked about one name after another, until it has a way.
 */
export async function answerBatch({ body }, route, names, { say }) {
  const { objects } = JSON.parse(new TextDecoder().decode(body.val));
  const answers = objects.map(async ({ oid, size }) => {
    const download = await wayTo({ oid, size }, route, names.get(oid));
    if (!download) return { oid, size, error: { code: 404, message: 'there is no route to it' } };
    return { oid, size, actions: { download: { ...download, href: address(download.href) } } };
  });
  const response = { transfer: 'basic', objects: await Promise.all(answers) };
  const headers = [{ name: 'content-type', value: 'application/vnd.git-lfs+json' }];
  say({ tag: 'head', val: { status: 200, headers } });
  say({ tag: 'chunk', val: new TextEncoder().encode(JSON.stringify(response)) });
  return { tag: 'end' };
}

async function wayTo(blob, route, names) {
  try {
    for (const name of names) {
      const way = await route({ ...blob, name });
      if (!way) continue;
      const { url, headers } = way.url ? way : { url: way };
      return { href: String(url), header: Object.fromEntries(new Headers(headers)) };
    }
  } catch (error) {
    // Its own words may hold a token.
    throw fault('io', `the route threw ${nameOf(error)}`);
  }
}

/** What a route gave, as the core can read it. It is not told: it may hold a token. */
function address(given) {
  try {
    const { href, protocol } = new URL(given);
    if (/^https?:$/.test(protocol)) return href;
  } catch {
    // It is none.
  }
  throw fault('io', 'the route gave something that is not an absolute http or https URL');
}
