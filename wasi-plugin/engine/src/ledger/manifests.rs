//! The interface `manifests`.

use crate::Engine;
use crate::convert;
use crate::exports::hydrant::lfs::{manifests as wit, types};
use hydrant_ledger::manifest::{self, Change, FileRef, Manifest, Storage};
use hydrant_ledger::name;
use hydrant_ledger::status::{self, Fact, Hydration, Place, State};
use hydrant_lfs::{Blob, Code, Error};

impl wit::Guest for Engine {
    fn read(text: Vec<u8>) -> Result<wit::Manifest, types::LfsError> {
        let it = Manifest::parse(&text).map_err(convert::error)?;
        let effective_session_id = it.effective_session_id();
        let files = it.files().iter().map(|file| wit::FileRef {
            name: file.name.clone(),
            storage: match file.storage {
                Storage::Lfs => wit::FileStorage::Lfs,
                Storage::Git => wit::FileStorage::Git,
                Storage::Unknown => wit::FileStorage::Unknown,
            },
            oid: file.oid.map(|oid| oid.to_string()),
            size: file.size,
            flaw: file.flaw.clone().map(convert::error),
        });
        Ok(wit::Manifest {
            files: files.collect(),
            effective_session_id,
            session_name: it.session_name,
            session_id: it.session_id,
            repo_id: it.repo_id,
            title: it.title,
            agent_type: it.agent_type,
            created_at: it.created_at,
            entry_count: it.entry_count,
            draft: it.draft,
        })
    }

    fn edit(text: Vec<u8>, changes: Vec<wit::Change>) -> Result<Vec<u8>, types::LfsError> {
        let change = |change| match change {
            wit::Change::Text((name, value)) => Change::Text(name, value),
            wit::Change::Number((name, value)) => Change::Number(name, value),
            wit::Change::Clear(name) => Change::Clear(name),
        };
        let changes: Vec<Change> = changes.into_iter().map(change).collect();
        manifest::edit(&text, &changes).map_err(convert::error)
    }

    fn merge(base: Option<Vec<u8>>, theirs: Vec<u8>, ours: Vec<u8>) -> Result<Vec<u8>, types::LfsError> {
        manifest::merge(base.as_deref(), &theirs, &ours).map_err(convert::error)
    }

    fn derive_session_id(repo_id: String, session_name: String) -> String {
        manifest::derive_session_id(&repo_id, &session_name)
    }

    fn leak(text: String) -> Option<String> {
        manifest::leak(&text).map(str::to_owned)
    }

    fn name_flaw(it: String) -> Option<String> {
        name::flaw(&it).map(str::to_owned)
    }

    fn status(
        files: Vec<wit::FileRef>,
        facts: Vec<wit::Fact>,
        object_bytes_max: u64,
    ) -> Result<wit::SessionStatus, types::LfsError> {
        let files = files.into_iter().map(file_ref).collect::<Result<Vec<FileRef>, _>>()?;
        let facts = facts.into_iter().map(fact).collect::<Result<Vec<Fact>, _>>()?;
        let it = status::status(&files, &facts, object_bytes_max);
        let hydration = match it.hydration {
            Hydration::Hydrated => wit::Hydration::Hydrated,
            Hydration::Partial => wit::Hydration::Partial,
            Hydration::Dehydrated => wit::Hydration::Dehydrated,
        };
        let file = |it: status::FileState| wit::FileState { name: it.name, state: state(it.state), detail: it.detail };
        Ok(wit::SessionStatus { hydration, files: it.files.into_iter().map(file).collect(), tally: tally(it.tally) })
    }
}

fn tally(it: status::Tally) -> wit::Tally {
    wit::Tally {
        files: it.files,
        there: it.there,
        required: it.required,
        completed: it.completed,
        changed: it.changed,
        broken: it.broken,
        unreadable: it.unreadable,
    }
}

fn file_ref(it: wit::FileRef) -> Result<FileRef, types::LfsError> {
    let is_whole = match it.storage {
        wit::FileStorage::Lfs => it.oid.is_some(),
        wit::FileStorage::Git => it.oid.is_none(),
        wit::FileStorage::Unknown => false,
    };
    if !is_whole && it.flaw.is_none() {
        return Err(convert::error(Error::new(Code::Malformed, "a file is not as `read` tells files")));
    }
    Ok(FileRef {
        name: it.name,
        storage: match it.storage {
            wit::FileStorage::Lfs => Storage::Lfs,
            wit::FileStorage::Git => Storage::Git,
            wit::FileStorage::Unknown => Storage::Unknown,
        },
        oid: it.oid.map(|oid| convert::oid(&oid)).transpose()?,
        size: it.size,
        flaw: it.flaw.map(convert::error_in),
    })
}

fn fact(it: wit::Fact) -> Result<Fact, types::LfsError> {
    let place = match it.place {
        wit::Place::Absent => Place::Absent,
        wit::Place::Content(size) => Place::Content(size),
        wit::Place::Small(bytes) => Place::of_small(&bytes),
        wit::Place::Pointer(pointed) => {
            let oid = convert::oid(&pointed.oid).map_err(|_| {
                convert::error(Error::new(
                    Code::Malformed,
                    "a fact names an oid that is not 64 lower-case hexadecimal digits",
                ))
            })?;
            Place::Pointer(Blob { oid, size: pointed.size })
        }
        wit::Place::Malformed => Place::Malformed,
        wit::Place::Unreadable => Place::Unreadable,
    };
    Ok(Fact { name: it.name, place, cached: it.cached })
}

fn state(state: State) -> wit::State {
    match state {
        State::Cached => wit::State::Cached,
        State::InPlace => wit::State::InPlace,
        State::Changed => wit::State::Changed,
        State::Dehydrated => wit::State::Dehydrated,
        State::NotFetched => wit::State::NotFetched,
        State::Missing => wit::State::Missing,
        State::Corrupt => wit::State::Corrupt,
        State::TooLarge => wit::State::TooLarge,
        State::Conflict => wit::State::Conflict,
        State::Malformed => wit::State::Malformed,
        State::Unusable => wit::State::Unusable,
    }
}
