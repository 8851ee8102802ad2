//! An asset: its content from the cache, or where it stands in the place of the pointer that git has.
//!
//! The rule it keeps: a pointer says what the content must hash to. Of a file that is none and has none, nothing is
//! shown.

use super::{Content, ShowOptions, Shown, from_cache, from_tree, once, unreadable};
use crate::contract::error::Fault;
use crate::contract::manifests::State;
use crate::contract::types::Blob;
use crate::files::{Glance, names_no_file};
use crate::repository::{Repository, committed};
use crate::sessions::coverage;
use crate::sessions::ledger::Ledger;
use crate::tasks::client::Client;
use crate::text::{quote, shell};
use crate::worktree::pointer_files::{self, Met};
use crate::worktree::scan::POINTER_BYTES_LIMIT;

/// What a sentence calls an asset that somebody changed.
const CHANGED: &str = "the file in the work tree is not what its pointer in git names";

/// What stands at the path of an asset.
enum Standing {
    Pointer(Blob),
    Broken(String),
    Content,
    Nothing,
}

pub(super) fn show(
    client: &Client,
    repository: &Repository,
    ledger: &Ledger,
    options: &ShowOptions,
) -> Result<Shown, Fault> {
    let word = options.target.as_str();
    let shown = quote(word.as_bytes());
    let path = ledger.path_within(word, &repository.here).filter(|path| !path.is_empty());
    let Some(path) = path else {
        return Err(Fault::misuse(format!("{shown} is no session and no file of this work tree")));
    };
    if let Some(fault) = coverage::session_kept_out(repository, word)? {
        return Err(fault);
    }
    if repository.is_of_session(path.as_bytes())? {
        return Err(Fault::misuse(format!("{shown} is no file of a session that is here")));
    }
    let store = repository.cache_to_read()?;
    let standing = standing(client, ledger, &path)?;
    let is_content = matches!(standing, Standing::Content);
    let only_git_has_it = matches!(standing, Standing::Nothing);
    let blob = match standing {
        Standing::Broken(why) => return Ok(unreadable(None, path, State::Malformed, Some(why))),
        Standing::Pointer(blob) => blob,
        Standing::Content | Standing::Nothing => match pointer_in_git(client, repository, &path)? {
            Some(blob) => blob,
            None => return Err(Fault::misuse(format!("{shown} is no session, and no LFS file that git knows"))),
        },
    };
    let opened =
        if is_content { from_tree(ledger, &path, Some(&blob.oid))? } else { from_cache(&store, &blob.oid, blob.size)? };
    Ok(match opened {
        Ok(file) => Shown::Content(Content { file, session: None, name: path, oid: Some(blob.oid), fetched: false }),
        Err(state) if once::is_needed(repository, state) => {
            once::show(client, repository, None, path, blob, state, options)?
        }
        Err(State::NotFetched) => {
            let step = || format!("only git has its pointer; `hydrant hydrate {}` fetches the content", shell(word));
            unreadable(None, path, State::Dehydrated, only_git_has_it.then(step))
        }
        Err(state) => {
            let detail = (state == State::Changed).then(|| CHANGED.to_owned());
            unreadable(None, path, state, detail)
        }
    })
}

fn standing(client: &Client, ledger: &Ledger, path: &str) -> Result<Standing, Fault> {
    let unreadable = |error: &std::io::Error| Fault::local("the file cannot be read", error);
    match ledger.files().glance(path, POINTER_BYTES_LIMIT - 1) {
        Ok(Some(Glance::Whole(bytes))) => judge(client, bytes),
        Ok(Some(Glance::Longer(_))) => Ok(Standing::Content),
        Ok(None) => Ok(Standing::Nothing),
        Err(error) if names_no_file(&error) => Ok(Standing::Nothing),
        Err(error) => Err(unreadable(&error)),
    }
}

fn judge(client: &Client, bytes: Vec<u8>) -> Result<Standing, Fault> {
    Ok(match pointer_files::judge_file(client.engine()?, Vec::new(), bytes)? {
        Some(Met::Pointer(one)) => Standing::Pointer(Blob { oid: one.pointer.oid, size: one.pointer.size }),
        Some(Met::Broken(one)) => Standing::Broken(format!("line {}: {}", one.line, one.why)),
        None => Standing::Content,
    })
}

/// The pointer that the index has at a path, else the one of the last commit.
fn pointer_in_git(client: &Client, repository: &Repository, path: &str) -> Result<Option<Blob>, Fault> {
    for place in ["", "HEAD"] {
        let held = committed::files(repository.as_it_is(), place, &[path])?.pop().flatten();
        let small = held.filter(|bytes| bytes.len() < POINTER_BYTES_LIMIT);
        if let Some(Standing::Pointer(blob)) = small.map(|bytes| judge(client, bytes)).transpose()? {
            return Ok(Some(blob));
        }
    }
    Ok(None)
}
