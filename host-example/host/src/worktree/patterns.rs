//! Path patterns in the way of `.gitignore`, as comma lists: `lfs.fetchinclude`, `--exclude` and their like.
//!
//! The rule it keeps: a path is chosen when the include list is empty or matches it, and the exclude list does not.
//! A pattern that matches a folder matches everything beneath. What matches one name is git's own rule, from gix-glob.

use bstr::{BString, ByteSlice};
use gix_glob::{wildmatch, wildmatch::Mode};

/// Patterns in one list.
pub(crate) const PATTERNS_MAX: usize = 4096;
/// Bytes of one pattern.
pub(crate) const PATTERN_BYTES_MAX: usize = 4096;

/// Which paths are wanted.
#[derive(Clone, Debug, Default)]
pub(crate) struct Selection {
    include: Vec<Pattern>,
    exclude: Vec<Pattern>,
}

impl Selection {
    /// From two comma lists; empty lists choose everything.
    pub(crate) fn parse(include: &str, exclude: &str) -> Result<Self, String> {
        Ok(Self { include: parse_list(include)?, exclude: parse_list(exclude)? })
    }

    /// Everything but what matches one of these patterns, each a whole one: a comma is a part of it.
    pub(crate) fn all_but(patterns: &[String]) -> Result<Self, String> {
        Ok(Self { include: Vec::new(), exclude: parsed(patterns.iter().map(String::as_str))? })
    }

    /// Whether a path (relative, with `/`) is wanted.
    pub(crate) fn wants(&self, path: &[u8]) -> bool {
        let included = self.include.is_empty() || self.include.iter().any(|pattern| pattern.covers(path));
        included && !self.exclude.iter().any(|pattern| pattern.covers(path))
    }
}

fn parse_list(list: &str) -> Result<Vec<Pattern>, String> {
    parsed(list.split(',').map(str::trim))
}

fn parsed<'a>(patterns: impl Iterator<Item = &'a str>) -> Result<Vec<Pattern>, String> {
    let patterns: Vec<&str> = patterns.filter(|pattern| !pattern.is_empty()).collect();
    if patterns.len() > PATTERNS_MAX {
        return Err(format!("more than {PATTERNS_MAX} patterns"));
    }
    patterns.into_iter().map(Pattern::parse).collect()
}

#[derive(Clone, Debug)]
struct Pattern {
    /// The pattern without the slashes at its ends.
    glob: BString,
    /// Counted from the root: a slash stands at its beginning or inside.
    anchored: bool,
    /// A slash stands at its end: it names folders only.
    folder: bool,
}

impl Pattern {
    fn parse(text: &str) -> Result<Self, String> {
        if text.len() > PATTERN_BYTES_MAX {
            return Err(format!("a pattern of more than {PATTERN_BYTES_MAX} bytes"));
        }
        // Whoever says `./foo` means the one here, not each of that name.
        let (text, is_here) = text.strip_prefix("./").map_or((text, false), |rest| (rest, true));
        let body = text.trim_end_matches('/');
        let glob = body.trim_start_matches('/');
        let anchored = is_here || body.contains('/');
        Ok(Self { glob: glob.into(), anchored, folder: body.len() < text.len() })
    }

    /// Whether it matches the path itself or one of the folders above it.
    fn covers(&self, path: &[u8]) -> bool {
        let ends = path.iter().enumerate().filter(|(_, byte)| **byte == b'/').map(|(at, _)| (at, true));
        ends.chain([(path.len(), false)]).any(|(end, is_folder)| {
            (is_folder || !self.folder) && {
                let part = &path[..end];
                let start =
                    if self.anchored { 0 } else { part.iter().rposition(|b| *b == b'/').map_or(0, |at| at + 1) };
                wildmatch(self.glob.as_bstr(), part[start..].as_bstr(), Mode::NO_MATCH_SLASH_LITERAL)
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_match_as_in_gitignore() {
        for (pattern, path, expected) in [
            ("*.bin", "a.bin", true),
            ("*.bin", "deep/er/a.bin", true),
            ("*.bin", "a.binary", false),
            ("media", "media/x/y.png", true),
            ("media", "x/media/y.png", true),
            ("media/", "media", false),
            ("media/", "a/media/b", true),
            ("/media", "a/media/b", false),
            ("/media", "media/b", true),
            ("a/b", "a/b/c", true),
            ("a/b", "x/a/b", false),
            ("./a/b", "a/b", true),
            ("./foo", "foo", true),
            ("./foo", "foo/a", true),
            ("./foo", "deep/foo", false),
            ("./foo/", "foo/a", true),
            ("./foo/", "foo", false),
            ("./foo/", "deep/foo/a", false),
            ("./*.bin", "a.bin", true),
            ("./*.bin", "deep/a.bin", false),
            ("a/*/c", "a/b/c", true),
            ("a/*/c", "a/b/b/c", false),
            ("a/**/c", "a/c", true),
            ("a/**/c", "a/b/b/c", true),
            ("**/c", "c", true),
            ("**/c", "a/b/c", true),
            ("**/c/d.*", "a/c/c/d.txt", true),
            ("a/**", "a/b/c", true),
            ("a/**", "a", false),
            ("a/**", "b/a/c", false),
            ("a?c", "abc", true),
            ("a?c", "a/c", false),
            ("[a-c]x", "bx", true),
            ("[!a-c]x", "bx", false),
            ("[]x", "[]x", false),
            ("\\*", "*", true),
            ("\\*", "a", false),
            ("*a*a*a*b", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", false),
            ("*", "x/y", true),
        ] {
            let selection = Selection::parse(pattern, "").expect("short enough");
            assert_eq!(selection.wants(path.as_bytes()), expected, "{pattern} on {path}");
        }
    }

    #[test]
    fn exclusion_wins_and_nothing_means_everything() {
        let selection = Selection::parse("a, b", " b/secret ,").expect("short enough");
        assert!(selection.wants(b"a/x") && selection.wants(b"b/x"));
        assert!(!selection.wants(b"b/secret/x") && !selection.wants(b"c"));
        assert!(Selection::default().wants(b"anything"));
        let selection = Selection::all_but(&["a,b".into(), "/c/".into(), String::new()]).expect("short enough");
        assert!(
            !selection.wants(b"x/a,b") && !selection.wants(b"c/d") && selection.wants(b"a") && selection.wants(b"c")
        );
    }
}
