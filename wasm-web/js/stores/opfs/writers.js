// How bytes get into a file of OPFS. Both ways have the same methods: `cut` keeps the first bytes of what is there,
// `write` adds bytes, `close` ends it.
//
// Rule: a write that found no room can be done again. Each says at which byte it begins.

import { Pieces } from '../pieces.js';

/** Bytes that are saved at once at least, where every saving copies all that was saved before. */
const SAVE_BYTES_MIN = 8 << 20;
/**
 * Bytes that are written at once. If there is no room for more, Chromium now and then says that they could not be read,
 * or that the writing was aborted, instead of what is the matter.
 */
const WRITE_BYTES = 128 << 10;

/** A writer for this place: workers have a quicker way than pages. */
export function writer(handle, room, size) {
  return typeof handle.createSyncAccessHandle === 'function'
    ? new WorkerWriter(handle, room, size)
    : new PageWriter(handle, room, size);
}

/** Writes to the file itself. What was written is there after a crash. */
class WorkerWriter {
  #handle;
  #room;
  #size;
  #access;
  bytes = 0;

  constructor(handle, room, size) {
    this.#handle = handle;
    this.#room = room;
    this.#size = size;
  }

  async cut(bytes) {
    const access = await this.#handle.createSyncAccessHandle();
    try {
      access.truncate(bytes);
      this.bytes = bytes;
    } finally {
      access.close();
    }
  }

  async write(bytes) {
    // Not opened before: whoever has the beginning as a File reads it until now.
    this.#access ??= await this.#handle.createSyncAccessHandle();
    await this.#room.with(this.#size - this.bytes, () => {
      for (let at = 0; at < bytes.length; ) {
        const left = bytes.length - at;
        const written = this.#access.write(bytes.subarray(at), { at: this.bytes + at });
        // Without room Chromium gives the number of its error as if so many bytes were written.
        if (written < 1 || written > left) throw new DOMException('there is no room', 'QuotaExceededError');
        at += written;
      }
    });
    this.bytes += bytes.length;
  }

  async close() {
    const access = this.#access;
    this.#access = undefined;
    try {
      access?.flush();
    } finally {
      access?.close();
    }
  }
}

/**
 * Gathers bytes, and saves them when they are as many as were saved before: each saving copies the file. A crash loses
 * what is not saved.
 */
class PageWriter {
  #handle;
  #room;
  #saved = 0;
  #pieces = new Pieces();

  constructor(handle, room) {
    this.#handle = handle;
    this.#room = room;
  }

  get bytes() {
    return this.#saved + this.#pieces.bytes;
  }

  async cut(bytes) {
    if ((await this.#handle.getFile()).size !== bytes) {
      const writable = await this.#handle.createWritable({ keepExistingData: true });
      await writable.truncate(bytes);
      await writable.close();
    }
    this.#saved = bytes;
  }

  async write(bytes) {
    this.#pieces.push(bytes);
    if (this.#pieces.bytes >= Math.max(SAVE_BYTES_MIN, this.#saved)) await this.#save();
  }

  async close() {
    try {
      if (this.#pieces.bytes > 0) await this.#save();
    } finally {
      this.#pieces = new Pieces();
    }
  }

  async #save() {
    const data = this.#pieces.blob();
    await this.#room.with(data.size, async () => {
      const writable = await this.#handle.createWritable({ keepExistingData: true });
      try {
        for (let at = 0; at < data.size; at += WRITE_BYTES) {
          const bytes = await data.slice(at, at + WRITE_BYTES).arrayBuffer();
          await writable.write({ type: 'write', position: this.#saved + at, data: bytes });
        }
        await writable.close();
      } catch (error) {
        await writable.abort().catch(() => {});
        throw error;
      }
    });
    this.#saved += data.size;
    this.#pieces = new Pieces();
  }
}
