//! The block in a hook: what it says, and how it comes into a file and out of it.
//!
//! The rules it keeps: it stands before all other lines, because one of those may end the hook; and it leaves what git
//! tells a hook on standard input to them.

use std::borrow::Cow;

use super::report::HookKind;

const BEGIN: &str = "# >>> hydrant >>>";
const KEPT: &str = "# Kept by `hydrant hooks`, which writes it anew.";
const END: &str = "# <<< hydrant <<<";
/// The first line of a hook that is made here.
const SHELL_LINE: &str = "#!/bin/sh\n";
/// Programs that run the lines of a hook as a shell does.
const SHELLS: [&str; 6] = ["sh", "ash", "bash", "dash", "ksh", "zsh"];

const OF_COMMIT: &str = r#"# >>> hydrant >>>
# Kept by `hydrant hooks`, which writes it anew.
if command -v hydrant >/dev/null 2>&1; then
  hydrant_said=$(hydrant verify --staged --offline 2>&1) || {
    printf '%s\n' "$hydrant_said" >&2
    exit 1
  }
else
  echo 'hydrant is not in PATH: this commit was not checked for content in full' >&2
fi
# <<< hydrant <<<
"#;

const OF_PUSH: &str = r#"# >>> hydrant >>>
# Kept by `hydrant hooks`, which writes it anew.
if command -v hydrant >/dev/null 2>&1; then
  hydrant_refs=$(cat)
  hydrant_said=$(printf '%s\n' "$hydrant_refs" | hydrant verify --push "$1" 2>&1) || {
    printf '%s\n' "$hydrant_said" >&2
    exit 1
  }
  # The lines below get what git told this hook.
  if [ -n "$hydrant_refs" ]; then
    exec <<HYDRANT_REFS
$hydrant_refs
HYDRANT_REFS
  else
    exec </dev/null
  fi
else
  echo 'hydrant is not in PATH: this push was not checked for content in full' >&2
fi
# <<< hydrant <<<
"#;

/// Stands in every line that checks, whoever wrote it.
const CHECKS: [&str; 2] = ["hydrant verify --staged", "hydrant verify --push"];

impl HookKind {
    fn block(self) -> &'static str {
        match self {
            Self::Commit => OF_COMMIT,
            Self::Push => OF_PUSH,
        }
    }

    /// The lines for a hook that somebody else keeps: those of the block, without its marks.
    pub(super) fn lines(self) -> String {
        let is_mark = |line: &str| [BEGIN, KEPT, END].contains(&line.trim_end());
        self.block().split_inclusive('\n').filter(|line| !is_mark(line)).collect()
    }

    /// Whether a hook that somebody else keeps has these lines, or others to the same end.
    pub(super) fn is_checked_by(self, text: &[u8]) -> bool {
        let check = match self {
            Self::Commit => CHECKS[0],
            Self::Push => CHECKS[1],
        };
        text.split(|byte| *byte == b'\n').any(|line| {
            let line = String::from_utf8_lossy(line);
            !line.trim_start().starts_with('#') && line.contains(check)
        })
    }
}

/// A hook without our block, and whether that is the one that this program writes.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Split<'a> {
    /// All other lines.
    pub(super) rest: Cow<'a, [u8]>,
    /// None where there is no block.
    pub(super) is_current: Option<bool>,
}

/// Takes our block out. A reason where its marks do not fit together.
pub(super) fn split(kind: HookKind, text: &[u8]) -> Result<Split<'_>, &'static str> {
    let (mut rest, mut blocks) = (Vec::new(), Vec::new());
    let mut open: Option<Vec<u8>> = None;
    for line in text.split_inclusive(|byte| *byte == b'\n') {
        let mark = line.trim_ascii();
        match &mut open {
            None if mark == BEGIN.as_bytes() => open = Some(line.to_vec()),
            None if mark == END.as_bytes() => return Err(BROKEN),
            None => rest.extend_from_slice(line),
            Some(_) if mark == BEGIN.as_bytes() => return Err(BROKEN),
            Some(block) => {
                block.extend_from_slice(line);
                if mark == END.as_bytes() {
                    blocks.extend(open.take());
                }
            }
        }
    }
    if open.is_some() {
        return Err(BROKEN);
    }
    if blocks.is_empty() {
        return Ok(Split { rest: Cow::Borrowed(text), is_current: None });
    }
    let is_current = blocks == [kind.block().as_bytes()];
    Ok(Split { rest: Cow::Owned(rest), is_current: Some(is_current) })
}

const BROKEN: &str = "the marks of hydrant's block in it do not fit together: take the block out by hand";

/// A hook with our block before its other lines.
pub(super) fn join(kind: HookKind, rest: &[u8]) -> Vec<u8> {
    if rest.is_empty() {
        return [SHELL_LINE.as_bytes(), kind.block().as_bytes()].concat();
    }
    let first = if rest.starts_with(b"#!") { line_end(rest) } else { 0 };
    let end: &[u8] = if first > 0 && !rest[..first].ends_with(b"\n") { b"\n" } else { b"" };
    [&rest[..first], end, kind.block().as_bytes(), &rest[first..]].concat()
}

/// Whether nothing of somebody else's is in a hook.
pub(super) fn is_nothing(rest: &[u8]) -> bool {
    rest.trim_ascii().is_empty() || rest == SHELL_LINE.as_bytes()
}

/// Whether a shell runs a hook. git gives one without a first line of this kind to `sh`.
pub(super) fn is_shell(text: &[u8]) -> bool {
    // A program of the machine's own has no first line either.
    if text.contains(&0) {
        return false;
    }
    let Some(line) = text.strip_prefix(b"#!") else { return true };
    let line = String::from_utf8_lossy(&line[..line_end(line)]).into_owned();
    let name = |word: &str| word.rsplit('/').next().unwrap_or_default().to_owned();
    let mut words = line.split_ascii_whitespace().map(name);
    let program = match words.next().as_deref() {
        Some("env") => words.next(),
        other => other.map(str::to_owned),
    };
    program.is_some_and(|program| SHELLS.contains(&program.as_str()))
}

fn line_end(text: &[u8]) -> usize {
    text.iter().position(|byte| *byte == b'\n').map_or(text.len(), |at| at + 1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tasks::hooks::report::HOOK_KINDS;

    #[test]
    fn a_block_comes_and_goes_and_no_other_line_changes() {
        for kind in HOOK_KINDS {
            for text in [
                "#!/bin/sh\necho mine\n",
                "#!/bin/sh\n",
                "#!/usr/bin/env bash\n\nexec other \"$@\"",
                "echo no first line\n",
                "#!/bin/sh",
                "#!/bin/sh\n# >>> other >>>\n# <<< other <<<\n",
                "#!/bin/sh\r\necho mine\r\n",
            ] {
                let joined = join(kind, text.as_bytes());
                let found = split(kind, &joined).expect("marks that fit");
                assert_eq!(found.is_current, Some(true), "{text:?}");
                let rest = found.rest.into_owned();
                assert!(rest == text.as_bytes() || rest == [text.as_bytes(), b"\n"].concat(), "{text:?}: {rest:?}");
                assert_eq!(join(kind, &rest), joined, "twice is once: {text:?}");
                assert_eq!(split(kind, text.as_bytes()).expect("no marks").is_current, None, "{text:?}");
            }
            let made = join(kind, b"");
            assert!(made.starts_with(b"#!/bin/sh\n"));
            assert!(is_nothing(&split(kind, &made).expect("marks that fit").rest));
        }
    }

    #[test]
    fn an_old_block_or_several_are_outdated_and_broken_marks_are_told() {
        let kind = HookKind::Commit;
        let old = format!("#!/bin/sh\n{BEGIN}\nhydrant check\n{END}\nmine\n");
        let found = split(kind, old.as_bytes()).expect("marks that fit");
        assert_eq!((found.is_current, &found.rest[..]), (Some(false), &b"#!/bin/sh\nmine\n"[..]));
        let twice = [OF_COMMIT, "mine\n", OF_COMMIT].concat();
        let found = split(kind, twice.as_bytes()).expect("marks that fit");
        assert_eq!((found.is_current, &found.rest[..]), (Some(false), &b"mine\n"[..]));
        assert_eq!(split(kind, OF_PUSH.as_bytes()).expect("marks that fit").is_current, Some(false), "another hook's");
        for broken in [format!("{BEGIN}\n"), format!("{END}\n"), format!("{BEGIN}\n{BEGIN}\n{END}\n")] {
            assert!(split(kind, broken.as_bytes()).is_err(), "{broken}");
        }
    }

    #[test]
    fn a_hook_of_another_language_is_known() {
        for (text, is_one) in [
            ("#!/bin/sh\n", true),
            ("#!/bin/sh -e\n", true),
            ("#! /usr/bin/env bash\n", true),
            ("#!/usr/bin/env dash", true),
            ("echo\n", true),
            ("", true),
            ("#!/usr/bin/env python3\n", false),
            ("#!/usr/bin/node\n", false),
            ("#!/usr/bin/fish\n", false),
            ("\x7fELF\x02\x01\x01\0\0\n", false),
            ("MZ\0", false),
            ("#!/bin/sh\n\0", false),
            ("#!\n", false),
        ] {
            assert_eq!(is_shell(text.as_bytes()), is_one, "{text:?}");
        }
    }
}
