// What the OPFS store asks of the browser's file system.

/** A file; nothing if it is not there. */
export async function fileIn(folder, name) {
  const handle = await handleIn(folder, name);
  if (!handle) return undefined;
  return handle.getFile().catch((error) => {
    if (error.name === 'NotFoundError') return undefined;
    throw error;
  });
}

/** The handle of a file; nothing if it is not there. */
export async function handleIn(folder, name) {
  return folder.getFileHandle(name).catch((error) => {
    if (error.name === 'NotFoundError' || error.name === 'TypeMismatchError') return undefined;
    throw error;
  });
}

/** Removes a file; one that is not there is as good. */
export async function removeIn(folder, name) {
  await folder.removeEntry(name).catch((error) => {
    if (error.name !== 'NotFoundError') throw error;
  });
}

/** Writes a small file as a whole. */
export async function writeIn(folder, name, text) {
  const handle = await folder.getFileHandle(name, { create: true });
  const writable = await handle.createWritable();
  await writable.write(text);
  await writable.close();
}

/** The text of a small file; nothing if it is not there. */
export async function textIn(folder, name) {
  return (await fileIn(folder, name))?.text().catch(() => undefined);
}

/** Names in a folder; none if somebody removed it. */
export async function namesIn(folder) {
  const names = [];
  try {
    for await (const name of folder.keys()) names.push(name);
  } catch (error) {
    if (error.name !== 'NotFoundError') throw error;
  }
  return names;
}

/** The folders of a store. */
export class Folders {
  #name;
  blobs;
  used;
  pins;
  stages;

  constructor(name) {
    this.#name = name;
  }

  /** Makes those that are not there. */
  async make() {
    const root = await (await navigator.storage.getDirectory()).getDirectoryHandle(this.#name, { create: true });
    await Promise.all(['blobs', 'used', 'pins', 'stages'].map(async (part) => {
      this[part] = await root.getDirectoryHandle(part, { create: true });
    }));
    return this;
  }

  /** Makes something in them. Where somebody removed one meanwhile, it is made, and that once more. */
  async here(work) {
    try {
      return await work();
    } catch (error) {
      if (error?.name !== 'NotFoundError') throw error;
      await this.make();
      return work();
    }
  }
}
