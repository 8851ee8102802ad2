//! Path patterns in the way of `.gitignore`, as comma lists: `lfs.fetchinclude`, `--exclude` and their like.
//!
//! The rule it keeps: a path is chosen when the include list is empty or matches it, and the exclude list does not.
//! A pattern that matches a folder matches everything beneath.

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

    /// Whether a path (relative, with `/`) is wanted.
    pub(crate) fn wants(&self, path: &[u8]) -> bool {
        let included = self.include.is_empty() || self.include.iter().any(|pattern| pattern.covers(path));
        included && !self.exclude.iter().any(|pattern| pattern.covers(path))
    }
}

fn parse_list(list: &str) -> Result<Vec<Pattern>, String> {
    let patterns: Vec<&str> = list.split(',').map(str::trim).filter(|pattern| !pattern.is_empty()).collect();
    if patterns.len() > PATTERNS_MAX {
        return Err(format!("more than {PATTERNS_MAX} patterns"));
    }
    patterns.into_iter().map(Pattern::parse).collect()
}

#[derive(Clone, Debug)]
struct Pattern {
    /// The pattern without the slashes at its ends.
    glob: Vec<u8>,
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
        let text = text.strip_prefix("./").unwrap_or(text);
        let body = text.trim_end_matches('/');
        let glob = body.trim_start_matches('/');
        let anchored = body.contains('/');
        Ok(Self { glob: glob.as_bytes().to_vec(), anchored, folder: body.len() < text.len() })
    }

    /// Whether it matches the path itself or one of the folders above it.
    fn covers(&self, path: &[u8]) -> bool {
        let ends = path.iter().enumerate().filter(|(_, byte)| **byte == b'/').map(|(at, _)| (at, true));
        ends.chain([(path.len(), false)]).any(|(end, is_folder)| {
            (is_folder || !self.folder) && {
                let part = &path[..end];
                let start =
                    if self.anchored { 0 } else { part.iter().rposition(|b| *b == b'/').map_or(0, |at| at + 1) };
                matches(&self.glob, &part[start..])
            }
        })
    }
}

/// `*` and `?` stay within one name, `**` crosses names, `[...]` is one of a set, `\` takes the next as it is.
/// Greedy with two fall-back points, so the time is at most the product of both lengths.
fn matches(glob: &[u8], text: &[u8]) -> bool {
    let (mut g, mut t) = (0, 0);
    let mut star: Option<(usize, usize)> = None;
    let mut deep: Option<(usize, usize)> = None;
    loop {
        if let Some(next) = double_star(glob, g) {
            // `**/` matches no folder at all, too.
            deep = Some((next, t));
            star = None;
            g = next;
            continue;
        }
        if glob.get(g) == Some(&b'*') {
            star = Some((g + 1, t));
            g += 1;
            continue;
        }
        let step = if g < glob.len() && t < text.len() { one(&glob[g..], text[t]) } else { None };
        if let Some(used) = step {
            g += used;
            t += 1;
            continue;
        }
        if g == glob.len() && t == text.len() {
            return true;
        }
        // The single star takes one more byte of its name; failing that, the double star one more byte at all.
        match (star, deep) {
            (Some((after, from)), _) if from < text.len() && text[from] != b'/' => {
                star = Some((after, from + 1));
                (g, t) = (after, from + 1);
            }
            (_, Some((after, from))) if from < text.len() => {
                let to = next_start(glob, after, text, from);
                deep = Some((after, to));
                star = None;
                (g, t) = (after, to);
            }
            _ => return false,
        }
    }
}

/// Where the glob goes on after `**` or `**/` at `g`, if one stands there.
fn double_star(glob: &[u8], g: usize) -> Option<usize> {
    let starts_name = g == 0 || glob[g - 1] == b'/';
    match glob.get(g..) {
        Some([b'*', b'*', b'/', ..]) if starts_name => Some(g + 3),
        Some([b'*', b'*']) if starts_name => Some(g + 2),
        _ => None,
    }
}

/// The next place a double star may end at: behind a slash when the glob goes on with a name, anywhere at its end.
fn next_start(glob: &[u8], after: usize, text: &[u8], from: usize) -> usize {
    if after == glob.len() {
        return text.len();
    }
    text[from..].iter().position(|byte| *byte == b'/').map_or(text.len(), |at| from + at + 1)
}

/// How many bytes of the glob match this one byte of text; none when they do not.
fn one(glob: &[u8], byte: u8) -> Option<usize> {
    match glob[0] {
        b'?' => (byte != b'/').then_some(1),
        b'\\' if glob.len() > 1 => (glob[1] == byte).then_some(2),
        b'[' => set(glob, byte),
        literal => (literal == byte).then_some(1),
    }
}

/// `[a-z]`, `[!x]`, `[^x]`; a set without an end is a plain bracket.
fn set(glob: &[u8], byte: u8) -> Option<usize> {
    let negated = matches!(glob.get(1), Some(b'!' | b'^'));
    let first = 1 + usize::from(negated);
    let Some(end) = (first + 1..glob.len()).find(|at| glob[*at] == b']') else {
        return (byte == b'[').then_some(1);
    };
    let (mut at, mut found) = (first, false);
    while at < end {
        if at + 2 < end && glob[at + 1] == b'-' {
            found |= (glob[at]..=glob[at + 2]).contains(&byte);
            at += 3;
        } else {
            found |= glob[at] == byte;
            at += 1;
        }
    }
    (found != negated && byte != b'/').then_some(end + 1)
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
            ("[]x", "[]x", true),
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
    }
}
