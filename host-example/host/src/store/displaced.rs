//! The store's own side of files that were displaced by their pointers: found, read, and told of.

use std::io::{self, Seek};

use super::adopted::{Kept, Note, keep_aside_if_one_may, kept_in};
use super::{Look, Shape, Store, hash_into, unwatched};
use crate::contract::error::HostError;
use crate::files::digest::Digesting;
use crate::files::{Dir, Facts};

impl Store {
    /// What was displaced and changed afterwards: nobody serves or clears it but the user.
    pub fn kept(&self) -> Result<Vec<Kept>, HostError> {
        let Some(root) = self.root() else { return Ok(Vec::new()) };
        kept_in(root).map_err(|error| HostError::io("the cache cannot be read", &error))
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

    pub(super) fn find_adopted(&self, oid: &str) -> io::Result<Option<(Dir, String, Facts)>> {
        self.root().map_or(Ok(None), |root| self.adopted.find(root, oid))
    }

    /// A file that is not what it was when it was displaced is nobody's to read.
    pub(super) fn look_at_adopted(&self, oid: &str, size: u64) -> io::Result<Look> {
        while let (Some(root), Some((folder, name, _))) = (self.root(), self.find_adopted(oid)?) {
            let mut file = folder.read(&name)?;
            let mut digest = Digesting::new();
            hash_into(&mut digest, &mut file, unwatched)?;
            let found = digest.finish();
            if found.oid == oid && found.size == size {
                file.rewind()?;
                return Ok(Look::Content(file));
            }
            let Some(note) = Note::parse(&name).filter(|_| found.oid != oid) else { break };
            if !keep_aside_if_one_may(root, &folder, &note)? {
                break;
            }
        }
        Ok(Look::Absent)
    }
}
