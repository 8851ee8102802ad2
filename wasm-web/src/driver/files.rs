//! Files to send, and whatever else is a `Blob` of the platform.

use super::digest::Digest;
use super::failure::failed;
use super::{Task, unchanging};
use hydrant_lfs::Blob;
use hydrant_lfs::contract::{Failed, Reading, Reply};
use hydrant_lfs::text::limits::{CHUNK_BYTES_MAX, POINTER_BYTES_MAX};
use js_sys::{Reflect, Uint8Array};
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;
use web_sys::{ReadableStream, ReadableStreamDefaultReader};

/// The pieces of a stream. Dropped before its end, it tells the stream that nobody reads on.
pub(super) struct Pieces {
    reader: ReadableStreamDefaultReader,
    done: bool,
}

impl Pieces {
    pub(super) fn of(stream: &ReadableStream) -> Self {
        Self { reader: stream.get_reader().unchecked_into(), done: false }
    }

    /// The next piece.
    pub(super) async fn next(&mut self) -> Result<Option<Uint8Array>, JsValue> {
        let read = JsFuture::from(self.reader.read()).await;
        self.done = read.is_err();
        let read = read?;
        let value = Reflect::get(&read, &"value".into())?;
        self.done = value.is_undefined();
        Ok((!self.done).then(|| value.unchecked_into()))
    }
}

impl Drop for Pieces {
    fn drop(&mut self) {
        if !self.done {
            let cancelled = self.reader.cancel();
            wasm_bindgen_futures::spawn_local(async move { drop(JsFuture::from(cancelled).await) });
        }
    }
}

impl Task {
    /// Hashes a file, or hands it to the core if that must look at it.
    pub(super) async fn read_file(&self, reading: Reading) -> Result<Reply, Failed> {
        let Some(file) = self.host().file(&reading.name) else { return Ok(Reply::Absent) };
        let bytes = file.size() as u64;
        if !reading.as_chunks && bytes >= POINTER_BYTES_MAX as u64 {
            let blob = self.hash(&file, bytes).await?;
            self.driver.hashed.borrow_mut().insert(reading.name, blob);
            self.say(Reply::Received(blob));
            return Ok(Reply::At(unchanging()));
        }
        let mut digest = Digest::of(bytes, false);
        let mut pieces = Pieces::of(&file.stream());
        while let Some(piece) = pieces.next().await.map_err(|error| failed(&error))? {
            self.wanted()?;
            digest.update(&piece);
            self.say_chunks(&piece);
        }
        let blob = digest.finish(self).await?;
        self.driver.hashed.borrow_mut().insert(reading.name, blob);
        self.say(Reply::End);
        Ok(Reply::At(unchanging()))
    }

    /// Hashes all of a blob of the platform.
    pub(super) async fn hash(&self, file: &web_sys::Blob, bytes: u64) -> Result<Blob, Failed> {
        let mut digest = Digest::of(bytes, self.host().can_digest());
        self.hash_into(&mut digest, file).await?;
        digest.finish(self).await
    }

    /// Adds all of a blob of the platform to a digest.
    pub(super) async fn hash_into(&self, digest: &mut Digest, file: &web_sys::Blob) -> Result<(), Failed> {
        let mut pieces = Pieces::of(&file.stream());
        while let Some(piece) = pieces.next().await.map_err(|error| failed(&error))? {
            self.wanted()?;
            digest.update(&piece);
            self.so_far(digest.bytes());
        }
        Ok(())
    }

    /// Bytes as chunks of a size that the contract allows.
    pub(super) fn say_chunks(&self, piece: &Uint8Array) {
        let mut at = 0;
        while at < piece.length() {
            let end = piece.length().min(at + CHUNK_BYTES_MAX as u32);
            self.say(Reply::Chunk(piece.subarray(at, end).to_vec()));
            at = end;
        }
    }
}
