// Another way to the same bytes: where a server's batch API does not allow pages, the forge may have an address for
// each file that does. The core hears of it as if the batch API had named that address, and proves the bytes as always.

import { fault } from './failure.js';

/** Whether a request asks which objects the server has. */
export function asksForObjects({ method, url }) {
  return method === 'post' && new URL(url).pathname.endsWith('/objects/batch');
}

/** Answers it. `route({ oid, size, name })` gives a URL, `{ url, headers }`, or nothing for what is not there. */
export async function answerBatch({ body }, route, names, { say }) {
  const { objects } = JSON.parse(new TextDecoder().decode(body.val));
  const answers = objects.map(async ({ oid, size }) => {
    const way = await route({ oid, size, name: names.get(oid) });
    if (!way) return { oid, size, error: { code: 404, message: 'there is no route to it' } };
    const { url, headers } = way.url ? way : { url: way };
    const download = { href: String(url), header: Object.fromEntries(new Headers(headers)) };
    return { oid, size, actions: { download } };
  });
  let response;
  try {
    response = { transfer: 'basic', objects: await Promise.all(answers) };
  } catch (error) {
    // Its own words may hold a token.
    throw fault('io', `the route threw ${/^\w{1,40}$/.test(error?.name) ? error.name : 'something'}`);
  }
  const headers = [{ name: 'content-type', value: 'application/vnd.git-lfs+json' }];
  say({ tag: 'head', val: { status: 200, headers } });
  say({ tag: 'chunk', val: new TextEncoder().encode(JSON.stringify(response)) });
  return { tag: 'end' };
}
