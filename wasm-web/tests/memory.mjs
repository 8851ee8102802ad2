// A process of its own that hydrates into a folder, and tells by how much its memory grew at most.

import process from 'node:process';

const KIB = 1024;
const task = JSON.parse(process.argv[2]);
const { hydrate, init } = await import(`${task.package}/index.js`);
const { FolderStore } = await import(`${task.package}/stores/folder.js`);
await init();
const store = await FolderStore.open(task.folder);
// On every platform of Node this is in KiB.
const before = process.resourceUsage().maxRSS;
const held = await hydrate({ endpoint: task.endpoint, wants: task.wants, store });
const growth = (process.resourceUsage().maxRSS - before) * KIB;
const errors = held.filter(({ error }) => error).map(({ error }) => `${error}`);
const bytes = (await store.list()).reduce((sum, { size }) => sum + size, 0);
process.stdout.write(JSON.stringify({ errors, growth, bytes }));
