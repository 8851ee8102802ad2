//! The `.gitignore` of the sessions folder: what programs leave beside sessions is never committed.
//!
//! Source: ox `EnsureSessionsGitignore` (`internal/lfs/session_upload.go`), which writes the whole file anew; here only
//! the lines that are missing are added, so what users wrote stays. Four lines of its first form are taken out, because
//! they keep pointers out of git, and a blob that no pointer names is removed by servers.

use crate::limits::DOCUMENT_BYTES_MAX;
use alloc::vec::Vec;
use hydrant_lfs::text::error::{Code, Error};

/// What is never committed, with the reason that stands above it.
const LINES: [(&str, &str); 3] = [
    ("# Guards meta.json while it is written.", ".meta.json.lock"),
    ("# Asks for a summary on this machine; holds paths of it.", ".needs-summary"),
    ("# State of a recording on this machine; holds paths of it.", ".recording.json"),
];
/// The first form, which kept pointers out of git.
const FORMER: [&str; 4] = ["*.jsonl", "*.html", "*.md", "!meta.json"];

/// The text that the file should have; none when nothing has to change. Refused while it holds conflict markers.
pub fn sessions_gitignore(existing: Option<&[u8]>) -> Result<Option<Vec<u8>>, Error> {
    let existing = existing.unwrap_or_default();
    if existing.len() > DOCUMENT_BYTES_MAX {
        return Err(Error::new(Code::Limit, format_args!("the .gitignore has more than {DOCUMENT_BYTES_MAX} bytes")));
    }
    let lines: Vec<&[u8]> = existing.split_inclusive(|byte| *byte == b'\n').collect();
    if lines.iter().any(|line| line.starts_with(b"<<<<<<< ") || line.starts_with(b">>>>>>> ")) {
        return Err(Error::new(Code::Conflict, "the .gitignore of the sessions holds conflict markers"));
    }
    let mut kept: Vec<&[u8]> = Vec::with_capacity(lines.len());
    let mut at = 0;
    while at < lines.len() {
        let rest = lines[at..].iter().map(|line| pattern(line));
        if rest.take(FORMER.len()).eq(FORMER.iter().map(|line| line.as_bytes())) {
            at += FORMER.len();
        } else {
            kept.push(lines[at]);
            at += 1;
        }
    }
    let mut text = kept.concat();
    let end = if text.ends_with(b"\r\n") { "\r\n" } else { "\n" };
    for (reason, line) in LINES {
        if kept.iter().any(|kept| pattern(kept) == line.as_bytes()) {
            continue;
        }
        if !text.is_empty() && !text.ends_with(b"\n") {
            text.extend_from_slice(end.as_bytes());
        }
        text.extend_from_slice(format!("{reason}{end}{line}{end}").as_bytes());
    }
    Ok((text != existing).then_some(text))
}

/// A line without its end and the blanks before it, which git ignores.
fn pattern(line: &[u8]) -> &[u8] {
    line.trim_ascii_end()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ensure(text: &str) -> String {
        let once = sessions_gitignore(Some(text.as_bytes())).expect("usable");
        let once = once.map_or_else(|| text.to_owned(), |new| String::from_utf8(new).expect("UTF-8"));
        assert_eq!(sessions_gitignore(Some(once.as_bytes())), Ok(None), "twice is once: {once}");
        once
    }

    #[test]
    fn lines_are_added_once_and_others_stay() {
        let all = ensure("");
        assert_eq!(sessions_gitignore(None).expect("absent").as_deref(), Some(all.as_bytes()));
        assert!(LINES.iter().all(|(reason, line)| all.contains(&format!("{reason}\n{line}\n"))), "{all}");
        assert_eq!(ensure("mine\n"), format!("mine\n{all}"));
        assert_eq!(ensure("mine"), format!("mine\n{all}"), "a last line without an end");
        assert_eq!(ensure("mine\r\n"), format!("mine\r\n{}", all.replace('\n', "\r\n")));
        let (lock, rest) = all.split_at(all.find("# Asks").expect("the second line"));
        assert_eq!(ensure(".meta.json.lock  \n"), format!(".meta.json.lock  \n{rest}"));
        assert_eq!(ensure(&format!("{rest}x")), format!("{rest}x\n{lock}"), "in any order");
        assert!(ensure("#.recording.json\n").ends_with("\n.recording.json\n"), "a comment is no line");
    }

    #[test]
    fn the_first_form_goes() {
        let former = "# kept\n*.jsonl\n*.html\n*.md\n!meta.json\n";
        assert_eq!(ensure(former), format!("# kept\n{}", ensure("")));
        let mine = "*.jsonl\n*.html\n*.md\nmine\n!meta.json\n";
        assert!(ensure(mine).starts_with(mine), "another list is the user's");
    }

    #[test]
    fn any_bytes_survive_and_conflicts_do_not_pass() {
        let bytes = b"\xff\xfe\0x\n";
        let new = sessions_gitignore(Some(bytes)).expect("usable").expect("new lines");
        assert!(new.starts_with(bytes));
        assert!(sessions_gitignore(Some(b"<<<<<<< HEAD\na\n=======\nb\n>>>>>>> x\n")).is_err());
        assert!(sessions_gitignore(Some(&vec![b'\n'; DOCUMENT_BYTES_MAX + 1])).is_err());
    }
}
