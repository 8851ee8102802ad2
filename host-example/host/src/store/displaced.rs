//! The store's own side of files that were displaced by their pointers: found, read, and told of.

use std::io::{self, Seek};

use super::adopted::{Found, Kept, Note, changed_in, keep_aside, kept_in};
use super::{Look, Shape, Store, hash_into, unwatched};
use crate::contract::error::HostError;
use crate::files::digest::Digesting;
use crate::files::{Dir, Facts};

impl Store {
    /// What was displaced and changed afterwards: nobody serves or clears it but the user.
    pub fn kept(&self) -> Result<Vec<Kept>, HostError> {
        let Some(root) = self.root() else { return Ok(Vec::new()) };
        let all = || {
            let mut kept = kept_in(root)?;
            kept.extend(changed_in(root)?);
            Ok(kept)
        };
        all().map_err(|error: io::Error| HostError::io("the cache cannot be read", &error))
    }

    /// The folder that holds the places of what is displaced, which is the clone's own; none in a plain folder.
    pub(crate) fn root(&self) -> Option<&Dir> {
        match (&self.own, &self.shape) {
            (Some(own), _) => own.root(),
            (None, Shape::Cache(rooms)) => rooms.root.as_ref(),
            (None, Shape::Plain(_)) => None,
        }
    }

    /// Learns of files that were displaced just now.
    pub(crate) fn learn(&mut self, notes: impl Iterator<Item = Note>) {
        let adopted = &mut self.of_this_clone().adopted;
        notes.for_each(|note| adopted.learn(note));
    }

    pub(super) fn find_adopted(&self, oid: &str) -> io::Result<Option<(Dir, Note, Facts)>> {
        let Some(root) = self.root() else { return Ok(None) };
        let found = self.adopted.find(root, oid, self.reads)?;
        Ok(found
            .and_then(|Found { folder, files }| files.into_iter().next().map(|(note, facts)| (folder, note, facts))))
    }

    /// A file that is not what it was when it was displaced is nobody's to read.
    pub(super) fn look_at_adopted(&self, oid: &str, size: u64) -> io::Result<Look> {
        let Some(root) = self.root() else { return Ok(Look::Absent) };
        let Some(Found { folder, files }) = self.adopted.find(root, oid, self.reads)? else { return Ok(Look::Absent) };
        for (note, _) in files {
            let mut file = folder.read(note.name())?;
            let mut digest = Digesting::new();
            hash_into(&mut digest, &mut file, unwatched)?;
            let found = digest.finish();
            if found.oid == oid && found.size == size {
                file.rewind()?;
                return Ok(Look::Content(file));
            }
            if found.oid != oid && !self.reads {
                keep_aside(root, &folder, &note)?;
            }
        }
        Ok(Look::Absent)
    }
}
