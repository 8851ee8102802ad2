//! Makes the exact bytes of a push from what was read and proved.
//!
//! Two steps, because refusals come before anything is sent: [`Draft`] is the manifest without new references, checked
//! against the remote's; [`bind`] adds the references, from proofs alone.

use super::plan::Plan;
use crate::journal::{Bound, BoundFile, Kept};
use crate::limits::IN_GIT_BYTES_MAX;
use crate::manifest::{self, Change, Entry, FileRef, Fresh, Manifest, Storage};
use crate::name::{self, MANIFEST, TRANSCRIPT};
use crate::proof::Proof;
use crate::rules::drafts;
use crate::transcript::Entries;
use alloc::borrow::ToOwned as _;
use alloc::string::String;
use alloc::vec::Vec;
use hydrant_lfs::contract::{Ledger, Push, PushFile, Revision};
use hydrant_lfs::git_lfs::pointer;
use hydrant_lfs::order::{SortedMap, SortedSet};
use hydrant_lfs::text::error::{Code, Error, quote};
use hydrant_lfs::text::limits::POINTER_BYTES_MAX;
use hydrant_lfs::text::oid::{Blob, Oid};

/// The three versions of a manifest that a publish knows.
#[derive(Debug, Default)]
pub(super) struct Versions {
    /// In the last local commit.
    pub(super) base: Option<Vec<u8>>,
    /// In the working tree.
    pub(super) ours: Option<Vec<u8>>,
    /// At the remote.
    pub(super) theirs: Option<Vec<u8>>,
}

/// A manifest that lacks only the references of this publish.
#[derive(Debug)]
pub(super) struct Draft {
    pub(super) manifest: Vec<u8>,
    pub(super) fresh_id: bool,
}

impl Draft {
    /// The new manifest, or why this cannot be published.
    pub(super) fn new(
        plan: &Plan,
        versions: &Versions,
        hashed: &[Blob],
        entries: Option<Entries>,
    ) -> Result<Self, Error> {
        let names: Vec<&str> = plan.lfs.iter().map(|file| file.name.as_str()).collect();
        let published = || names.iter().copied().zip(hashed.iter().map(|blob| blob.oid));
        untouched_by_others([versions.base.as_deref(), None], versions.theirs.as_deref(), published())?;
        nothing_unproved(versions, &names)?;
        let existing = versions.ours.as_deref().or(versions.theirs.as_deref());
        substantive(plan, existing, versions.theirs.as_deref(), entries)?;
        let fresh_id = existing.is_none();
        let ours = fields(plan, existing)?;
        let mut manifest = match &versions.theirs {
            Some(theirs) => {
                same_session(theirs, &ours)?;
                manifest::merge(versions.base.as_deref(), theirs, &ours)?
            }
            None => {
                whole(plan, &ours)?;
                ours
            }
        };
        let mut changes = Vec::new();
        if Manifest::parse(&manifest)?.draft {
            changes.extend(drafts::ended());
        }
        if let Some(entries) = entries {
            // From the same bytes as the oid, whatever the manifest said before.
            changes.push(Change::Number("entry_count".to_owned(), entries.count));
        }
        manifest = manifest::edit(&manifest, &changes)?;
        let in_git = plan.in_git.iter().map(|file| (file.name.as_str(), Storage::Git));
        manifest::recordable(&manifest, names.iter().map(|name| (*name, Storage::Lfs)).chain(in_git))?;
        Ok(Self { manifest, fresh_id })
    }

    /// Id of the session.
    pub(super) fn session_id(&self) -> String {
        Manifest::parse(&self.manifest).map_or_else(|_| String::new(), |manifest| manifest.effective_session_id())
    }

    /// The same draft on top of another version of the remote's manifest. `seen`: the user asks for just this publish,
    /// so what the last commit here has of others' was seen, and gives way as in any publish.
    pub(super) fn again(bound: &Bound, ledger: &Ledger, seen: bool) -> Result<Self, Error> {
        let manifest = ledger.files.first();
        let theirs = manifest.and_then(|file| file.bytes.as_deref());
        let committed = manifest.and_then(|file| file.committed.as_deref()).filter(|_| seen);
        in_git_untouched(bound, ledger, seen)?;
        let published = bound.files.iter().filter_map(|file| match &file.kept {
            Kept::Lfs { proof, .. } => Some((file.name.as_str(), proof.blob().oid)),
            Kept::InGit { .. } => None,
        });
        untouched_by_others([bound.base.as_deref(), committed], theirs, published)?;
        let ours = bound.manifest();
        let theirs = match theirs {
            Some(theirs) => theirs,
            None if bound.base.is_none() => ours,
            None => return Err(Error::new(Code::Conflict, "the remote lost the session while it was published")),
        };
        if !bound.fresh_id {
            same_session(theirs, ours)?;
        }
        let count = Manifest::parse(ours)?.entry_count;
        let mut manifest = manifest::merge(bound.base.as_deref(), theirs, ours)?;
        if bound.files.iter().any(|file| file.name == TRANSCRIPT) {
            manifest = manifest::edit(&manifest, &[Change::Number("entry_count".to_owned(), count.unwrap_or(0))])?;
        }
        Ok(Self { manifest, fresh_id: bound.fresh_id })
    }
}

/// What is bound: files in the order of the plan, and the bytes of those that are stored in git.
pub(super) struct Parts {
    pub(super) files: Vec<BoundFile>,
    pub(super) in_git: SortedMap<String, Vec<u8>>,
}

/// Binds proofs to a draft. `ledger` is the remote as the draft saw it. An earlier push of the same proofs may have
/// succeeded; `before` are the blobs that it replaced.
pub(super) fn bind(
    draft: Draft,
    parts: Parts,
    ledger: &Ledger,
    session: &str,
    local: Option<Revision>,
    before: &[Blob],
) -> Result<Bound, Error> {
    let Parts { files, mut in_git } = parts;
    let entries = files.iter().map(|file| {
        let entry = match &file.kept {
            Kept::Lfs { proof, .. } => Entry::Proved(proof.clone()),
            Kept::InGit { size, .. } => Entry::InGit(*size),
        };
        (file.name.clone(), entry)
    });
    let manifest = manifest::record(&draft.manifest, entries.collect())?;
    let read = Manifest::parse(&manifest)?;
    let base = ledger.files.first().and_then(|file| file.bytes.clone());
    let mut superseded = superseded(base.as_deref(), read.files())?;
    superseded.extend(before.iter().filter(|blob| read.files().iter().all(|file| file.oid != Some(blob.oid))));
    let superseded = superseded.into_iter().collect::<SortedSet<Blob>>().into_iter().collect();
    let mut revisions: SortedMap<&str, Option<&Revision>> =
        ledger.files.iter().map(|file| (file.name.as_str(), file.revision.as_ref())).collect();
    let mut push_file = |name: &str, bytes: Vec<u8>| {
        let name = name::path(session, name);
        let replaces = revisions.remove(name.as_str()).flatten().cloned();
        PushFile { name, bytes, replaces }
    };
    let mut push = vec![push_file(MANIFEST, manifest)];
    for file in &files {
        let bytes = match &file.kept {
            Kept::Lfs { proof, .. } => pointer_text(proof),
            Kept::InGit { .. } => in_git.remove(&file.name).unwrap_or_default(),
        };
        push.push(push_file(&file.name, bytes));
    }
    Ok(Bound {
        session_id: read.effective_session_id(),
        fresh_id: draft.fresh_id,
        files,
        local,
        base,
        superseded,
        push: Push { files: push, message: format!("Publish session {session}\n") },
    })
}

/// The pointer of a proved blob. An empty blob gets a real one, too: other readers of ledgers expect it.
pub(super) fn pointer_text(proof: &Proof) -> Vec<u8> {
    pointer::of_ledger(proof.blob()).into_bytes()
}

/// Checks that a file may be stored in git.
pub(super) fn fit_for_git(name: &str, bytes: &[u8]) -> Result<(), Error> {
    if bytes.len() > IN_GIT_BYTES_MAX {
        return Err(Error::new(
            Code::Limit,
            format_args!("{name} has {} bytes, and git carries files of at most {IN_GIT_BYTES_MAX}", bytes.len()),
        ));
    }
    if pointer::pointer_shaped(bytes, bytes.len() as u64) {
        return Err(Error::new(
            Code::Rejected,
            format_args!("{name} looks like a pointer, which is never published as content"),
        ));
    }
    let head = &bytes[..bytes.len().min(POINTER_BYTES_MAX)];
    if pointer::appended_to(head, bytes.len() as u64).is_some() {
        return Err(Error::new(Code::Rejected, format_args!("{name}: {}", pointer::APPENDED)));
    }
    Ok(())
}

/// Blobs that `base` names and `files` do not.
fn superseded(base: Option<&[u8]>, files: &[FileRef]) -> Result<Vec<Blob>, Error> {
    let Some(base) = base else { return Ok(Vec::new()) };
    let named: Vec<Oid> = files.iter().filter_map(|file| file.oid).collect();
    let base = Manifest::parse(base)?;
    let old = base.files().iter().filter_map(|file| Some(Blob { oid: file.oid?, size: file.size }));
    Ok(old.filter(|blob| !named.contains(&blob.oid)).collect::<SortedSet<Blob>>().into_iter().collect())
}

/// The oid of each file of a manifest.
fn oids(manifest: Option<&[u8]>) -> Result<SortedMap<String, Oid>, Error> {
    let Some(manifest) = manifest else { return Ok(SortedMap::default()) };
    let manifest = Manifest::parse(manifest)?;
    Ok(manifest.files().iter().filter_map(|file| Some((file.name.clone(), file.oid?))).collect())
}

/// Checks that nobody else changed a file that is about to be replaced. `known`: manifests that were seen here.
fn untouched_by_others<'a>(
    known: [Option<&[u8]>; 2],
    theirs: Option<&[u8]>,
    published: impl Iterator<Item = (&'a str, Oid)>,
) -> Result<(), Error> {
    let [base, other] = known;
    let (base, other, theirs) = (oids(base)?, oids(other)?, oids(theirs)?);
    for (name, new) in published {
        if let Some(their) = theirs.get(name)
            && *their != new
            && base.get(name) != Some(their)
            && other.get(name) != Some(their)
        {
            return Err(Error::new(Code::Conflict, unseen(&format!("{name} as {their}"))));
        }
    }
    Ok(())
}

/// The same for files that git carries, before anything is bound: `read` has their new bytes in the order of the
/// lookup's documents after the manifest.
pub(super) fn in_git_unseen<'a>(ledger: &Ledger, read: impl Iterator<Item = &'a [u8]>) -> Result<(), Error> {
    for (file, new) in ledger.files.iter().skip(1).zip(read) {
        if file.bytes.is_some() && file.bytes != file.committed && file.bytes.as_deref() != Some(new) {
            return Err(changed_by_others(&file.name));
        }
    }
    Ok(())
}

/// The same after they are bound: the remote must still have what they replace, or what was seen here since.
fn in_git_untouched(bound: &Bound, ledger: &Ledger, seen: bool) -> Result<(), Error> {
    let in_git = bound.files.iter().filter(|file| matches!(file.kept, Kept::InGit { .. })).count();
    let pushed: SortedMap<&str, &PushFile> = bound.push.files.iter().map(|file| (file.name.as_str(), file)).collect();
    for file in ledger.files.iter().skip(1).take(in_git) {
        let Some(push) = pushed.get(file.name.as_str()) else { continue };
        let is_seen = seen && file.bytes == file.committed;
        if file.revision != push.replaces && file.bytes.as_deref() != Some(&push.bytes) && !is_seen {
            return Err(changed_by_others(&file.name));
        }
    }
    Ok(())
}

fn changed_by_others(name: &str) -> Error {
    Error::new(Code::Conflict, unseen(name))
}

fn unseen(what: &str) -> String {
    format!(
        "somebody else published {what}, which this clone has not seen; \
         pull first, then publish the session again with its files"
    )
}

/// Checks that every reference in the local manifest comes from a proof, the last commit or the remote.
fn nothing_unproved(versions: &Versions, published: &[&str]) -> Result<(), Error> {
    let (base, theirs) = (oids(versions.base.as_deref())?, oids(versions.theirs.as_deref())?);
    for (name, oid) in oids(versions.ours.as_deref())? {
        let known = base.get(&name) == Some(&oid) || theirs.get(&name) == Some(&oid);
        if !known && !published.contains(&name.as_str()) {
            return Err(Error::new(
                Code::Conflict,
                format_args!(
                    "the manifest here names {oid} for {name}; the remote does not, and its content is not here"
                ),
            ));
        }
    }
    Ok(())
}

/// Checks that a session which the remote lacks is published as a whole. If it was removed there, its pointers were
/// removed, too, and nothing keeps a blob without a pointer.
fn whole(plan: &Plan, manifest: &[u8]) -> Result<(), Error> {
    let is_published = |name: &str| plan.lfs.iter().chain(&plan.in_git).any(|file| file.name == name);
    match Manifest::parse(manifest)?.files().iter().find(|file| !is_published(&file.name)) {
        None => Ok(()),
        Some(file) => Err(Error::new(
            Code::Conflict,
            format_args!(
                "the remote does not have this session, and {} of the local manifest is not part of this publish; \
                 pull first, then publish the session again with all its files",
                file.name
            ),
        )),
    }
}

/// Checks that the session has a transcript in which something happened.
fn substantive(
    plan: &Plan,
    existing: Option<&[u8]>,
    theirs: Option<&[u8]>,
    entries: Option<Entries>,
) -> Result<(), Error> {
    let empty = |what: String| Err(Error::new(Code::Rejected, what));
    match entries {
        Some(Entries { substantive: true, .. }) => return Ok(()),
        Some(_) => return empty(format!("{TRANSCRIPT} holds no entry of a user, an assistant or a tool")),
        None => {}
    }
    debug_assert!(plan.transcript().is_none(), "a transcript that is published was counted");
    let has_transcript = |manifest: &[u8]| {
        Manifest::parse(manifest)
            .map(|manifest| manifest.files().iter().any(|file| file.name == TRANSCRIPT && file.storage == Storage::Lfs))
    };
    for manifest in [theirs, existing].into_iter().flatten() {
        if has_transcript(manifest)? {
            return Ok(());
        }
    }
    empty(format!("the session has no {TRANSCRIPT}, so there is nothing that happened in it"))
}

/// The manifest with the fields that the user gave, and what became of secrets.
fn fields(plan: &Plan, existing: Option<&[u8]>) -> Result<Vec<u8>, Error> {
    let fresh = Fresh {
        session_name: plan.session.clone(),
        session_id: plan.new_session_id.clone(),
        created_at: plan.created_at.clone(),
        fields: plan.fields.clone(),
    };
    let built = manifest::build(existing, &fresh)?;
    let changes: Vec<Change> = plan
        .fields
        .iter()
        .filter(|(name, value)| !manifest::says(&built, name, value))
        .map(|(name, value)| Change::Text(name.clone(), value.clone()))
        .collect();
    let edited = manifest::edit(&built, &changes)?;
    match &plan.redaction {
        Some(pass) => manifest::add_redaction(&edited, pass),
        None => Ok(edited),
    }
}

/// Checks that both have the same session id: two different sessions are never merged.
fn same_session(theirs: &[u8], ours: &[u8]) -> Result<(), Error> {
    let (theirs, ours) = (Manifest::parse(theirs)?, Manifest::parse(ours)?);
    let (their_id, our_id) = (theirs.effective_session_id(), ours.effective_session_id());
    if their_id == our_id {
        return Ok(());
    }
    Err(Error::new(
        Code::Conflict,
        format_args!("the remote's session of this name is {}, the one here is {}", quote(&their_id), quote(&our_id)),
    ))
}
