//! SHA-256 of bytes that come in pieces: by the platform where that is quicker and all of it fits into memory, else by
//! this module, piece by piece.

use super::Task;
use super::failure::failed;
use crate::platform::Single;
use core::cell::Cell;
use hydrant_lfs::contract::Failed;
use hydrant_lfs::text::oid::{Blob, Hasher};
use js_sys::{Array, Uint8Array};

/// Bytes from which the platform is quicker: a call of it costs as much as hashing these (measured).
const PLATFORM_BYTES_MIN: u64 = 2 << 10;
/// Bytes that are held for the platform at most, by all that is under way.
const HELD_BYTES_MAX: u64 = 64 << 20;
/// Bytes that one call hashes: the engine of V8 never optimises a call that is under way (measured).
const CALL_BYTES: u32 = 64 << 10;

static HELD: Single<Cell<u64>> = Single(Cell::new(0));

/// A digest that is not complete.
pub(super) struct Digest {
    bytes: u64,
    way: Way,
}

enum Way {
    /// The platform gets all pieces at the end.
    Held(Array, Held),
    /// This module has had every piece.
    Hashed(Hasher),
}

/// A share of what may be held.
struct Held(u64);

impl Held {
    fn take(bytes: u64) -> Option<Self> {
        let held = HELD.0.get() + bytes;
        (held <= HELD_BYTES_MAX).then(|| {
            HELD.0.set(held);
            Self(bytes)
        })
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        HELD.0.set(HELD.0.get() - self.0);
    }
}

impl Digest {
    /// A digest of about so many bytes.
    pub(super) fn of(expected: u64, platform: bool) -> Self {
        let held = if platform && expected >= PLATFORM_BYTES_MIN { Held::take(expected) } else { None };
        let way = held.map_or_else(|| Way::Hashed(Hasher::default()), |held| Way::Held(Array::new(), held));
        Self { bytes: 0, way }
    }

    /// Bytes so far.
    pub(super) fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Takes a piece.
    pub(super) fn update(&mut self, piece: &Uint8Array) {
        self.bytes += u64::from(piece.length());
        match &mut self.way {
            // More than was expected is none of our business: whoever reads stops soon.
            Way::Held(pieces, _) => {
                pieces.push(piece);
            }
            Way::Hashed(hasher) => {
                let mut room = [0; CALL_BYTES as usize];
                let mut at = 0;
                while at < piece.length() {
                    let end = piece.length().min(at + CALL_BYTES);
                    let part = &mut room[..(end - at) as usize];
                    piece.subarray(at, end).copy_to(part);
                    hasher.update(part);
                    at = end;
                }
            }
        }
    }

    /// The blob of all pieces.
    pub(super) async fn finish(self, task: &Task) -> Result<Blob, Failed> {
        match self.way {
            Way::Hashed(hasher) => Ok(hasher.finish()),
            Way::Held(pieces, _held) => {
                let digest = task.host().digest(pieces, self.bytes as f64).await.map_err(|error| failed(&error))?;
                let mut oid = [0; 32];
                digest.copy_to(&mut oid);
                Ok(Blob { oid: oid.into(), size: self.bytes })
            }
        }
    }
}
