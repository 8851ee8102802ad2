//! A token that stays from run to run, in a file. Keeps three rules: it is made once and for its owner alone, a file
//! that everybody can read or that is somebody else's is no secret, and none is ever made in a git work tree.

use std::fs::{self, Metadata, OpenOptions};
use std::io::{self, Read as _, Write as _};
use std::path::{Path, PathBuf};

use sha2::{Digest as _, Sha256};

use super::access::fresh_secret;
use super::limits::TOKEN_FILE_BYTES_MAX;
use super::store::hex;
use crate::platform::{is_open_to_all, is_ours, make_private_dir, open_at_once, private_file};

/// Where the token of a store is kept beneath a folder of the user's state. Stores are told apart by their path.
pub fn token_file(state: &Path, store: &Path) -> io::Result<PathBuf> {
    let digest = Sha256::digest(settled(store)?.as_os_str().as_encoded_bytes());
    Ok(state.join("hydrant").join("serve").join(hex(&digest.into())))
}

/// The token that a file holds; a new one is made where there is no file. `InvalidData` says that the file is there and
/// must not be used; any other error, that there is no place for one.
pub fn kept_token(file: &Path) -> io::Result<String> {
    match read(file) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            make(file, &Place { link: |from, to| fs::hard_link(from, to), is_loose: is_open_to_all })?;
            read(file)
        }
        read => read,
    }
}

fn read(path: &Path) -> io::Result<String> {
    let wrong = |why| io::Error::new(io::ErrorKind::InvalidData, why);
    let file = open_at_once(path)?;
    let found = file.metadata()?;
    if !found.is_file() {
        return Err(wrong("the token's file is no file: name another one"));
    }
    if !is_ours(&found) {
        return Err(wrong("the token's file belongs to another user, who knows the token then: name one of your own"));
    }
    if is_open_to_all(&found) {
        return Err(wrong("everybody on this machine can read the token's file: take that right away, with chmod 600"));
    }
    let mut text = String::new();
    file.take(TOKEN_FILE_BYTES_MAX).read_to_string(&mut text)?;
    let token = text.trim();
    if token.is_empty() || !token.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Err(wrong("the token's file must hold one word of ASCII letters, digits and signs"));
    }
    Ok(token.to_owned())
}

/// What a file system does with a file of a token.
struct Place {
    link: fn(&Path, &Path) -> io::Result<()>,
    /// Whether it lets everybody read what is made for the owner alone.
    is_loose: fn(&Metadata) -> bool,
}

/// Of two who make it at once, both keep the one that was first.
fn make(path: &Path, place: &Place) -> io::Result<()> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    if in_a_work_tree(&settled(folder)?) {
        let why = "the token would lie in a git work tree, where a commit could take it: name a file elsewhere";
        return Err(io::Error::new(io::ErrorKind::InvalidInput, why));
    }
    if !folder.is_dir() {
        make_private_dir(folder)?;
    }
    let text = format!("{}\n", fresh_secret()?);
    let beside = folder.join(format!("{}.new", fresh_secret()?));
    write_new(&beside, &text, place)?;
    let linked = (place.link)(&beside, path);
    fs::remove_file(&beside)?;
    let placed = match linked {
        // Not every file system has links. Without them, another one may see the file before the token is in it.
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => write_new(path, &text, place),
        linked => linked,
    };
    match placed {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        placed => placed,
    }
}

/// Makes a file for its owner alone with all of the text, or none.
fn write_new(path: &Path, text: &str, place: &Place) -> io::Result<()> {
    let mut file = private_file(path, OpenOptions::new().create_new(true))?;
    let mut write = || {
        if (place.is_loose)(&file.metadata()?) {
            let why = "everybody could read a token in this file system: name a file elsewhere";
            return Err(io::Error::new(io::ErrorKind::Unsupported, why));
        }
        file.write_all(text.as_bytes())?;
        file.sync_all()
    };
    let written = write();
    if written.is_err() {
        fs::remove_file(path).ok();
    }
    written
}

/// Whether git would take a file of this folder for a part of a repository.
fn in_a_work_tree(folder: &Path) -> bool {
    folder.ancestors().any(|above| fs::symlink_metadata(above.join(".git")).is_ok())
}

/// A path as it will be, whether or not all of it is there yet.
fn settled(path: &Path) -> io::Result<PathBuf> {
    let whole = std::path::absolute(path)?;
    for there in whole.ancestors() {
        if let Ok(real) = there.canonicalize() {
            let rest = whole.strip_prefix(there).unwrap_or(Path::new(""));
            return Ok(real.components().chain(rest.components()).collect());
        }
    }
    Ok(whole)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scratch::Scratch;

    fn kind(token: io::Result<String>) -> Option<io::ErrorKind> {
        token.err().map(|error| error.kind())
    }

    #[test]
    fn a_token_is_made_once_for_its_owner_alone() {
        let scratch = Scratch::new();
        let file = scratch.path().join("state/deep/token");
        let token = kept_token(&file).expect("made");
        assert_eq!(token.len(), 64);
        assert_eq!(kept_token(&file).expect("read"), token);
        assert!(!is_open_to_all(&fs::metadata(&file).expect("there")));
        let folder = file.parent().expect("a folder");
        assert!(!is_open_to_all(&fs::metadata(folder).expect("there")));
        assert_eq!(fs::read_dir(folder).expect("a folder").count(), 1, "nothing else stays");
        let threads: Vec<_> = (0..8)
            .map(|_| {
                std::thread::spawn({
                    let other = scratch.path().join("race/token");
                    move || kept_token(&other).expect("one of them made it")
                })
            })
            .collect();
        let tokens: Vec<String> = threads.into_iter().map(|thread| thread.join().expect("no panic")).collect();
        assert!(tokens.iter().all(|token| *token == tokens[0]), "{tokens:?}");
    }

    #[test]
    fn a_token_of_the_users_is_taken_as_it_is() {
        let scratch = Scratch::new();
        for (text, token) in [
            ("word\n", Ok("word")),
            ("  word", Ok("word")),
            ("", Err(io::ErrorKind::InvalidData)),
            ("\n", Err(io::ErrorKind::InvalidData)),
            ("two words", Err(io::ErrorKind::InvalidData)),
            ("wörd", Err(io::ErrorKind::InvalidData)),
        ] {
            let file = scratch.path().join("token");
            let mut open = private_file(&file, OpenOptions::new().create(true).truncate(true)).expect("a file");
            open.write_all(text.as_bytes()).expect("written");
            let read = kept_token(&file);
            assert_eq!(read.as_deref().map_err(io::Error::kind), token, "{text:?}");
        }
        fs::write(scratch.path().join("loose"), "word").expect("written");
        if is_open_to_all(&fs::metadata(scratch.path().join("loose")).expect("there")) {
            assert_eq!(kind(kept_token(&scratch.path().join("loose"))), Some(io::ErrorKind::InvalidData));
        }
        assert_eq!(kind(kept_token(scratch.path())), Some(io::ErrorKind::InvalidData), "a folder");
    }

    #[test]
    fn a_file_system_may_know_no_links_but_must_keep_a_secret() {
        let links: [fn(&Path, &Path) -> io::Result<()>; 5] = [
            |from, to| fs::hard_link(from, to),
            |_, _| Err(io::ErrorKind::Unsupported.into()),
            |_, _| Err(io::ErrorKind::PermissionDenied.into()),
            |_, _| Err(io::Error::from_raw_os_error(rustix::io::Errno::NOSYS.raw_os_error())),
            |_, _| Err(io::Error::from_raw_os_error(rustix::io::Errno::MLINK.raw_os_error())),
        ];
        for (number, link) in links.into_iter().enumerate() {
            let scratch = Scratch::new();
            let file = scratch.path().join("state/token");
            let loose = make(&file, &Place { link, is_loose: |_| true }).map_err(|error| error.kind());
            assert_eq!(loose, Err(io::ErrorKind::Unsupported), "{number}");
            assert_eq!(fs::read_dir(scratch.path().join("state")).expect("a folder").count(), 0, "{number}");
            let place = Place { link, is_loose: is_open_to_all };
            make(&file, &place).expect("made");
            let token = read(&file).expect("whole");
            assert_eq!(token.len(), 64, "{number}");
            make(&file, &place).expect("there already");
            assert_eq!(read(&file).expect("whole"), token, "{number}");
            assert_eq!(fs::read_dir(scratch.path().join("state")).expect("a folder").count(), 1, "{number}");
        }
    }

    #[test]
    fn a_file_of_another_user_is_no_secret() {
        let scratch = Scratch::new();
        let file = scratch.path().join("token");
        let token = kept_token(&file).expect("made");
        // Only the system's own user can give a file away.
        for (owner, is_taken) in [(12_345, false), (0, true)] {
            if std::os::unix::fs::chown(&file, Some(owner), None).is_ok() {
                let read = kept_token(&file);
                assert_eq!(read.as_deref().ok(), is_taken.then_some(&*token), "{owner}");
                assert_eq!(kind(read), (!is_taken).then_some(io::ErrorKind::InvalidData), "{owner}");
            }
        }
    }

    #[test]
    fn no_token_is_made_in_a_work_tree() {
        for marker_is_file in [false, true] {
            let scratch = Scratch::new();
            let marker = scratch.path().join(".git");
            let made = if marker_is_file { fs::write(marker, "gitdir: x") } else { fs::create_dir(marker) };
            made.expect("a work tree");
            for place in ["token", "deep/er/token"] {
                let file = scratch.path().join(place);
                assert_eq!(kind(kept_token(&file)), Some(io::ErrorKind::InvalidInput), "{place}");
                assert!(!file.exists() && !scratch.path().join("deep").exists(), "{place}");
            }
        }
    }

    #[test]
    fn one_store_has_one_token_however_it_is_named() {
        let scratch = Scratch::new();
        let state = Path::new("/state");
        let of = |store: &str| token_file(state, &scratch.path().join(store)).expect("a path");
        let before = of("store");
        assert!(before.starts_with("/state/hydrant/serve"));
        fs::create_dir(scratch.path().join("store")).expect("a folder");
        assert_eq!(of("store"), before);
        assert_eq!(of("./store/"), before);
        assert_eq!(of("store/../store"), before);
        assert_ne!(of("other"), before);
    }
}
