//! Whether a checkout of a ledger can be read, as far as git tells.
//!
//! The rule it keeps: nothing that is missing is taken for empty. Whatever kept us from looking is named by its class.

use crate::contract::ledgers::{Checkout, ErrorClass};
use crate::contract::manifests::Tally;

use crate::contract::error::Fault;
use crate::repository::Repository;
use crate::repository::committed;
use crate::sessions::ledger::{self, MANIFEST, SESSIONS, relative_to};
use crate::text::{count_text, quote, shell};

/// What is known of a checkout before its sessions are looked at. What a sparse checkout keeps out has a tally already.
pub(crate) fn checkout(repository: &Repository, paths: &[String]) -> Checkout {
    let mut checkout = empty(paths);
    match committed::commit(repository, "HEAD") {
        Ok(head) => checkout.head = head,
        Err(_) => checkout.failed = Some(ErrorClass::GitFailed),
    }
    checkout.shallow = repository.common_dir.join("shallow").symlink_metadata().is_ok();
    if checkout.head.is_some() {
        let folder = [SESSIONS.to_owned()];
        let paths: &[String] = if paths.is_empty() { &folder } else { paths };
        match is_dirty(repository, paths) {
            Ok(dirty) => checkout.dirty = dirty,
            Err(_) => checkout.failed = Some(ErrorClass::GitFailed),
        }
        match kept_out(repository, paths) {
            Ok(kept_out) => checkout.sessions.extend(kept_out.tally()),
            Err(_) => checkout.failed = Some(ErrorClass::GitFailed),
        }
    }
    checkout
}

/// A checkout that nobody could look at, for this reason; its commit, where it is known.
pub(crate) fn failed(class: ErrorClass, head: Option<String>) -> Checkout {
    Checkout { failed: Some(class), head, ..empty(&[]) }
}

fn empty(paths: &[String]) -> Checkout {
    Checkout { head: None, shallow: false, dirty: false, failed: None, paths: paths.to_vec(), sessions: Vec::new() }
}

/// Whether something that is committed was changed here.
pub(crate) fn is_dirty(repository: &Repository, paths: &[String]) -> Result<bool, Fault> {
    let mut arguments =
        vec!["--literal-pathspecs", "status", "--porcelain", "-z", "--untracked-files=no", "--no-renames", "--"];
    arguments.extend(paths.iter().map(String::as_str));
    Ok(!repository.git.read(&arguments, b"")?.is_empty())
}

/// What a sparse checkout keeps out of the work tree, though the index has it.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct KeptOut {
    files: usize,
    /// Sessions that these files belong to.
    sessions: usize,
    /// A manifest is among them: what else its session has is not known.
    has_manifest: bool,
}

/// What of these paths a sparse checkout keeps out. Git is asked only where the work tree is sparse.
pub(crate) fn kept_out(repository: &Repository, paths: &[String]) -> Result<KeptOut, Fault> {
    if repository.flag("core.sparsecheckout") != Some(true) {
        return Ok(KeptOut::default());
    }
    // Without `--sparse` git names each file, also of folders that a sparse index holds as one entry.
    let mut arguments = vec!["--literal-pathspecs", "ls-files", "-t", "-z", "--"];
    arguments.extend(paths.iter().map(String::as_str));
    Ok(KeptOut::listed(&repository.git.read(&arguments, b"")?))
}

impl KeptOut {
    /// Reads `git ls-files -t -z`, which is sorted: the files of a session follow each other.
    fn listed(listed: &[u8]) -> Self {
        let mut kept_out = Self::default();
        let mut last = None;
        for path in listed.split(|byte| *byte == 0).filter_map(|line| line.strip_prefix(b"S ")) {
            kept_out.files += 1;
            let mut parts = path.splitn(3, |byte| *byte == b'/');
            let (_, Some(session), Some(file)) = (parts.next(), parts.next(), parts.next()) else { continue };
            kept_out.has_manifest |= file == MANIFEST.as_bytes();
            if last != Some(session) {
                kept_out.sessions += 1;
                last = Some(session);
            }
        }
        kept_out
    }

    /// What speaks against completeness; none where nothing is kept out.
    fn tally(&self) -> Option<Tally> {
        let tally = Tally { broken: self.files as u64, unreadable: self.has_manifest, ..unreadable() };
        (self.files > 0).then_some(tally)
    }

    /// Whether a session lacks something, and not only the folder of all sessions.
    pub(crate) fn has_session(&self) -> bool {
        self.sessions > 0
    }

    /// It in one line, for people; none where nothing is kept out.
    pub(crate) fn line(&self) -> Option<String> {
        let files = count_text(self.files, "file");
        let what =
            if self.sessions == 0 { files } else { format!("{} ({files})", count_text(self.sessions, "session")) };
        (self.files > 0).then(|| format!("kept out of the work tree by the sparse checkout: {what}"))
    }
}

/// Why a word stands for no session here.
pub(crate) fn no_session(repository: &Repository, word: &str) -> Fault {
    match session_kept_out(repository, word) {
        Ok(kept_out) => kept_out.unwrap_or_else(|| ledger::no_session(word)),
        Err(fault) => fault,
    }
}

/// Why a word stands for no session here, if git has that session and a sparse checkout keeps it out. A name that a
/// file or a folder here has is that file's.
pub(crate) fn session_kept_out(repository: &Repository, word: &str) -> Result<Option<Fault>, Fault> {
    let (here, top) = (&repository.here, &repository.top);
    if repository.flag("core.sparsecheckout") != Some(true) || here.join(word).symlink_metadata().is_ok() {
        return Ok(None);
    }
    let path = relative_to(&here.join(word), top);
    let Some(session) = meant(word, path.as_deref()) else { return Ok(None) };
    let folder = format!("{SESSIONS}/{session}");
    if !kept_out(repository, std::slice::from_ref(&folder))?.has_session() {
        return Ok(None);
    }
    // Where git takes a folder depends on where it is called.
    let above = here.strip_prefix(top).map_or(0, |below| below.components().count());
    let git = if above == 0 { "git".to_owned() } else { format!("git -C {}", vec![".."; above].join("/")) };
    Ok(Some(Fault::misuse(format!(
        "session {} is kept out of the work tree by the sparse checkout: `{git} sparse-checkout add {}` brings it here",
        quote(session.as_bytes()),
        shell(&folder)
    ))))
}

/// The session that a word means, as a name or as a path to it or into it.
pub(crate) fn meant<'a>(word: &'a str, path: Option<&'a str>) -> Option<&'a str> {
    let name = word.trim_end_matches('/');
    let is_plain = |name: &str| !name.is_empty() && !name.contains('/') && name != "." && name != "..";
    let mut parts = path.unwrap_or_default().split('/');
    match (parts.next(), parts.next()) {
        (Some(SESSIONS), Some(within)) if is_plain(within) => Some(within),
        _ => is_plain(name).then_some(name),
    }
}

/// A session of which nothing is known.
pub(crate) fn unreadable() -> Tally {
    Tally { files: 0, there: 0, required: 0, completed: 0, changed: 0, broken: 1, unreadable: true }
}

#[cfg(test)]
mod tests {
    use super::{KeptOut, meant};

    #[test]
    fn a_word_means_a_session_by_name_or_by_path() {
        for (word, path, session) in [
            ("a", Some("a"), Some("a")),
            ("a/", None, Some("a")),
            ("a", Some("sessions/a"), Some("a")),
            ("sessions/a", Some("sessions/a"), Some("a")),
            ("../sessions/a/x", Some("sessions/a/x"), Some("a")),
            ("..", Some("sessions"), None),
            (".", Some(""), None),
            ("notes/a", Some("notes/a"), None),
            ("/", None, None),
        ] {
            assert_eq!(meant(word, path), session, "{word}");
        }
    }

    #[test]
    fn what_is_kept_out_is_counted_by_sessions() {
        let of = |listed: &str| KeptOut::listed(listed.replace(' ', "\0").replace('_', " ").as_bytes());
        let counted = |files, sessions, has_manifest| KeptOut { files, sessions, has_manifest };
        for (listed, expected, line) in [
            ("", counted(0, 0, false), None),
            ("H_sessions/a/meta.json M_sessions/S_b/x", counted(0, 0, false), None),
            ("S_sessions/.gitignore", counted(1, 0, false), Some("1 file")),
            (
                "H_sessions/a/meta.json S_sessions/a/x S_sessions/a/y/z",
                counted(2, 1, false),
                Some("1 session (2 files)"),
            ),
            (
                "S_sessions/a-b/x S_sessions/a/meta.json S_sessions/a/x",
                counted(3, 2, true),
                Some("2 sessions (3 files)"),
            ),
        ] {
            let kept_out = of(listed);
            assert_eq!(kept_out, expected, "{listed}");
            assert_eq!(kept_out.line().as_deref().and_then(|line| line.split(": ").nth(1)), line, "{listed}");
            assert_eq!(kept_out.tally().map(|tally| tally.broken), line.map(|_| expected.files as u64), "{listed}");
        }
    }
}
