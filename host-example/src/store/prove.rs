//! Entries that are not trusted yet: hashed, and only then called present.
//!
//! There are three: a file in a plain folder, an entry from before the last start of the machine, and an object of
//! git-lfs's own store, which is copied while it is hashed.

use std::fs::File;
use std::io::{self, Read, Seek, Write};
use std::os::fd::OwnedFd;
use std::rc::Rc;

use rustix::fs::{FileType, Mode, OFlags, fstat, open};

use super::boot::CACHE;
use super::folder::Folder;
use super::{Shape, Store, hash_into};
use crate::digest::Digesting;
use crate::wit::types::Blob;

/// Bytes copied at once.
const COPY_BYTES: usize = 256 << 10;

/// A file to hash before it is used.
pub(crate) struct Proof {
    work: ProofWork,
    place: Place,
}

/// The part of a proof that a lane does.
pub(crate) struct ProofWork {
    file: File,
    copy: Option<File>,
}

enum Place {
    Here,
    Unproved(usize),
    Copied { folder: Rc<Folder>, name: String },
}

impl Proof {
    pub(super) fn in_place(file: File) -> Proof {
        Proof { work: ProofWork { file, copy: None }, place: Place::Here }
    }

    pub(super) fn of_unproved(file: File, index: usize) -> Proof {
        Proof { work: ProofWork { file, copy: None }, place: Place::Unproved(index) }
    }

    /// The reading and hashing, to be done wherever there is time for it.
    pub(crate) fn work(&mut self) -> io::Result<ProofWork> {
        let copy = self.work.copy.as_ref().map(File::try_clone).transpose()?;
        Ok(ProofWork { file: self.work.file.try_clone()?, copy })
    }
}

impl ProofWork {
    /// Hashes the file, and writes the copy when there is one to write.
    pub(crate) fn hash(mut self) -> io::Result<Blob> {
        self.file.rewind()?;
        let mut digest = Digesting::new();
        let Some(copy) = &mut self.copy else {
            hash_into(&mut digest, &mut self.file)?;
            return Ok(digest.finish());
        };
        let mut buffer = vec![0; COPY_BYTES];
        loop {
            match self.file.read(&mut buffer) {
                Ok(0) => return Ok(digest.finish()),
                Ok(read) => {
                    digest.update(&buffer[..read]);
                    copy.write_all(&buffer[..read])?;
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
    }
}

impl Store {
    /// Looks for a blob in git-lfs's own store.
    pub(super) fn find_in_second_source(&mut self, blob: &Blob) -> io::Result<Option<Proof>> {
        let Some(objects) = &self.second_source else { return Ok(None) };
        let path = objects.join(&blob.oid[..2]).join(&blob.oid[2..4]).join(&blob.oid);
        let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::CLOEXEC | OFlags::NONBLOCK;
        // Whatever keeps it from being read, the server has it too.
        let Ok(descriptor) = open(path, flags, Mode::empty()) else { return Ok(None) };
        if !is_regular_of(&descriptor, blob.size)? {
            return Ok(None);
        }
        let name = self.temporary();
        let folder = Rc::clone(self.stage());
        let copy = Some(folder.create_new(&name)?);
        let work = ProofWork { file: File::from(descriptor), copy };
        Ok(Some(Proof { work, place: Place::Copied { folder, name } }))
    }

    /// Acts on what a proof found; true when the blob is present now.
    pub(crate) fn settle(&mut self, blob: &Blob, proof: Proof, found: &Blob) -> io::Result<bool> {
        let proved = found.oid == blob.oid && found.size == blob.size;
        let entry = self.entry_name(&blob.oid);
        match proof.place {
            Place::Here => {}
            Place::Unproved(index) if proved => {
                let Some(folder) = self.unproved.get(index) else { return Ok(false) };
                if let Shape::Cache { root, .. } = &self.shape {
                    root.make_folder(&format!("{CACHE}/{}", &blob.oid[..2]))?;
                }
                folder.rename(&entry, self.entries(), &entry)?;
            }
            Place::Unproved(index) => {
                if let Some(folder) = self.unproved.get(index) {
                    folder.remove(&entry)?;
                }
            }
            Place::Copied { folder, name } if proved => {
                let Some(copy) = proof.work.copy else { return Ok(false) };
                self.enter(&blob.oid, &copy, &folder, &name)?;
            }
            Place::Copied { folder, name } => folder.remove(&name)?,
        }
        Ok(proved)
    }

    /// Gives a proof up that was not brought to its end.
    pub(crate) fn abandon(&mut self, proof: Proof) {
        if let Place::Copied { folder, name } = proof.place {
            // A copy left behind is swept up with the other leftovers.
            folder.remove(&name).ok();
        }
    }
}

fn is_regular_of(descriptor: &OwnedFd, size: u64) -> io::Result<bool> {
    let stat = fstat(descriptor)?;
    let regular = FileType::from_raw_mode(stat.st_mode) == FileType::RegularFile;
    Ok(regular && u64::try_from(stat.st_size).is_ok_and(|length| length == size))
}
