// A program that reads: what became of each file, and what its bytes are.

import { digest, hydrate } from 'hydrant';

export async function program({ endpoint, wants }) {
  const files = await hydrate({ endpoint, wants });
  return Promise.all(files.map(async (file) => file.error?.code ?? (await digest(await file.blob())).oid));
}
