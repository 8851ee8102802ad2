//! The file of a blob on its way in: it survives a stop, and belongs to one effect at a time.
//!
//! Rule: only who holds the lock on the very file that stands under a stage's name writes, renames or removes it, or
//! the note beside it. A lock alone proves nothing about a name: between opening and locking the file may have become
//! an entry of the cache.

use std::fs::File;
use std::io::{self, Read, Seek, Write};
use std::rc::Rc;

use crate::files::lock::lock;
use crate::files::platform::effective_user;
use crate::files::{Dir, Facts};

/// Bytes of a validator at most.
const VALIDATOR_BYTES_MAX: usize = 512;

/// An open stage file, locked by this process.
pub(crate) struct StageFile {
    pub(super) file: File,
    pub(super) folder: Rc<Dir>,
    pub(super) name: String,
    /// Nobody can resume it, because another process has the stage of that blob: it goes when this is dropped.
    pub(super) private: bool,
}

impl StageFile {
    /// The stage of this name, or a private file when another process has that one.
    pub(super) fn open(folder: &Rc<Dir>, name: &str, private_name: &str) -> io::Result<StageFile> {
        match folder.open_or_create_file(name) {
            Ok(file) if is_ours(folder, name, &file)? => {
                return Ok(StageFile { file, folder: Rc::clone(folder), name: name.into(), private: false });
            }
            Ok(_) => {}
            // Somebody else's, in a folder that is shared.
            Err(error) if error.kind() == io::ErrorKind::PermissionDenied => {}
            Err(error) => return Err(error),
        }
        let file = folder.create_new(private_name)?;
        // Nobody else knows this name: the lock only tells a clean-up that the file is in use.
        lock(&file).ok();
        Ok(StageFile { file, folder: Rc::clone(folder), name: private_name.into(), private: true })
    }

    /// The stage of this name if it is there and nobody else has it.
    pub(super) fn existing(folder: &Rc<Dir>, name: &str) -> io::Result<Option<StageFile>> {
        let file = match folder.open_existing(name) {
            Ok(Some(file)) => file,
            Ok(None) => return Ok(None),
            Err(error) if error.kind() == io::ErrorKind::PermissionDenied => return Ok(None),
            Err(error) => return Err(error),
        };
        let ours = is_ours(folder, name, &file)?;
        Ok(ours.then(|| StageFile { file, folder: Rc::clone(folder), name: name.into(), private: false }))
    }

    pub(super) fn size(&self) -> io::Result<u64> {
        Ok(self.file.metadata()?.len())
    }

    /// Another handle on the stage, at its first byte.
    pub(crate) fn rewound(&mut self) -> io::Result<File> {
        self.file.rewind()?;
        self.file.try_clone()
    }

    /// Makes these bytes the beginning that a later try goes on from, unless there is a longer one.
    pub(crate) fn begin(&self, bytes: &[u8], validator: Option<&str>) -> io::Result<()> {
        if self.private || self.size()? >= bytes.len() as u64 {
            return Ok(());
        }
        self.file.set_len(0)?;
        self.note_validator(validator)?;
        (&self.file).write_all(bytes)
    }

    /// Forgets the stage.
    pub(super) fn remove(self) -> io::Result<()> {
        self.forget_validator()?;
        self.folder.remove(&self.name)
    }

    /// What the answer that left the stage called itself. A note that a power loss tore names nothing.
    pub(super) fn validator(&self) -> Option<String> {
        let mut text = String::new();
        let note = self.folder.read(validator_name(&self.name)).ok()?;
        // One byte more than may be: a note that is too long is none, and not its beginning.
        note.take(VALIDATOR_BYTES_MAX as u64 + 1).read_to_string(&mut text).ok()?;
        (text.len() <= VALIDATOR_BYTES_MAX && is_validator(&text)).then_some(text)
    }

    pub(super) fn note_validator(&self, validator: Option<&str>) -> io::Result<()> {
        self.forget_validator()?;
        match validator {
            Some(text) if text.len() <= VALIDATOR_BYTES_MAX && is_validator(text) && !self.private => {
                self.folder.create_new(validator_name(&self.name))?.write_all(text.as_bytes())
            }
            _ => Ok(()),
        }
    }

    /// Comes before the stage gets another name: afterwards its old name may be somebody else's.
    pub(super) fn forget_validator(&self) -> io::Result<()> {
        self.folder.remove(validator_name(&self.name))
    }
}

impl Drop for StageFile {
    fn drop(&mut self) {
        if self.private {
            // Best effort: what stays is swept up with the other leftovers. A promoted file has another name by now.
            self.folder.remove(&self.name).ok();
        }
    }
}

/// Locks a file and proves that it is still the one of this name. Where nothing can be locked, none is ours. Nor is one
/// that somebody else made, who could write to it afterwards, or one with another name, whose bytes would be lost.
pub(super) fn is_ours(folder: &Dir, name: &str, file: &File) -> io::Result<bool> {
    let facts = Facts::of(file)?;
    let is_own = facts.owner.0 == effective_user() && facts.links == 1;
    Ok(is_own && lock(file).unwrap_or(false) && folder.holds(name, file)?)
}

fn validator_name(stage: &str) -> String {
    format!("{stage}.from")
}

/// Whether this can be sent as it is, and is a whole one: a tag in quotes, or a date.
fn is_validator(text: &str) -> bool {
    let sendable = !text.is_empty() && text.bytes().all(|byte| matches!(byte, b' '..=b'~'));
    sendable && (!text.starts_with('"') || (text.len() > 2 && text.ends_with('"')))
}
