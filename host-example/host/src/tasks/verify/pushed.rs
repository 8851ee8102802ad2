//! Content that a push would send in full.
//!
//! The rule it keeps: a push sends what git says it sends, ref by ref; what any remote has of it is no news.

use std::collections::BTreeSet;

use super::report::Seen;
use crate::contract::error::Fault;
use crate::contract::types::Code;
use crate::engine::Guest;
use crate::git::objects::Header;
use crate::repository::Repository;
use crate::tasks::client::Client;
use crate::tasks::content_in_git::commits::{self, Committed};
use crate::worktree::scan::POINTER_BYTES_LIMIT;

/// What is said of content in a tree that has no commit, and how it is taken out.
const IN_TREE: &str = "a tag is of a tree, without a commit, that holds content in full; `git tag -d` removes such a \
                       tag, and one of a commit with the pointer may be pushed";

/// What a push is about to do.
#[derive(Clone, Debug, Default)]
pub struct Push {
    /// The remote, by name or address.
    pub remote: String,
    /// What it updates there. None: the current commit, for whoever asks without a hook.
    pub refs: Vec<PushedRef>,
}

/// One ref that is updated.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PushedRef {
    /// What it becomes: an id in git.
    pub local: String,
    /// What it is at the remote; none where it is new.
    pub remote: Option<String>,
}

impl Push {
    /// Reads what git tells its pre-push hook, a line for each ref: `NAME ID NAME-THERE ID-THERE`. What is only removed
    /// sends nothing.
    pub fn read(remote: &str, told: &[u8]) -> Result<Self, Fault> {
        // Names need not be text.
        let id = |word: &[u8]| {
            let id = std::str::from_utf8(word.trim_ascii_end()).ok()?;
            (id.len() >= 40 && id.bytes().all(|digit| digit.is_ascii_hexdigit())).then(|| id.to_owned())
        };
        let is_zero = |id: &str| id.bytes().all(|digit| digit == b'0');
        let mut refs = Vec::new();
        for line in told.split(|byte| *byte == b'\n').filter(|line| !line.trim_ascii().is_empty()) {
            // A name has no blanks; the first may be any word of git's for a commit.
            let words: Vec<&[u8]> = line.rsplitn(4, |byte| *byte == b' ').collect();
            let [there, _, local, _] = words[..] else { return Err(not_a_line()) };
            let (Some(there), Some(local)) = (id(there), id(local)) else { return Err(not_a_line()) };
            if !is_zero(&local) {
                refs.push(PushedRef { local, remote: Some(there).filter(|id| !is_zero(id)) });
            }
        }
        Ok(Self { remote: remote.to_owned(), refs })
    }
}

fn not_a_line() -> Fault {
    Fault::misuse("standard input is not what git tells a pre-push hook: NAME ID NAME-THERE ID-THERE")
}

pub(super) fn look(client: &Client, repository: &Repository, push: &Push) -> Result<Seen, Fault> {
    let mut guest = client.guest()?;
    let mut seen = Seen::default();
    let git = repository.as_it_is();
    let mut looked_at = BTreeSet::new();
    for one in &push.refs {
        let there = match &one.remote {
            Some(id) => git.commit(id)?,
            None => None,
        };
        let Some(local) = git.commit(&one.local)? else {
            if looked_at.insert((one.local.clone(), there.clone())) {
                without_commit(repository, &mut guest, &one.local, there.as_deref(), &mut seen)?;
            }
            continue;
        };
        // Many tags may be of one commit.
        if !looked_at.insert((local.clone(), there.clone())) {
            continue;
        }
        let unknown = &mut seen.in_full_unknown;
        for found in commits::pushed(repository, &mut guest, &local, there.as_deref(), unknown)? {
            let Committed { file, .. } = &found;
            let detail = format!("{}; {}", found.place(), found.cure());
            seen.find(&file.path, &file.oid, Code::Conflict, detail);
        }
    }
    // The same content may go to several refs.
    seen.findings.sort_by(|one, other| (&one.name, &one.detail).cmp(&(&other.name, &other.detail)));
    seen.findings.dedup_by(|one, other| (&one.name, &one.detail) == (&other.name, &other.detail));
    Ok(seen)
}

/// A tag may be of a tree, or of a single file.
fn without_commit(
    repository: &Repository,
    guest: &mut Guest,
    id: &str,
    older: Option<&str>,
    seen: &mut Seen,
) -> Result<(), Fault> {
    let peeled = repository.as_it_is().info(&[format!("{id}^{{}}")])?.pop().flatten();
    match peeled {
        Some(Header { git_oid, kind: "tree", .. }) => {
            for file in commits::pushed_tree(repository, guest, &git_oid, older, &mut seen.in_full_unknown)? {
                seen.find(&file.path, &file.oid, Code::Conflict, IN_TREE);
            }
        }
        Some(header) if header.is_blob() && header.size >= POINTER_BYTES_LIMIT as u64 => {
            let why = format!(
                "a tag is of a file of {} bytes, and without its path nothing says whether a pointer belongs there; \
                 `git tag -d` removes such a tag",
                header.size
            );
            seen.in_full_unknown.get_or_insert_with(|| commits::unknown_because(&why));
        }
        _ => {}
    }
    Ok(())
}
