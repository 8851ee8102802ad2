//! Notes that outlive the process which wrote them: each is there whole or not at all.

use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::path::PathBuf;

use super::Place;

/// Bytes of a note at most: the name of every file that it is about.
const NOTE_BYTES_MAX: u64 = 64 << 20;

/// Where the note of this name lies: in our folder beneath git's own of this work tree.
pub(super) fn path(place: &Place, name: &str) -> PathBuf {
    place.git_dir.join(super::SCRATCH).join(name)
}

/// What a note says; none when there is none.
pub(super) fn read(place: &Place, name: &str) -> io::Result<Option<Vec<u8>>> {
    let file = match File::open(path(place, name)) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error),
    };
    let mut text = Vec::new();
    file.take(NOTE_BYTES_MAX).read_to_end(&mut text)?;
    Ok(Some(text))
}

/// Writes it down for good.
pub(super) fn write(place: &Place, name: &str, text: &str) -> io::Result<()> {
    let temporary = place.scratch("note")?;
    let mut file = File::create_new(&temporary.0)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()?;
    fs::rename(&temporary.0, path(place, name))?;
    sync_folder(place)
}

/// Forgets it for good.
pub(super) fn remove(place: &Place, name: &str) -> io::Result<()> {
    match fs::remove_file(path(place, name)) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(error),
        Ok(()) => sync_folder(place),
    }
}

fn sync_folder(place: &Place) -> io::Result<()> {
    File::open(place.scratch_folder()?)?.sync_all()
}
