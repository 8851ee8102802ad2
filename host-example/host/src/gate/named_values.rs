//! Values that are secrets because of where they stand on this machine: variables of the environment whose names say
//! so, and `.env` files that git ignores.

use std::env;

use crate::contract::error::Fault;
use crate::files::{Files, Glance};
use crate::repository::Repository;

/// Bytes of a `.env` file at most; a longer one is none.
const ENV_FILE_BYTES_MAX: usize = 1024 * 1024;
/// Such files at most.
const ENV_FILES_MAX: usize = 100;

/// All such values. Those that are words, paths or numbers are left out where they are looked for.
pub(super) fn of(repository: Option<&Repository>) -> Result<Vec<Vec<u8>>, Fault> {
    let mut values: Vec<Vec<u8>> = env::vars_os()
        .filter(|(name, _)| hydrant_secrets::names_a_secret(name.as_encoded_bytes()))
        .map(|(_, value)| value.into_encoded_bytes())
        .collect();
    if let Some(repository) = repository {
        values.extend(of_env_files(repository)?);
    }
    Ok(values)
}

fn of_env_files(repository: &Repository) -> Result<Vec<Vec<u8>>, Fault> {
    let asked = ["ls-files", "-z", "--others", "--ignored", "--exclude-standard", "--directory", "--"];
    let patterns = [":(top,glob)**/.env", ":(top,glob)**/.env.*"];
    let listed = repository.git.read(&[&asked[..], &patterns].concat(), b"")?;
    let files = Files::beneath(&repository.top)?;
    let mut values = Vec::new();
    for name in listed.split(|byte| *byte == 0).filter(|name| !name.is_empty()).take(ENV_FILES_MAX) {
        let Ok(name) = std::str::from_utf8(name) else { continue };
        if let Ok(Some(Glance::Whole(text))) = files.glance(name, ENV_FILE_BYTES_MAX) {
            values.extend(text.split(|byte| *byte == b'\n').filter_map(value_of));
        }
    }
    Ok(values)
}

/// The value of a line `NAME=VALUE`, without its quotes.
fn value_of(line: &[u8]) -> Option<Vec<u8>> {
    let line = line.trim_ascii();
    let equals = line.iter().position(|byte| *byte == b'=').filter(|_| !line.starts_with(b"#"))?;
    let value = line[equals + 1..].trim_ascii();
    let quoted = |quote: u8| value.strip_prefix(&[quote]).and_then(|rest| rest.strip_suffix(&[quote]));
    Some(quoted(b'"').or_else(|| quoted(b'\'')).unwrap_or(value).to_vec())
}

#[cfg(test)]
mod tests {
    use super::value_of;

    #[test]
    fn lines_of_env_files_are_read_as_shells_do() {
        for (line, value) in [
            ("A=b", Some("b")),
            (" export A = \"b c\" \r", Some("b c")),
            ("A='b'", Some("b")),
            ("A=b=c", Some("b=c")),
            ("# A=b", None),
            ("", None),
        ] {
            assert_eq!(value_of(line.as_bytes()).as_deref(), value.map(str::as_bytes), "{line}");
        }
    }
}
