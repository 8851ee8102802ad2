// Brings a file into the origin private file system, where it stays, and shows its first line.

import { hydrate } from '../../hydrant/page.js';
import { OpfsStore } from '../../hydrant/stores/opfs.js';

onmessage = async ({ data: { endpoint, want } }) => {
  const store = await OpfsStore.open('hydrant');
  const onProgress = ({ done, total }) => postMessage({ share: done / total });
  const [file] = await hydrate({ endpoint, wants: [want], store, onProgress });
  if (file.error) return postMessage({ problem: `${file.error.code}: ${file.error.message}` });
  // Only these bytes are read, whatever the size of the file.
  const [line] = new TextDecoder().decode(await file.slice(0, 1000)).split('\n');
  // What the store had already made no progress.
  postMessage({ share: 1, line: `${file.size.toLocaleString('en')} bytes, which begin with\n${line}` });
};
