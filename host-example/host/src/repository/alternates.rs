//! Where git-lfs keeps objects that this repository may use: its own store, and those of the repositories whose objects
//! git borrows (`git clone --shared`, `--reference`).
//!
//! Rule: only reads; what cannot be read is not there, because whoever asks has the server besides.

use std::collections::HashSet;
use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};

use crate::files::platform::path_of;
use crate::git::Git;

/// How many repositories may stand between this one and a borrowed store: git goes no further.
const DEPTH_MAX: usize = 5;
/// Borrowed stores at most.
const STORES_MAX: usize = 64;
/// Bytes of a list of borrowed stores at most.
const LIST_BYTES_MAX: u64 = 64 << 10;

/// git-lfs's stores of the repositories whose objects the one with this folder borrows, nearest first.
pub(super) fn stores(git: &Git, common_dir: &Path) -> Vec<PathBuf> {
    let (mut stores, mut seen) = (Vec::new(), HashSet::new());
    let mut level = vec![common_dir.join("objects")];
    for _ in 0..DEPTH_MAX {
        level = level.iter().flat_map(|objects| borrowed(objects)).collect();
        level.retain(|objects| seen.insert(objects.clone()));
        for repository in level.iter().filter_map(|objects| objects.parent()) {
            if stores.len() < STORES_MAX {
                stores.push(store_of(repository, configured(git, repository).as_deref()));
            }
        }
    }
    stores
}

/// The store of a repository. A relative setting counts from its folder, as git-lfs reads it.
pub(super) fn store_of(repository: &Path, storage: Option<&str>) -> PathBuf {
    match storage {
        Some(storage) if !storage.is_empty() => repository.join(storage).join("objects"),
        _ => repository.join("lfs/objects"),
    }
}

fn configured(git: &Git, repository: &Path) -> Option<String> {
    let config = repository.join("config");
    if !config.is_file() {
        return None;
    }
    let arguments = ["config".as_ref(), "--file".as_ref(), config.as_os_str(), "lfs.storage".as_ref()];
    let value = git.read(&arguments, b"").ok()?;
    Some(String::from_utf8(value).ok()?.trim_end_matches('\n').to_owned())
}

/// The folders of objects that `info/alternates` names: a line each, absolute or relative to the folder itself.
fn borrowed(objects: &Path) -> Vec<PathBuf> {
    let mut text = Vec::new();
    let list = fs::File::open(objects.join("info/alternates"));
    if list.and_then(|list| list.take(LIST_BYTES_MAX).read_to_end(&mut text)).is_err() {
        return Vec::new();
    }
    let lines = text.split(|byte| *byte == b'\n').filter(|line| !line.is_empty() && !line.starts_with(b"#"));
    // The real path: `..` after a link leads elsewhere than its text, and two names of one store are one store.
    lines.filter_map(|line| objects.join(path_of(&unquoted(line))).canonicalize().ok()).collect()
}

/// A path in quotes is written as git quotes paths; any other one is taken as it is.
fn unquoted(line: &[u8]) -> Vec<u8> {
    let inside = line.strip_prefix(b"\"").and_then(|rest| rest.strip_suffix(b"\""));
    inside.and_then(without_escapes).unwrap_or_else(|| line.to_vec())
}

fn without_escapes(text: &[u8]) -> Option<Vec<u8>> {
    let mut plain = Vec::with_capacity(text.len());
    let mut rest = text;
    while let [first, after @ ..] = rest {
        rest = after;
        if *first != b'\\' {
            plain.push(*first);
            continue;
        }
        let (letter, after) = rest.split_first()?;
        rest = after;
        plain.push(match letter {
            b'a' => 7,
            b'b' => 8,
            b't' => b'\t',
            b'n' => b'\n',
            b'v' => 11,
            b'f' => 12,
            b'r' => b'\r',
            b'"' | b'\\' => *letter,
            b'0'..=b'3' => {
                let (digits, after) = rest.split_at_checked(2)?;
                rest = after;
                let octal = [&[*letter], digits].concat();
                u8::from_str_radix(std::str::from_utf8(&octal).ok()?, 8).ok()?
            }
            _ => return None,
        });
    }
    Some(plain)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_read_as_git_writes_them() {
        for (line, path) in [
            ("/a/b/objects", "/a/b/objects"),
            ("\"/a/\\\"b\\\"\\t/\\303\\274\"", "/a/\"b\"\t/ü"),
            ("\"/not closed", "\"/not closed"),
            ("\"/no such \\q escape\"", "\"/no such \\q escape\""),
            ("\"/cut short\\30\"", "\"/cut short\\30\""),
        ] {
            assert_eq!(unquoted(line.as_bytes()), path.as_bytes(), "{line}");
        }
    }

    #[test]
    fn a_store_lies_where_the_setting_says() {
        let of = |storage| store_of(Path::new("/r/.git"), storage);
        assert_eq!(of(None), Path::new("/r/.git/lfs/objects"));
        assert_eq!(of(Some("")), Path::new("/r/.git/lfs/objects"));
        assert_eq!(of(Some("media")), Path::new("/r/.git/media/objects"));
        assert_eq!(of(Some("/srv/lfs")), Path::new("/srv/lfs/objects"));
    }
}
