// A page that a service worker answers for. The worker hears what it shall answer by its own address.

const given = new URL(location.href).searchParams.get('given');
if (given) {
  await navigator.serviceWorker.register(`service-worker.mjs?${new URLSearchParams({ given })}`, { type: 'module' });
  if (!navigator.serviceWorker.controller) {
    await new Promise((resolve) => (navigator.serviceWorker.oncontrollerchange = resolve));
  }
}

async function oidOf(bytes) {
  const digest = new Uint8Array(await crypto.subtle.digest('SHA-256', bytes));
  return Array.from(digest, (byte) => byte.toString(16).padStart(2, '0')).join('');
}

/** What comes for a path. A body that breaks off has its error in `broke`. */
globalThis.got = async (path, headers) => {
  const response = await fetch(path, { headers });
  const pieces = [];
  let broke = false;
  try {
    for (const reader = response.body.getReader(); ;) {
      const { done, value } = await reader.read();
      if (done) break;
      pieces.push(value);
    }
  } catch {
    broke = true;
  }
  const bytes = new Uint8Array(await new Blob(pieces).arrayBuffer());
  const names = ['hydrant-code', 'content-range', 'content-type'];
  const said = Object.fromEntries(names.map((name) => [name, response.headers.get(name)]));
  return { status: response.status, bytes: bytes.length, oid: await oidOf(bytes), broke, ...said };
};

let current;

/** Asks for a path, and reads so many bytes of it; the rest is for `ended`, or nobody's after `givesUp`. How many. */
globalThis.began = async (path, bytesMin) => {
  const controller = new AbortController();
  const response = await fetch(path, { signal: controller.signal });
  const reader = response.body.getReader();
  current = { reader, bytes: 0 };
  globalThis.givesUp = () => controller.abort();
  while (current.bytes < bytesMin) current.bytes += (await reader.read()).value.length;
  return current.bytes;
};

/** Reads the rest. How many bytes there are in all. */
globalThis.ended = async () => {
  for (;;) {
    const { done, value } = await current.reader.read();
    if (done) return current.bytes;
    current.bytes += value.length;
  }
};

/** Asks for a path, and does not wait. */
globalThis.asks = (path) => {
  fetch(path).catch(() => {});
};

/** Plays a sound near its end: a player asks for ranges. How long it is. */
globalThis.played = async (src, time) => {
  const audio = new Audio();
  const event = (name) => new Promise((resolve, reject) => {
    audio.addEventListener(name, resolve, { once: true });
    audio.addEventListener('error', () => reject(new Error(audio.error.message)), { once: true });
  });
  const loaded = event('loadedmetadata');
  Object.assign(audio, { preload: 'auto', src });
  await loaded;
  const sought = event('seeked');
  audio.currentTime = time;
  await sought;
  return audio.duration;
};

globalThis.isReady = true;
