//! What a commit holds under some paths.
//!
//! The rule it keeps: only regular files count, and everything is bounded by git's output.

use hydrant_host::git::GitFault;

use crate::ending::Fault;
use crate::repository::Repository;

/// Bytes of one committed file that is of interest here, at most: a manifest.
const FILE_BYTES_MAX: usize = 4 << 20;

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
        found.push(one(&mut rest).ok_or_else(|| GitFault::Refused("its answer was cut short".to_owned()))?);
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
    use super::one;

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
