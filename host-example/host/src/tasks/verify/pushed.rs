//! Content that a push would send in full.
//!
//! The rule it keeps: a push sends what git says it sends, ref by ref; what the remote has of it is no news.

use super::report::Seen;
use crate::contract::error::Fault;
use crate::contract::types::Code;
use crate::repository::Repository;
use crate::tasks::client::Client;
use crate::tasks::content_in_git::commits::{self, Committed};

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
    pub fn read(remote: &str, told: &str) -> Result<Self, Fault> {
        let is_id = |word: &str| word.len() >= 40 && word.bytes().all(|digit| digit.is_ascii_hexdigit());
        let is_zero = |id: &str| id.bytes().all(|digit| digit == b'0');
        let mut refs = Vec::new();
        for line in told.lines().filter(|line| !line.trim().is_empty()) {
            // A name has no blanks; the first may be any word of git's for a commit.
            let words: Vec<&str> = line.rsplitn(4, ' ').collect();
            let [there, _, local, _] = words[..] else { return Err(not_a_line()) };
            if !is_id(there) || !is_id(local) {
                return Err(not_a_line());
            }
            if !is_zero(local) {
                let remote = Some(there.to_owned()).filter(|id| !is_zero(id));
                refs.push(PushedRef { local: local.to_owned(), remote });
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
    // One without a name has no refs here: then whatever any remote has is no news.
    let is_named = repository.setting(&format!("remote.{}.url", push.remote)).is_some();
    let remotes = if is_named { format!("--remotes={}", push.remote) } else { "--remotes".to_owned() };
    for one in &push.refs {
        let git = repository.as_it_is();
        // A tag may be of something else.
        let Some(local) = git.commit(&one.local)? else { continue };
        let there = match &one.remote {
            Some(id) => git.commit(id)?,
            None => None,
        };
        let range: Vec<&str> = [local.as_str(), "--not", &remotes].into_iter().chain(there.as_deref()).collect();
        for found in commits::of_range(repository, &mut guest, &range, &local, there.as_deref())? {
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
