//! Entries that are not trusted yet: hashed, and only then called present.
//!
//! There are five: a file in a plain folder, an entry from before the last start of the machine, a file that was
//! displaced by its pointer, and, copied while they are hashed, an object of git-lfs's own store and a file of another
//! recorder's. A store that was opened to be read hashes each where it lies, and leaves it there.

use std::fs::File;
use std::io::{self, Read, Seek, Write};
use std::rc::Rc;

use super::adopted::{self, Note};
use super::boot::CACHE;
use super::{Rooms, Shape, Step, Store, hash_into, stage_name};
use crate::contract::types::Blob;
use crate::files::digest::Digesting;
use crate::files::dir::open_file;
use crate::files::lock::lock;
use crate::files::{Dir, Facts};

/// Bytes copied at once.
const COPY_BYTES: usize = 256 << 10;

/// A file to hash before it is used.
pub(crate) struct Proof {
    work: ProofWork,
    place: Place,
    /// It lies in the clone's own cache, behind one that is shared.
    is_of_own: bool,
}

/// The part of a proof that a worker does.
pub(crate) struct ProofWork {
    file: File,
    copy: Option<File>,
}

enum Place {
    Here,
    Unproved(usize),
    Copied(Copy),
    Adopted(Dir, Note),
}

/// The copy of somebody else's file, until it is promoted.
struct Copy {
    folder: Rc<Dir>,
    name: String,
}

impl Proof {
    fn new(work: ProofWork, place: Place) -> Proof {
        Proof { work, place, is_of_own: false }
    }

    pub(super) fn of_own(self) -> Proof {
        Proof { is_of_own: true, ..self }
    }

    pub(super) fn in_place(file: File) -> Proof {
        Proof::new(ProofWork { file, copy: None }, Place::Here)
    }

    pub(super) fn of_unproved(file: File, index: usize) -> Proof {
        Proof::new(ProofWork { file, copy: None }, Place::Unproved(index))
    }

    pub(super) fn of_adopted(file: File, folder: Dir, note: Note) -> Proof {
        Proof::new(ProofWork { file, copy: None }, Place::Adopted(folder, note))
    }

    /// The reading and hashing, to be done wherever there is time for it.
    pub(crate) fn work(&mut self) -> io::Result<ProofWork> {
        let copy = self.work.copy.as_ref().map(File::try_clone).transpose()?;
        Ok(ProofWork { file: self.work.file.try_clone()?, copy })
    }
}

impl ProofWork {
    /// Hashes the file, and writes the copy when there is one to write; none when the file cannot be read. `step` may
    /// end it between two blocks.
    pub(crate) fn hash(mut self, mut step: impl Step) -> io::Result<Option<Blob>> {
        let mut digest = Digesting::new();
        let Some(copy) = &mut self.copy else {
            let hashed = self.file.rewind().and_then(|()| hash_into(&mut digest, &mut self.file, step));
            return Ok(hashed.ok().map(|_| digest.finish()));
        };
        let mut buffer = vec![0; COPY_BYTES];
        loop {
            match self.file.read(&mut buffer) {
                Ok(0) => return Ok(Some(digest.finish())),
                Ok(read) => {
                    digest.update(&buffer[..read]);
                    copy.write_all(&buffer[..read])?;
                    step(read as u64)?;
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(_) => return Ok(None),
            }
        }
    }
}

impl Store {
    /// Looks for a blob among the entries of earlier boots. One that cannot be read is as good as none.
    pub(super) fn find_in_unproved(&self, blob: &Blob) -> Option<Proof> {
        let name = self.entry_name(&blob.oid);
        self.unproved.iter().enumerate().find_map(|(index, folder)| {
            let found = folder.find(&name).ok().flatten().filter(|found| found.size == blob.size);
            found.and_then(|_| folder.read(&name).ok()).map(|file| Proof::of_unproved(file, index))
        })
    }

    /// Looks for a blob in git-lfs's own stores. Whatever keeps it from being copied, the server has it too.
    pub(super) fn find_in_second_sources(&self, blob: &Blob) -> Option<Proof> {
        self.second_sources.iter().find_map(|objects| {
            let path = objects.join(&blob.oid[..2]).join(&blob.oid[2..4]).join(&blob.oid);
            self.copied(open_file(&path).ok()?, blob)
        })
    }

    /// A stage that is as long as its blob, for who only reads.
    pub(super) fn find_whole_stage(&self, blob: &Blob) -> Option<Proof> {
        let file = self.stage()?.read(stage_name(&blob.oid)).ok()?;
        Facts::of(&file).is_ok_and(|facts| facts.is_file_of(blob.size)).then(|| Proof::in_place(file))
    }

    /// Looks for a blob among the files of another recorder.
    pub(super) fn find_recorded(&mut self, blob: &Blob) -> Option<Proof> {
        let in_own = self.own.as_mut().and_then(|own| own.find_recorded(blob));
        if let Some(found) = in_own {
            return Some(found.of_own());
        }
        let found = self.recorded.as_mut()?.find(blob)?;
        self.copied(found, blob)
    }

    /// A file of somebody else's, to be copied while it is hashed; by who only reads, to be hashed.
    fn copied(&self, file: File, blob: &Blob) -> Option<Proof> {
        if !Facts::of(&file).is_ok_and(|facts| facts.is_file_of(blob.size)) {
            return None;
        }
        if self.reads {
            return Some(Proof::in_place(file));
        }
        let name = self.temporary();
        let stage = self.stage()?;
        let copied = stage.create_new(name.as_str()).ok()?;
        // Tells a clean-up that the copy is in use.
        lock(&copied).ok();
        let work = ProofWork { file, copy: Some(copied) };
        let copy = Copy { folder: Rc::clone(stage), name };
        Some(Proof::new(work, Place::Copied(copy)))
    }

    /// Acts on what a proof found; true when the blob is present now.
    pub(crate) fn settle(&mut self, blob: &Blob, proof: Proof, found: &Blob) -> io::Result<bool> {
        if let (true, Some(own)) = (proof.is_of_own, &mut self.own) {
            return own.settle(blob, Proof { is_of_own: false, ..proof }, found);
        }
        let proved = found.oid == blob.oid && found.size == blob.size;
        if self.reads {
            return Ok(proved);
        }
        let entry = self.entry_name(&blob.oid);
        match &proof.place {
            Place::Here => {}
            Place::Unproved(index) if proved => {
                let Some(folder) = self.unproved.get(*index) else { return Ok(false) };
                if let Shape::Cache(Rooms { root: Some(root), .. }) = &self.shape {
                    root.make_dir(format!("{CACHE}/{}", &blob.oid[..2]).as_str())?;
                }
                match folder.rename(&entry, self.entries_to_write()?, &entry) {
                    // Another process was here first: it moved the entry, or the folder it lay in.
                    Err(error) if error.kind() == io::ErrorKind::NotFound => return self.has_entry(blob),
                    other => other?,
                }
            }
            Place::Unproved(index) => {
                if let Some(folder) = self.unproved.get(*index) {
                    folder.remove(&entry)?;
                }
            }
            Place::Copied(copy) if proved => {
                let Some(file) = &proof.work.copy else { return Ok(false) };
                self.enter(&blob.oid, file, &copy.folder, &copy.name)?;
            }
            Place::Copied(_) => {}
            Place::Adopted(..) if proved => {}
            Place::Adopted(folder, note) => {
                if let Some(root) = self.root() {
                    adopted::keep_aside(root, folder, note)?;
                }
            }
        }
        Ok(proved)
    }
}

impl Drop for Copy {
    fn drop(&mut self) {
        // Best effort: what stays is swept up with the other leftovers. A promoted copy has another name by now.
        self.folder.remove(&self.name).ok();
    }
}
