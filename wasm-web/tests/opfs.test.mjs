// The contract of the store in OPFS, in Chromium.

import { after, before } from 'node:test';
import { Scene } from './browser/chromium.mjs';
import { contractOf } from './browser/contract.mjs';

let scene;
before(async () => (scene = await Scene.open()));
after(() => scene?.close());

contractOf('OpfsStore', () => scene);
