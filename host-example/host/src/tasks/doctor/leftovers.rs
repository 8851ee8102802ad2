//! Files of processes that are gone: temporary files, locks, refs, and content that was put aside.

use std::collections::BTreeSet;
use std::fs;
use std::path::PathBuf;

use crate::contract::clock;
use crate::contract::error::Fault;
use crate::documents::manifest_write;
use crate::files::Facts;
use crate::files::atomic::TEMPORARY_END;
use crate::files::digest::OID_DIGITS;
use crate::files::dir::open_file;
use crate::files::lock::try_lock;
use crate::files::platform::is_process_gone;
use crate::remote::BACKUPS;
use crate::repository::Repository;
use crate::store::PruneRule;
use crate::text::{bytes_text, count_text, shell};
use crate::worktree::{in_place, swap};

use super::finding::{Cure, Finding, FindingKind, Next};
use super::patient::{Adopted, FIX, Patient};

/// Beginnings of the names of our temporary files in the work tree; the number of their process follows.
const TEMPORARIES: [&str; 4] = [swap::TEMPORARY, ".hydrant-settle-", manifest_write::TEMPORARY, in_place::TEMPORARY];
/// All of them, as git matches paths.
const TEMPORARY_PATHS: &str = ":(top,glob)**/.hydrant-*.tmp";
/// Downloads that stopped, named at most.
const STALLED_NAMED_MAX: usize = 3;

pub(super) fn look(patient: &Patient<'_>, findings: &mut Vec<Finding>) -> Result<(), Fault> {
    kept(patient, findings)?;
    displaced(patient, findings);
    temporaries(patient, findings)?;
    cache(patient, findings)?;
    stalled(patient, findings)?;
    if let Some((lock, _)) = stale_index_lock(patient.repository)? {
        findings.push(
            Finding::new(
                FindingKind::IndexLock,
                "git's index is locked by a process of ours that is gone",
                Next::run(FIX, &[]).told_of(format!("{FIX}, or the next publish, takes the lock away")),
                Cure::Unlock,
            )
            .at(lock.file_name().map_or_else(String::new, |name| name.to_string_lossy().into_owned())),
        );
    }
    backups(patient, findings)
}

fn kept(patient: &Patient<'_>, findings: &mut Vec<Finding>) -> Result<(), Fault> {
    let folder = patient.repository.store_dir();
    for kept in patient.store.kept()? {
        let when = fs::symlink_metadata(folder.join(&kept.path)).and_then(|facts| facts.modified()).ok();
        let when = when.map(clock::rfc3339);
        let detail = format!(
            "content that changed after its pointer took its place, or whose process died: {}, last written {}",
            bytes_text(kept.size),
            when.as_deref().unwrap_or("at an unknown time"),
        );
        let place = format!("\"$(git rev-parse --git-common-dir)\"/hydrant/{}", shell(&kept.path));
        let how = origin_of(&kept.name).map(|origin| how_to_use(patient, origin, &place)).unwrap_or_default();
        let told = format!("look at it with: less {place}; {how}when you have what you need: rm {place}");
        let finding = Finding::new(FindingKind::KeptContent, detail, Next::told(told), Cure::Yours);
        findings.push(finding.at(format!("hydrant/{}", kept.path)));
    }
    Ok(())
}

/// What a kept file was: a session's blob, `<session>-<oid>-<n>`, or an asset's, `<oid>-<n>`. Others have other names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Origin<'a> {
    session: Option<&'a str>,
    oid: &'a str,
}

fn origin_of(kept: &str) -> Option<Origin<'_>> {
    let (blob, number) = kept.rsplit_once('-')?;
    let (session, oid) = blob.rsplit_once('-').map_or((None, blob), |(session, oid)| (Some(session), oid));
    let is_one = !number.is_empty()
        && number.bytes().all(|byte| byte.is_ascii_digit())
        && oid.len() == OID_DIGITS
        && oid.bytes().all(|byte| byte.is_ascii_hexdigit());
    is_one.then_some(Origin { session, oid })
}

/// How a kept file becomes content again. What it is called is the manifest's to tell, while that still names the blob.
/// What has no manifest is an asset, and git's alone.
fn how_to_use(patient: &Patient<'_>, Origin { session, oid }: Origin<'_>, place: &str) -> String {
    let has_manifest = |session: &&str| patient.ledger.manifest_if_any(session).is_ok_and(|text| text.is_some());
    let Some(session) = session.filter(has_manifest) else {
        return format!("to use it: cp {place} FILE; ");
    };
    let named = || {
        let manifest = patient.client.guest().ok()?.manifest_read(&patient.ledger.manifest_text(session).ok()?).ok()?;
        manifest.files.into_iter().find(|file| file.oid.as_deref() == Some(oid)).map(|file| file.name)
    };
    let name = named().map_or_else(|| "NAME".to_owned(), |name| shell(&name));
    let session = shell(session);
    format!("to publish it: cp {place} DIR/{name}, then hydrant regenerate {session} --from DIR; ")
}

/// Content on its way out. While a swap is running elsewhere its name is there as well, for an instant.
fn displaced(patient: &Patient<'_>, findings: &mut Vec<Finding>) {
    let Ok(entries) = fs::read_dir(patient.repository.store_dir().join("displaced")) else { return };
    for entry in entries.flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        // `<oid>.<inode>.<bytes>.<modified>.<session>`; a copy that is not whole has another name.
        let Some(session) = name.splitn(5, '.').nth(4) else { continue };
        let told = format!("{FIX}, or the next publish that swaps, takes it into the cache");
        let next = Next::run(FIX, &[]).told_of(told);
        let detail = "content was on its way out of the work tree when the process died; nothing of it is lost";
        findings.push(
            Finding::new(FindingKind::DisplacedContent, detail, next, Cure::TakeIn(session.to_owned()))
                .at(format!("hydrant/displaced/{name}")),
        );
    }
}

/// Temporary files of ours, wherever in the work tree they lie: git, which knows what is another repository, lists
/// them.
fn temporaries(patient: &Patient<'_>, findings: &mut Vec<Finding>) -> Result<(), Fault> {
    let repository = patient.repository;
    let asked = ["ls-files", "-z", "--full-name", "--cached", "--others", "--", TEMPORARY_PATHS];
    let listed = repository.as_it_is().read(&asked, b"")?;
    // A path in conflict has several entries.
    let paths: BTreeSet<&[u8]> = listed.split(|byte| *byte == 0).collect();
    for path in paths.into_iter().filter_map(|path| std::str::from_utf8(path).ok()) {
        let is_file = || repository.top.join(path).symlink_metadata().is_ok_and(|facts| facts.is_file());
        if is_of_dead(path.rsplit('/').next().unwrap_or(path)) && is_file() {
            let detail = "a temporary file of a process that is gone";
            let told = format!("{FIX} moves it to hydrant/kept in git's folder; one of our pointers is removed");
            let next = Next::run(FIX, &[]).told_of(told);
            let cure = Cure::PutAside(path.to_owned());
            findings.push(Finding::new(FindingKind::Leftover, detail, next, cure).at(path));
        }
    }
    Ok(())
}

/// Whether a name is one of our temporary files whose process is gone.
fn is_of_dead(name: &str) -> bool {
    let Some(rest) = TEMPORARIES.iter().find_map(|start| name.strip_prefix(start)) else { return false };
    let number = rest.strip_suffix(TEMPORARY_END).and_then(|rest| rest.split_once('-')).map(|(number, _)| number);
    number.and_then(|number| number.parse().ok()).is_some_and(is_process_gone)
}

fn cache(patient: &Patient<'_>, findings: &mut Vec<Finding>) -> Result<(), Fault> {
    let removed = patient.store.prune(PruneRule::default(), false)?;
    if removed.leftovers > 0 {
        let files = count_text(usize::try_from(removed.leftovers).unwrap_or(usize::MAX), "file");
        let detail = format!(
            "the cache holds {files} of unfinished downloads that nobody went on with, {}",
            bytes_text(removed.leftover_bytes)
        );
        let next = Next::run("hydrant cache prune --yes", &[]);
        findings.push(Finding::new(FindingKind::CacheLeftovers, detail, next, Cure::Prune));
    }
    Ok(())
}

/// Downloads that do not get on.
fn stalled(patient: &Patient<'_>, findings: &mut Vec<Finding>) -> Result<(), Fault> {
    let stalled = patient.store.stalled().map_err(|error| Fault::local("the cache cannot be read", &error))?;
    let Some(first) = stalled.first() else { return Ok(()) };
    let (count, bytes) = (stalled.len(), stalled.iter().map(|one| one.bytes).sum());
    let names: Vec<&str> = stalled.iter().take(STALLED_NAMED_MAX).map(|one| one.oid.as_str()).collect();
    let more = if count > STALLED_NAMED_MAX { ", …" } else { "" };
    let detail = format!(
        "{} stopped in the middle, and nobody went on since {}: {} of {}{more}",
        count_text(count, "download"),
        clock::rfc3339(first.moved),
        bytes_text(bytes),
        names.join(", "),
    );
    let told = format!("hydrant hydrate goes on; where it stops at the same byte again, {FIX} begins anew");
    let oids = stalled.into_iter().map(|one| one.oid).collect();
    let next = Next::run("hydrant hydrate", &[]).told_of(told);
    findings.push(Finding::new(FindingKind::StalledDownload, detail, next, Cure::Forget(oids)));
    Ok(())
}

/// `index.lock` and the file of ours that it is a second name of, when nobody holds that.
pub(super) fn stale_index_lock(repository: &Repository) -> Result<Option<(PathBuf, fs::File)>, Fault> {
    let git_dir = repository.git_dir()?;
    let lock = git_dir.join("index.lock");
    let (Ok(there), Ok(ours)) = (open_file(&lock), open_file(&git_dir.join("hydrant/settle.lock"))) else {
        return Ok(None);
    };
    let both = (Facts::of(&there), Facts::of(&ours));
    let is_ours = matches!(both, (Ok(there), Ok(own)) if there.identity == own.identity);
    let free = is_ours && try_lock(&ours).unwrap_or(false);
    // Let go of with the file: a caller that acts keeps it.
    Ok(free.then_some((lock, ours)))
}

fn backups(patient: &Patient<'_>, findings: &mut Vec<Finding>) -> Result<(), Fault> {
    let format = "--format=%(refname) %(objectname)";
    let listed = patient.repository.git.read(&["for-each-ref", format, BACKUPS], b"")?;
    for line in String::from_utf8_lossy(&listed).lines() {
        let Some((name, commit)) = line.split_once(' ') else { continue };
        let short = commit.get(..12).unwrap_or(commit);
        let detail = format!("a rewrite replaced commit {short}, which is kept under this name");
        let shown = shell(name);
        let told =
            format!("look at it with: git log {shown}; when nobody needs it: git update-ref -d {shown} {commit}");
        findings.push(Finding::new(FindingKind::BackupRef, detail, Next::told(told), Cure::Yours).at(name));
    }
    Ok(())
}

/// Files that gave way to pointers.
pub(super) fn adopted(repository: &Repository) -> Adopted {
    let entries = fs::read_dir(repository.store_dir().join("adopted")).into_iter().flatten().flatten();
    entries.fold(Adopted::default(), |adopted, entry| Adopted {
        files: adopted.files + 1,
        bytes: adopted.bytes.saturating_add(entry.metadata().map_or(0, |facts| facts.len())),
    })
}

#[cfg(test)]
mod tests {
    use super::{Origin, is_of_dead, origin_of};

    #[test]
    fn a_kept_file_tells_its_session() {
        let oid = "0a".repeat(32);
        let (of_session, of_asset) = (format!("a-b-{oid}-12"), format!("{oid}-1"));
        assert_eq!(origin_of(&of_session), Some(Origin { session: Some("a-b"), oid: &oid }));
        assert_eq!(origin_of(&of_asset), Some(Origin { session: None, oid: &oid }));
        for name in ["left-raw.jsonl-0", "a-0a-1", "", &format!("a-{oid}-x"), &format!("{oid}-"), &oid] {
            assert_eq!(origin_of(name), None, "{name}");
        }
    }

    #[test]
    fn only_files_of_ours_whose_process_is_gone() {
        assert!(!is_of_dead(&format!(".hydrant-swap-{}-0.tmp", std::process::id())));
        for name in ["raw.jsonl", ".hydrant-swap-x-0.tmp", ".hydrant-swap-1", ".hydrant-meta-0-0.tmp"] {
            assert!(!is_of_dead(name), "{name}");
        }
        // Above every number that a system gives.
        for name in
            [".hydrant-settle-2147483600-12.tmp", ".hydrant-swap-2147483600-back.tmp", ".hydrant-2147483600-0.tmp"]
        {
            assert!(is_of_dead(name), "{name}");
        }
    }
}
