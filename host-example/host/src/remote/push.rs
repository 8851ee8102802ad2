//! One atomic step of the remote: these files under these names, everything else as it is.
//!
//! The rules it keeps: each file goes over what it replaces and nothing else; a tip that moved in other paths is no
//! conflict; what the remote holds already makes no commit; an answer that was lost is looked up, never guessed.

use std::collections::BTreeMap;

use super::backoff::Backoff;
use super::entries::{self, Entries};
use super::load::fetch;
use super::{Place, Pushed, commit, words};
use crate::contract::types::{Failed, Failure, Push};
use crate::process::Finished;

/// What a remote says when somebody else was faster.
const MOVED: [&str; 6] =
    ["stale info", "fetch first", "non-fast-forward", "cannot lock ref", "failed to update ref", "incorrect old value"];

pub(super) fn push(place: &Place, push: &Push) -> Result<Pushed, Failed> {
    let blobs = commit::store(place, &push.files)?;
    let names = || push.files.iter().map(|file| file.name.as_str());
    let new: BTreeMap<&str, &str> = names().zip(blobs.iter().map(String::as_str)).collect();
    let mut base = match place.seen() {
        Some(base) => base,
        None => place.commit_of(&place.tracking)?,
    };
    let mut backoff = Backoff::default();
    loop {
        let there = entries::in_commit(place, &base, names())?;
        match fits(push, &new, &there)? {
            Fit::Held => return Ok(Pushed::At(base)),
            Fit::Conflict => return Ok(Pushed::Conflict),
            Fit::Free => {}
        }
        let commit = make(place, &base, &there, &new, &push.message)?;
        match send(place, &base, &commit)? {
            Sent::Taken => {
                place.see(&commit);
                remember(place, &commit);
                return Ok(Pushed::At(commit));
            }
            Sent::Moved(why) => {
                if !backoff.wait() {
                    return Err(why);
                }
                let tip = fetch(place, &|| true)?;
                if tip != base {
                    backoff.moved();
                }
                base = tip;
            }
            Sent::Unknown(why) => {
                // The remote is asked what it has; when it cannot be asked, nothing more is known than that.
                let Ok(tip) = fetch(place, &|| true) else { return Err(why) };
                let there = entries::in_commit(place, &tip, names())?;
                return if matches!(fits(push, &new, &there)?, Fit::Held) { Ok(Pushed::At(tip)) } else { Err(why) };
            }
        }
    }
}

/// The remote's tip, where it holds all of this already, so that nothing has to go out. Nothing is stored here.
pub(super) fn held(place: &Place, push: &Push) -> Result<Option<String>, Failed> {
    let tip = fetch(place, &|| true)?;
    let there = entries::in_commit(place, &tip, push.files.iter().map(|file| file.name.as_str()))?;
    for file in &push.files {
        let named = place.git.read(&["hash-object", "--stdin"], &file.bytes)?;
        let now = entries::file(&there, &file.name)?.map(|entry| entry.oid.as_bytes());
        if now != Some(named.trim_ascii()) {
            return Ok(None);
        }
    }
    Ok(Some(tip))
}

/// How the files stand to what the remote has.
enum Fit {
    /// It holds exactly these.
    Held,
    /// All are what they replace, or hold the new bytes already.
    Free,
    Conflict,
}

fn fits(push: &Push, new: &BTreeMap<&str, &str>, there: &Entries) -> Result<Fit, Failed> {
    let mut held = true;
    for file in &push.files {
        let now = entries::file(there, &file.name)?.map(|entry| entry.oid.as_str());
        if now == new.get(file.name.as_str()).copied() {
            continue;
        }
        held = false;
        if now != file.replaces.as_deref() {
            return Ok(Fit::Conflict);
        }
    }
    Ok(if held { Fit::Held } else { Fit::Free })
}

/// The commit that is to become the remote's tip.
fn make(
    place: &Place,
    base: &str,
    there: &Entries,
    new: &BTreeMap<&str, &str>,
    message: &str,
) -> Result<String, Failed> {
    let parent = if place.with_unpushed { place.head()? } else { base.to_owned() };
    if parent != base && !place.is_ancestor(base, &parent)? {
        let sentence =
            "the remote has commits that this branch has not; pull first, then publish with the unpushed ones";
        return Err(words::failed(Failure::Refused, sentence));
    }
    let tree = commit::tree(place, &parent, there, new)?;
    commit::commit(place, &tree, &parent, message)
}

/// What is known of a push.
enum Sent {
    Taken,
    /// Somebody else was faster; in the remote's words.
    Moved(Failed),
    /// No answer, or none that says what the remote has.
    Unknown(Failed),
}

fn send(place: &Place, base: &str, commit: &str) -> Result<Sent, Failed> {
    let lease = format!("--force-with-lease={}:{base}", place.upstream);
    let refspec = format!("{commit}:{}", place.upstream);
    let arguments =
        ["push", "--porcelain", "--no-follow-tags", "--recurse-submodules=no", &lease, "--", &place.remote, &refspec];
    let ended = match place.git.talk_while(&arguments, &|| true) {
        Ok(ended) => ended,
        Err(fault) => return Ok(Sent::Unknown(Failed::from(fault))),
    };
    judge(&ended)
}

fn judge(ended: &Finished) -> Result<Sent, Failed> {
    if ended.success() {
        return Ok(Sent::Taken);
    }
    let text = String::from_utf8_lossy(&ended.stdout);
    // `flag TAB from:to TAB summary`; a hook of the user's may have written other lines.
    let (answers, others): (Vec<&str>, Vec<&str>) = text.lines().partition(|line| line.matches('\t').count() == 2);
    if let Some(rejected) = answers.iter().find(|line| line.starts_with("!\t")) {
        let summary = rejected.rsplit('\t').next().unwrap_or_default();
        let said = format!("{summary} {}", ended.stderr);
        if MOVED.iter().any(|sign| summary.contains(sign)) {
            return Ok(Sent::Moved(words::refusal(Failure::Refused, &said)));
        }
        if summary.starts_with("[remote rejected]") || summary.starts_with("[rejected]") {
            return Err(words::refusal(Failure::Refused, &said));
        }
        // `[remote failure]`: the remote did not say what became of it.
        return Ok(Sent::Unknown(words::refusal(Failure::Offline, &said)));
    }
    // A hook of the user's ends a push before the remote is told anything.
    let is_declined = ended.status.code() == Some(1) && answers.is_empty();
    let why = words::why_of(&ended.stderr).unwrap_or(if is_declined { Failure::Refused } else { Failure::Offline });
    Ok(Sent::Unknown(words::refusal(why, &format!("{} {}", others.join(" "), ended.stderr))))
}

/// git notes by itself where the remote is, but not in a ref that its settings do not name.
fn remember(place: &Place, commit: &str) {
    if place.commit_of(&place.tracking).is_ok_and(|known| known == commit) {
        return;
    }
    // Best effort: the next fetch says it again.
    place.git.run(&["update-ref", &place.tracking, commit], b"").ok();
}
