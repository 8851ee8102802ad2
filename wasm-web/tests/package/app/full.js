// A program that writes, and reads what it wrote.

import { digest, hydrate, upload } from 'hydrant/full';

export async function program({ endpoint, wants }) {
  const body = new Blob([`written by a program at ${Date.now()}, ${Math.random()}`]);
  const [sent] = await upload({ endpoint, files: [{ name: 'note.txt', body }] });
  if (sent.error) throw sent.error;
  const [own, ...files] = await hydrate({ endpoint, wants: [sent, ...wants] });
  if ((await own.text()) !== (await body.text())) throw new Error('another text came back');
  return Promise.all(files.map(async (file) => file.error?.code ?? (await digest(await file.blob())).oid));
}
