//! The orphan register: blobs that were sent and that nothing names any more, for whoever runs the server to purge.
//!
//! One document for all sessions of a clone. It only grows: with several publishers at work, nobody can know that a
//! blob is named for good. Who purges asks first what the ledger names now.

use super::journal::{blob, list, read_blob};
use crate::error::{Code, Error};
use crate::json::{self, Value};
use crate::limits::ORPHANS_MAX;
use crate::oid::{Blob, Oid};
use std::collections::BTreeMap;

/// Name of the document.
pub(super) const REGISTER: &str = "orphans";
/// The form of the document.
const VERSION: i64 = 1;

/// The register, by oid.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Register {
    orphans: BTreeMap<Oid, u64>,
}

impl Register {
    /// Reads a register; an absent one is empty, an unreadable one is an error.
    pub fn read(text: &[u8]) -> Result<Self, Error> {
        let unreadable = || Error::new(Code::Malformed, "the orphan register cannot be read");
        let root = json::parse(text).map_err(|error| error.context("the orphan register"))?;
        if root.get("version").and_then(Value::integer) != Some(VERSION) {
            return Err(unreadable());
        }
        let orphans = root.get("orphans").ok_or_else(unreadable)?.items().iter();
        let orphans: Option<BTreeMap<Oid, u64>> =
            orphans.map(|orphan| read_blob(orphan).map(|blob| (blob.oid, blob.size))).collect();
        Ok(Self { orphans: orphans.ok_or_else(unreadable)? })
    }

    /// Blobs in it, in the order of their oids.
    pub fn blobs(&self) -> impl Iterator<Item = Blob> {
        self.orphans.iter().map(|(oid, size)| Blob { oid: *oid, size: *size })
    }

    pub(super) fn write(&self) -> Result<Vec<u8>, Error> {
        if self.orphans.len() > ORPHANS_MAX {
            return Err(Error::new(
                Code::Limit,
                format!("the orphan register would name more than {ORPHANS_MAX} blobs; have them purged"),
            ));
        }
        let orphans = list(self.blobs().map(|orphan| blob(&orphan)));
        Ok(format!("{{\n\"version\": {VERSION},\n\"orphans\": {orphans}\n}}\n").into_bytes())
    }

    /// The same with some more.
    pub(super) fn with(&self, more: &[Blob]) -> Self {
        let mut orphans = self.orphans.clone();
        orphans.extend(more.iter().map(|blob| (blob.oid, blob.size)));
        Self { orphans }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blobs_come_and_go() {
        let (one, two) =
            (Blob { oid: Oid::EMPTY, size: 0 }, Blob { oid: Oid::parse(&"a".repeat(64)).expect("digits"), size: 9 });
        let register = Register::default().with(&[one, two, one]);
        let read = Register::read(&register.write().expect("short enough")).expect("just written");
        assert_eq!(read, register);
        assert_eq!(read.blobs().collect::<Vec<_>>(), [two, one], "once each, by oid");
        assert!(Register::read(b"{\"version\": 1}").is_err() && Register::read(b"").is_err());
    }
}
