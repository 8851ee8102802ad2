//! The form of the state folder: of the cache, the journals, and the notes beside them.
//!
//! Today's form needs no note. A later one, whose files mean something else, says so in the file `format`, and is left
//! as it is.

use std::io::{self, ErrorKind};

use crate::files::Dir;

/// The form that this version reads and writes.
const FORMAT: &str = "1";
const FORMAT_FILE: &str = "format";
/// Bytes of the note at most.
const FORMAT_BYTES_MAX: u64 = 32;

/// Refuses a folder of a later form. It comes before anything is written there.
pub(crate) fn check(root: &Dir) -> io::Result<()> {
    let Some(text) = root.read_small(FORMAT_FILE, FORMAT_BYTES_MAX)? else { return Ok(()) };
    let said = String::from_utf8_lossy(&text);
    if said.trim() == FORMAT {
        return Ok(());
    }
    let said = said.trim().escape_default();
    let detail = format!("its file `{FORMAT_FILE}` says {said}, this version knows {FORMAT}: use the newer hydrant");
    Err(io::Error::new(ErrorKind::Unsupported, detail))
}
