//! Files in which the user keeps what the network needs: certificates, keys, logins, cookies.

use std::fs::File;
use std::io::{self, Read as _};
use std::path::Path;

/// All of a file. One that is longer is refused: a part of it could mean something else.
pub(super) fn read(file: &Path, bytes_max: u64) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    File::open(file)?.take(bytes_max.saturating_add(1)).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > bytes_max { Err(io::ErrorKind::FileTooLarge.into()) } else { Ok(bytes) }
}
