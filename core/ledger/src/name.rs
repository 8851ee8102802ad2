//! Names in a ledger. No name from a manifest enters an operation without a check of this file.
//!
//! The ledger's first implementation accepted relative slash-separated names without `..` (measured: it also let `.`,
//! `C:/x`, `a:stream`, `CON`, NUL, newlines, `.git/config` and `meta.json` through). Here a name must mean the same
//! file on every platform, and may never be one that git or the ledger keeps for itself.

use crate::limits::{FILE_NAME_BYTES_MAX, NAME_COMPONENT_BYTES_MAX};
use alloc::string::String;

/// The folder of the sessions.
pub const SESSIONS: &str = "sessions";
/// The manifest of a session, in the session's folder.
pub const MANIFEST: &str = "meta.json";
/// The transcript of a session, beside it.
pub const TRANSCRIPT: &str = "raw.jsonl";

/// Device names that Windows finds in any folder, whatever follows the first dot.
const DEVICES: [&str; 6] = ["con", "prn", "aux", "nul", "conin$", "conout$"];

/// Files that git or git-lfs obeys in any folder.
const GIT_FILES: [&str; 5] = [".gitattributes", ".gitignore", ".gitmodules", ".gitconfig", ".lfsconfig"];

/// The characters beyond ASCII whose fold is ASCII.
const ASCII_FOLDS: [(char, &str); 11] = [
    ('\u{df}', "ss"),
    ('\u{131}', "i"),
    ('\u{17f}', "s"),
    ('\u{212a}', "k"),
    ('\u{fb00}', "ff"),
    ('\u{fb01}', "fi"),
    ('\u{fb02}', "fl"),
    ('\u{fb03}', "ffi"),
    ('\u{fb04}', "ffl"),
    ('\u{fb05}', "st"),
    ('\u{fb06}', "st"),
];

/// A file of a session, as the ledger names it.
pub(crate) fn path(session: &str, file: &str) -> String {
    format!("{SESSIONS}/{session}/{file}")
}

/// Why a name cannot be used for a file of a session; `None` when it can.
pub fn flaw(name: &str) -> Option<&'static str> {
    if name.is_empty() {
        return Some("the name is empty");
    }
    if name.len() > FILE_NAME_BYTES_MAX {
        return Some("the name is too long");
    }
    if name.starts_with('/') {
        return Some("the name is absolute");
    }
    let first = ascii_fold(name.split('/').next().unwrap_or_default());
    if first == MANIFEST || first == ".meta.json.lock" {
        return Some("the name belongs to the manifest");
    }
    name.split('/').find_map(component_flaw)
}

/// Why a name cannot be used for a session's folder; `None` when it can.
pub fn session_flaw(name: &str) -> Option<&'static str> {
    flaw(name).or_else(|| name.contains('/').then_some("the name holds a slash"))
}

/// How names are folded: names that differ in case alone have the same fold (`ſ` is an `s`). Composed and decomposed
/// forms of a letter differ.
pub type Fold = fn(&str) -> String;

/// The [`Fold`] of this library: each character in upper case, and that in lower case. Its tables have 25 kilobytes; a
/// platform that has such tables gives a fold of its own.
pub fn fold(name: &str) -> String {
    if name.is_ascii() {
        return name.to_ascii_lowercase();
    }
    name.chars().flat_map(char::to_uppercase).flat_map(char::to_lowercase).collect()
}

/// The fold of a name as far as it is ASCII: enough to compare it with an ASCII name. Needs no tables.
pub(crate) fn ascii_fold(name: &str) -> String {
    let mut folded = String::with_capacity(name.len());
    for c in name.chars() {
        match ASCII_FOLDS.iter().find(|(other, _)| *other == c) {
            Some((_, letters)) => folded.push_str(letters),
            None => folded.push(c.to_ascii_lowercase()),
        }
    }
    folded
}

fn component_flaw(part: &str) -> Option<&'static str> {
    if part.is_empty() || part == "." || part == ".." {
        return Some("the name is not in its shortest form");
    }
    if part.len() > NAME_COMPONENT_BYTES_MAX {
        return Some("a part of the name is too long");
    }
    // Almost every name has only these.
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
    if !part.bytes().all(is_plain) {
        if part.contains(|c: char| c.is_control() || matches!(c, '\\' | ':' | '*' | '?' | '"' | '<' | '>' | '|')) {
            return Some("the name holds a character that some file system forbids");
        }
        if part.contains(ignored_by_some_file_system) {
            return Some("the name holds a character that some file system ignores");
        }
    }
    if part.starts_with(char::is_whitespace) || part.ends_with(char::is_whitespace) || part.ends_with('.') {
        return Some("a part of the name begins or ends with a blank, or ends with a dot");
    }
    let lower = part.to_ascii_lowercase();
    if lower == ".git" || lower.starts_with("git~") || GIT_FILES.contains(&lower.as_str()) {
        return Some("the name belongs to git");
    }
    let stem = lower.split('.').next().unwrap_or_default().trim_end();
    let numbered = ["com", "lpt"].iter().any(|device| {
        stem.strip_prefix(device)
            .is_some_and(|n| matches!(n, "1" | "2" | "3" | "4" | "5" | "6" | "7" | "8" | "9" | "¹" | "²" | "³"))
    });
    if numbered || DEVICES.contains(&stem) {
        return Some("the name is a device on Windows");
    }
    None
}

/// HFS+ drops these, so `.g\u{200c}it` is `.git` there (git refuses them for the same reason); the rest reorder text.
fn ignored_by_some_file_system(c: char) -> bool {
    matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fffd}')
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Shows I21.
    #[test]
    fn names() {
        for good in ["raw.jsonl", "a/b/c.md", "..a", ".hidden", "sesión.md", "CONSOLE", "com0", "gitx", "a b"] {
            assert_eq!(flaw(good), None, "{good}");
        }
        for bad in [
            "",
            ".gitattributes",
            "a/.gitmodules",
            ".LFSconfig",
            "meta.json/x",
            "meta.j\u{17f}on",
            "/x",
            ".",
            "..",
            "../x",
            "a/../b",
            "a//b",
            "a/",
            "./a",
            "C:/x",
            "a:stream",
            "CON",
            "con.txt",
            "COM1.log",
            "lpt³",
            "NUL .txt",
            "a\\b",
            "a\0b",
            "a\nb",
            " lead",
            "trail ",
            "trailing.",
            ".git",
            ".GIT/config",
            "x/.git/y",
            "git~1",
            "meta.json",
            "META.json",
            "a\u{200c}b",
            "\u{202e}x",
            "a?b",
        ] {
            assert!(flaw(bad).is_some(), "{bad:?}");
        }
        assert!(flaw(&"n".repeat(256)).is_some());
        assert_eq!(session_flaw("a"), None);
        assert!(session_flaw("a/b").is_some() && session_flaw("..").is_some());
        assert!(flaw(&"abcdefgh/".repeat(120)).is_some());
    }

    #[test]
    fn folding() {
        assert_eq!(fold("RAW.jsonl"), fold("raw.JSONL"));
        assert_ne!(fold("a"), fold("b"));
    }

    #[test]
    fn what_folds_to_ascii_does_so_without_tables() {
        for c in ('\0'..=char::MAX).map(String::from) {
            let folded = fold(&c);
            if folded.is_ascii() {
                assert_eq!(ascii_fold(&c), folded, "{c:?}");
            } else {
                assert!(!ascii_fold(&c).is_ascii(), "{c:?}");
            }
        }
    }
}
