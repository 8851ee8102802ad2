//! What a commit holds under some paths.
//!
//! The rule it keeps: only regular files count, and everything is bounded by git's output.

use crate::contract::types::Code;
use crate::git::{Git, GitFault};

use crate::contract::error::Fault;
use crate::repository::Repository;

/// Bytes of one committed file that is of interest here, at most: a manifest.
const FILE_BYTES_MAX: usize = 4 << 20;
/// Bytes of the blobs that one git command is asked for, at most; a single blob may have more.
const BLOBS_BYTES_MAX: u64 = 16 << 20;
/// Bytes of facts that git says before each blob, about.
const FACTS_BYTES: u64 = 64;
/// Folders that git is given by name; of more, the folder above them is listed.
const FOLDERS_MAX: usize = 256;

/// One entry of a commit, as git lists it.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Entry {
    pub(crate) path: String,
    /// The blob's id in git.
    pub(crate) oid: String,
    /// Its length; none when git does not have it here.
    pub(crate) size: Option<u64>,
    /// A regular file: no symlink, no other repository.
    pub(crate) is_file: bool,
}

/// A git that speaks of the objects that are here as they are: nothing stands in for them, and nothing is fetched.
pub(crate) fn as_it_is(repository: &Repository) -> Git {
    let git = repository.git.clone().with_variable("GIT_NO_REPLACE_OBJECTS", "1");
    git.with_variable("GIT_NO_LAZY_FETCH", "1")
}

/// Everything that a commit holds in these folders, or at least that: many of them are listed with their neighbours.
pub(crate) fn list(git: &Git, commit: &str, above: &str, folders: &[String]) -> Result<Vec<Entry>, Fault> {
    let mut arguments = vec!["--literal-pathspecs", "ls-tree", "-r", "-l", "-z", "--full-tree", commit, "--"];
    if folders.len() <= FOLDERS_MAX {
        arguments.extend(folders.iter().map(String::as_str));
    } else {
        arguments.push(above);
    }
    let listed = git.read(&arguments, b"")?;
    // A path that is no text is none of ours.
    Ok(listed.split(|byte| *byte == 0).filter_map(|line| entry(std::str::from_utf8(line).ok()?)).collect())
}

/// `mode type oid size TAB path`
fn entry(line: &str) -> Option<Entry> {
    let (facts, path) = line.split_once('\t')?;
    let mut facts = facts.split_ascii_whitespace();
    let (mode, kind, oid, size) = (facts.next()?, facts.next()?, facts.next()?, facts.next()?);
    Some(Entry {
        path: path.to_owned(),
        oid: oid.to_owned(),
        size: size.parse().ok(),
        is_file: kind == "blob" && mode.starts_with("100"),
    })
}

/// Lengths of the objects that these words stand for, with their ids; none where git has no such blob. No word may
/// hold a line end.
pub(crate) fn sizes(git: &Git, words: &[String]) -> Result<Vec<Option<(String, u64)>>, Fault> {
    let asked: String = words.iter().flat_map(|word| [word.as_str(), "\n"]).collect();
    let format = "--batch-check=%(objectname) %(objecttype) %(objectsize)";
    let facts = git.read(&["cat-file", format], asked.as_bytes())?;
    let facts = String::from_utf8_lossy(&facts);
    let fact = |line: &str| match line.split(' ').collect::<Vec<_>>()[..] {
        [oid, "blob", size] => Some((oid.to_owned(), size.parse().ok()?)),
        _ => None,
    };
    let mut found: Vec<_> = facts.lines().map(fact).collect();
    found.resize(words.len(), None);
    Ok(found)
}

/// Hands over the bytes of blobs, each with its place among them. They are named by id and length, and read in parts
/// that memory can hold.
pub(crate) fn each_blob(
    git: &Git,
    blobs: &[(&str, u64)],
    see: &mut dyn FnMut(usize, Vec<u8>) -> Result<(), Fault>,
) -> Result<(), Fault> {
    let mut at = 0;
    while at < blobs.len() {
        let (mut end, mut bytes) = (at, 0);
        while end < blobs.len() && (end == at || bytes + blobs[end].1 <= BLOBS_BYTES_MAX) {
            bytes += blobs[end].1 + FACTS_BYTES;
            end += 1;
        }
        let asked: String = blobs[at..end].iter().flat_map(|(oid, _)| [*oid, "\n"]).collect();
        let answer = git.read(&["cat-file", "--batch", "--buffer"], asked.as_bytes())?;
        let mut rest = answer.as_slice();
        for place in at..end {
            let blob = one(&mut rest).ok_or_else(cut_short)?;
            let gone = || Fault::failed(Code::Host, "git does not have a blob that it named a moment ago");
            see(place, blob.ok_or_else(gone)?)?;
        }
        at = end;
    }
    Ok(())
}

fn cut_short() -> GitFault {
    GitFault::Refused("its answer was cut short".to_owned())
}

/// The commit that a revision stands for; none when there is none.
pub(crate) fn commit(repository: &Repository, revision: &str) -> Result<Option<String>, Fault> {
    let revision = format!("{revision}^{{commit}}");
    let ended = repository.git.run(&["rev-parse", "--verify", "--quiet", "--end-of-options", &revision], b"")?;
    Ok(ended.success().then(|| String::from_utf8_lossy(&ended.stdout).trim().to_owned()).filter(|oid| !oid.is_empty()))
}

/// The bytes of each path in a commit, in the order given; none where it holds no file.
pub(crate) fn files(repository: &Repository, commit: &str, paths: &[&str]) -> Result<Vec<Option<Vec<u8>>>, Fault> {
    let mut asked = Vec::new();
    for path in paths {
        // One line names one object.
        let path = if path.contains('\n') { "" } else { path };
        asked.extend_from_slice(format!("{commit}:{path}\n").as_bytes());
    }
    let answer = repository.git.read(&["cat-file", "--batch"], &asked)?;
    let mut rest = answer.as_slice();
    let mut found = Vec::with_capacity(paths.len());
    for _ in paths {
        found.push(one(&mut rest).ok_or_else(cut_short)?);
    }
    Ok(found)
}

/// One answer: `oid type size LF bytes LF`, or a line that says what is wrong. None at the end.
fn one(rest: &mut &[u8]) -> Option<Option<Vec<u8>>> {
    let end = rest.iter().position(|byte| *byte == b'\n')?;
    let line = String::from_utf8_lossy(&rest[..end]).into_owned();
    *rest = &rest[end + 1..];
    let mut words = line.rsplitn(3, ' ');
    let (last, kind) = (words.next()?, words.next().unwrap_or_default());
    let (Ok(size), "blob" | "tree" | "commit" | "tag") = (last.parse::<usize>(), kind) else { return Some(None) };
    let bytes = rest.get(..size)?;
    *rest = rest.get(size + 1..)?;
    Some((kind == "blob" && size <= FILE_BYTES_MAX).then(|| bytes.to_vec()))
}

#[cfg(test)]
mod tests {
    use super::{Entry, entry, one};

    #[test]
    fn a_listing_tells_files_from_what_is_none() {
        for (line, oid, size, is_file) in [
            ("100644 blob ab     127\tsessions/a b/x", "ab", Some(127), true),
            ("100755 blob ab       0\tsessions/a b/x", "ab", Some(0), true),
            ("100644 blob ab     BAD\tsessions/a b/x", "ab", None, true),
            ("120000 blob ab       9\tsessions/a b/x", "ab", Some(9), false),
            ("160000 commit cd       -\tsessions/a b/x", "cd", None, false),
        ] {
            let expected = Entry { path: "sessions/a b/x".to_owned(), oid: oid.to_owned(), size, is_file };
            assert_eq!(entry(line), Some(expected), "{line}");
        }
        assert_eq!(entry(""), None);
    }

    #[test]
    fn answers_are_told_apart() {
        let mut rest = &b"ab blob 3\na\nb\nHEAD:x missing\ncd tree 2\nxx\nef blob 0\n\n"[..];
        let next = |rest: &mut &[u8]| one(rest).expect("an answer");
        assert_eq!(next(&mut rest), Some(b"a\nb".to_vec()));
        assert_eq!(next(&mut rest), None);
        assert_eq!(next(&mut rest), None);
        assert_eq!(next(&mut rest), Some(Vec::new()));
        assert!(one(&mut rest).is_none());
        assert!(one(&mut &b"ab blob 9\nshort"[..]).is_none());
    }
}
