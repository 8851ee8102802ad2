// Tabs that go away while they write, in Chromium: workers.

import { after, before } from 'node:test';
import { Scene } from './browser/chromium.mjs';
import { crashesIn } from './browser/crashes.mjs';

let scene;
before(async () => (scene = await Scene.open()));
after(() => scene?.close());

// A worker writes to the file itself.
crashesIn('worker', 12_000_000, () => scene);
