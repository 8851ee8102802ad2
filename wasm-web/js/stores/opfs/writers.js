// How bytes get into a file of OPFS. Both ways have the same methods: `cut` keeps the first bytes of what is there,
// `write` adds bytes, `close` ends it.
//
// Rule: a write that found no room can be done again. Each says at which byte it begins.

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
 * Writes to a copy of the file, which takes its place once that is saved. It is saved each time it has grown to twice
 * its length: each saving copies all of it, and a crash loses what is not saved.
 */
class PageWriter {
  #handle;
  #room;
  #size;
  #saved = 0;
  /** The copy, while there is one, and bytes in it. */
  #copy;
  #written = 0;
  /** What is not yet in the copy. */
  #loose;
  #looseBytes = 0;

  constructor(handle, room, size) {
    this.#handle = handle;
    this.#room = room;
    this.#size = size;
    this.#loose = new Uint8Array(Math.min(WRITE_BYTES, Math.max(size, 1)));
  }

  get bytes() {
    return this.#written + this.#looseBytes;
  }

  async cut(bytes) {
    this.#saved = bytes;
    this.#written = bytes;
    if ((await this.#handle.getFile()).size !== bytes) await (await this.#open(bytes)).close();
  }

  async write(bytes) {
    for (let at = 0; at < bytes.length; ) {
      const some = bytes.subarray(at, at + this.#loose.length - this.#looseBytes);
      this.#loose.set(some, this.#looseBytes);
      this.#looseBytes += some.length;
      at += some.length;
      if (this.#looseBytes === this.#loose.length) await this.#flush();
    }
    if (this.#written - this.#saved >= Math.max(SAVE_BYTES_MIN, this.#saved)) await this.#save();
  }

  async close() {
    try {
      if (this.#looseBytes > 0) await this.#flush();
      if (this.#copy) await this.#save();
    } finally {
      // What found no room is not there.
      this.#looseBytes = 0;
    }
  }

  async #flush() {
    const size = Math.max(this.#size, this.#written + this.#looseBytes);
    this.#copy ??= await this.#room.with(size, () => this.#open(size));
    const data = this.#loose.subarray(0, this.#looseBytes);
    await this.#orDrop(() => this.#copy.write({ type: 'write', position: this.#written, data }));
    this.#written += data.length;
    this.#looseBytes = 0;
  }

  /**
   * A copy that has room for all: if there is none, nothing is lost yet. Where Chromium itself copies and finds no
   * room, it leaves for good what it began.
   */
  async #open(size) {
    const copy = await this.#handle.createWritable();
    try {
      await copy.truncate(size);
      const data = (await this.#handle.getFile()).slice(0, this.#saved);
      if (this.#saved > 0) await copy.write({ type: 'write', position: 0, data });
      return copy;
    } catch (error) {
      await copy.abort().catch(() => {});
      throw error;
    }
  }

  async #save() {
    await this.#orDrop(async () => {
      await this.#copy.truncate(this.#written);
      await this.#copy.close();
    });
    this.#copy = undefined;
    this.#saved = this.#written;
  }

  /** Does something with the copy. If that fails, what was saved is all there is. */
  async #orDrop(work) {
    try {
      await work();
    } catch (error) {
      const copy = this.#copy;
      this.#copy = undefined;
      this.#written = this.#saved;
      this.#looseBytes = 0;
      await copy.abort().catch(() => {});
      throw error;
    }
  }
}
