//! The orphan register: blobs that were sent and that nothing names any more, for the server's operator to purge.
//!
//! One document for all sessions of a clone. It only grows: while others publish, nobody can know that a blob stays
//! named. Before a purge, the operator subtracts what the ledger names now.

use crate::limits::{DOCUMENT_CONFLICTS_MAX, ORPHANS_MAX};
use alloc::borrow::ToOwned as _;
use alloc::string::String;
use alloc::vec::Vec;
use hydrant_lfs::contract::{Doc, Effect, Revision, Saving};
use hydrant_lfs::order::SortedMap;
use hydrant_lfs::protocol::outbox::Event;
use hydrant_lfs::protocol::refusal;
use hydrant_lfs::text::error::{Code, Error};
use hydrant_lfs::text::json::{self, Value};
use hydrant_lfs::text::oid::{Blob, Oid};

/// Name of the document.
const REGISTER: &str = "orphans";
/// Version of the forms of the register and of journals.
pub(crate) const VERSION: i64 = 1;

/// The register, by oid.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Register {
    orphans: SortedMap<Oid, u64>,
}

impl Register {
    /// Reads a register; an absent one is empty, an unreadable one is an error.
    pub fn read(text: &[u8]) -> Result<Self, Error> {
        let what = "the orphan register";
        let unreadable = || unreadable(what);
        let root = document(what, text)?;
        let orphans = root.get("orphans").ok_or_else(unreadable)?.items().iter();
        let orphans: Option<SortedMap<Oid, u64>> =
            orphans.map(|orphan| read_blob(orphan).map(|blob| (blob.oid, blob.size))).collect();
        Ok(Self { orphans: orphans.ok_or_else(unreadable)? })
    }

    /// Blobs in it, in the order of their oids.
    pub fn blobs(&self) -> impl Iterator<Item = Blob> {
        self.orphans.iter().map(|(oid, size)| Blob { oid: *oid, size: *size })
    }

    fn write(&self) -> Result<Vec<u8>, Error> {
        if self.orphans.len() > ORPHANS_MAX {
            return Err(Error::new(
                Code::Limit,
                format_args!("the orphan register would name more than {ORPHANS_MAX} blobs; have them purged"),
            ));
        }
        let orphans = list(self.blobs().map(|orphan| blob(&orphan)));
        Ok(format!("{{\n\"version\": {VERSION},\n\"orphans\": {orphans}\n}}\n").into_bytes())
    }

    /// A copy of this register with more blobs in it.
    fn with(&self, more: &[Blob]) -> Self {
        let all = self.blobs().chain(more.iter().copied());
        Self { orphans: all.map(|blob| (blob.oid, blob.size)).collect() }
    }
}

/// A change of the register: it is read, then written if something is new, and both again if others wrote it meanwhile.
#[derive(Debug)]
pub(crate) struct Registering {
    more: Vec<Blob>,
    /// The revision to replace, and the new text; none while the register is read.
    save: Option<(Option<Revision>, Vec<u8>)>,
    conflicts: u32,
}

impl Registering {
    pub(crate) fn new(more: Vec<Blob>) -> Self {
        Self { more, save: None, conflicts: 0 }
    }

    /// What is asked of the host now.
    pub(crate) fn effect(&self) -> Effect {
        match &self.save {
            None => Effect::LoadDoc(REGISTER.to_owned()),
            Some((replaces, text)) => Effect::SaveDoc(Saving {
                name: REGISTER.to_owned(),
                bytes: Some(text.clone()),
                replaces: replaces.clone(),
            }),
        }
    }

    /// The next step; none once the register names them all.
    pub(crate) fn on(mut self, event: Event) -> Result<Option<Self>, Error> {
        match (self.save.take(), event) {
            (_, Event::Failed(failed)) => Err(refusal::failed("the orphan register", &failed)),
            (None, Event::Doc(Doc { bytes, revision })) => self.change(&Register::read(&bytes)?, Some(revision)),
            (None, Event::Absent) => self.change(&Register::default(), None),
            (Some(_), Event::At(_)) => Ok(None),
            (Some(_), Event::Conflict) => {
                self.conflicts += 1;
                if self.conflicts > DOCUMENT_CONFLICTS_MAX {
                    return Err(Error::new(Code::Conflict, "others write the orphan register all the time"));
                }
                Ok(Some(self))
            }
            _ => Err(refusal::unfitting()),
        }
    }

    fn change(self, register: &Register, revision: Option<Revision>) -> Result<Option<Self>, Error> {
        let changed = register.with(&self.more);
        let text = changed.write()?;
        Ok((changed != *register).then_some(Self { save: Some((revision, text)), ..self }))
    }
}

/// A JSON list, an item a line.
pub(crate) fn list(items: impl Iterator<Item = String>) -> String {
    let items: Vec<String> = items.collect();
    if items.is_empty() { "[]".to_owned() } else { format!("[\n{}\n]", items.join(",\n")) }
}

/// A blob as `[oid, size]`.
pub(crate) fn blob(blob: &Blob) -> String {
    format!("[\"{}\", {}]", blob.oid, blob.size)
}

/// The blob that [`blob`] wrote.
pub(crate) fn read_blob(value: &Value<'_>) -> Option<Blob> {
    let [oid, size] = value.items() else { return None };
    Some(Blob { oid: Oid::parse(oid.text()?)?, size: u64::try_from(size.integer()?).ok()? })
}

/// A document that hydrant keeps for itself, if it has the form that this version writes.
pub(crate) fn document<'a>(what: &str, text: &'a [u8]) -> Result<Value<'a>, Error> {
    let root = json::parse(text).map_err(|error| error.context(what))?;
    match root.get("version").and_then(Value::integer) {
        Some(VERSION) => Ok(root),
        Some(other) => {
            let words = format_args!("{what} is of version {other}, this hydrant knows {VERSION}: use the newer one");
            Err(Error::new(Code::Malformed, words))
        }
        None => Err(unreadable(what)),
    }
}

pub(crate) fn unreadable(what: &str) -> Error {
    Error::new(Code::Malformed, format_args!("{what} cannot be read"))
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
        let later = Register::read(b"{\"version\": 2}").expect_err("of another form");
        assert!(later.detail.contains("version 2") && later.detail.contains("newer"), "{later}");
    }

    /// Clones have it in this form: it is read for good.
    #[test]
    fn the_first_form_is_read() {
        let oid = "a".repeat(64);
        let text = format!("{{\n\"version\": 1,\n\"orphans\": [\n[\"{oid}\", 9]\n]\n}}\n");
        let register = Register::read(text.as_bytes()).expect("the first form");
        assert_eq!(register.blobs().collect::<Vec<_>>(), [Blob { oid: Oid::parse(&oid).expect("digits"), size: 9 }]);
    }
}
