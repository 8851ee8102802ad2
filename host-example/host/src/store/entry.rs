//! A blob of the store as a file to read, for those who hash what they read.
//!
//! Rule: nothing is called content here; whoever reads compares the digest with the oid that was asked for.

use std::io;

use super::Store;
use crate::files::Opened;
use crate::files::digest::is_oid;

impl Store {
    /// Opens what lies there under this oid; none when nothing does.
    pub(crate) fn open_entry(&self, oid: &str) -> io::Result<Option<Opened>> {
        if !is_oid(oid) {
            return Ok(None);
        }
        let name = self.entry_name(oid);
        for folder in self.folders() {
            if folder.find(&name)?.is_some() {
                return Opened::new(folder.read(&name)?).map(Some);
            }
        }
        match self.find_adopted(oid)? {
            Some((folder, note, _)) => Opened::new(folder.read(note.name())?).map(Some),
            None => self.own.as_ref().map_or(Ok(None), |own| own.open_entry(oid)),
        }
    }
}
