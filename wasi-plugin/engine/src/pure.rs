//! The interfaces that hold plain functions: `pointers`, `batches`, `endpoints`, `manifests`.

use crate::Engine;
use crate::convert;
use crate::exports::hydrant::lfs::{batches, endpoints, manifests, pointers, types};
use hydrant_core::batch::{self, Action, Object, Question, RefusedKind, Verdict};
use hydrant_core::contract::Head;
use hydrant_core::endpoint::{self, Setting};
use hydrant_core::error::{Code, Error};
use hydrant_core::manifest::{self, Change, FileRef, Manifest, Storage};
use hydrant_core::oid::Blob;
use hydrant_core::pointer::{self, Extension, Finding, Flaw, Kind};
use hydrant_core::status::{self, Fact, Hydration, Place, State};
use hydrant_core::{name, retry};

/// The flaws of the core and of WIT, in the order both declare them.
const POINTER_FLAWS: [pointers::Flaw; 13] = [
    pointers::Flaw::NoMarker,
    pointers::Flaw::TooLarge,
    pointers::Flaw::MissingVersion,
    pointers::Flaw::BadLine,
    pointers::Flaw::ExtraLine,
    pointers::Flaw::UnexpectedKey,
    pointers::Flaw::BadVersion,
    pointers::Flaw::MissingOid,
    pointers::Flaw::BadOid,
    pointers::Flaw::BadOidType,
    pointers::Flaw::MissingSize,
    pointers::Flaw::BadSize,
    pointers::Flaw::DuplicatePriority,
];

fn finding(finding: Finding) -> pointers::Finding {
    let at = Flaw::ALL.iter().position(|flaw| *flaw == finding.flaw).expect("ALL lists every flaw");
    pointers::Finding { flaw: POINTER_FLAWS[at], line: finding.line }
}

fn kind(sample: &pointers::Sample) -> pointers::Kind {
    match pointer::classify(&sample.head, sample.file_size) {
        Kind::Pointer(it) => pointers::Kind::Pointer(pointers::Pointer {
            oid: it.blob.oid.to_string(),
            size: it.blob.size,
            extensions: it
                .extensions
                .into_iter()
                .map(|it| pointers::Extension { priority: it.priority, name: it.name, oid: it.oid.to_string() })
                .collect(),
            canonical: it.canonical,
        }),
        Kind::Content(it) => pointers::Kind::Content(finding(it)),
        Kind::Malformed(it) => pointers::Kind::Malformed(finding(it)),
    }
}

impl pointers::Guest for Engine {
    fn classify(file: pointers::Sample) -> pointers::Kind {
        kind(&file)
    }

    fn classify_many(files: Vec<pointers::Sample>) -> Vec<pointers::Kind> {
        files.iter().map(kind).collect()
    }

    fn pointer_shaped(file: pointers::Sample) -> bool {
        pointer::pointer_shaped(&file.head, file.file_size)
    }

    fn appended_to(file: pointers::Sample) -> Option<u64> {
        pointer::appended_to(&file.head, file.file_size).map(|bytes| bytes as u64)
    }

    fn explain(it: pointers::Finding) -> String {
        let at = POINTER_FLAWS.iter().position(|flaw| *flaw == it.flaw).expect("the table lists every flaw");
        Finding { flaw: Flaw::ALL[at], line: it.line }.explain()
    }

    fn format(it: pointers::Pointer) -> Result<String, types::Error> {
        let mut extensions = Vec::new();
        for extension in it.extensions {
            extensions.push(Extension {
                priority: extension.priority,
                name: extension.name,
                oid: convert::oid(&extension.oid)?,
            });
        }
        let blob = Blob { oid: convert::oid(&it.oid)?, size: it.size };
        pointer::format(blob, &extensions).map_err(convert::error)
    }
}

fn question(it: &batches::Question) -> Result<Question, types::Error> {
    Ok(Question {
        direction: convert::direction(it.direction),
        reference: it.reference.clone(),
        transfers: it.transfers.clone(),
        objects: it.objects.iter().map(convert::blob_in).collect::<Result<_, _>>()?,
    })
}

fn action(it: Action) -> batches::Action {
    batches::Action { href: it.href, headers: convert::headers_out(it.headers), expires_at: it.expires_at }
}

pub(crate) fn object(it: Object) -> batches::Object {
    let verdict = match it.verdict {
        Verdict::Present => batches::Verdict::Present,
        Verdict::Download(it) => batches::Verdict::Download(action(it)),
        Verdict::Upload(upload, verify) => {
            batches::Verdict::Upload(batches::Offer { upload: action(upload), verify: verify.map(action) })
        }
        Verdict::Expired => batches::Verdict::Expired,
        Verdict::Refused(it) => batches::Verdict::Refused(batches::Refusal {
            status: it.status,
            message: it.message,
            retryable: it.retryable,
        }),
        Verdict::Broken(flaw) => batches::Verdict::Broken(match flaw {
            batch::Flaw::NoAction => batches::Flaw::NoAction,
            batch::Flaw::MissingFromResponse => batches::Flaw::MissingFromResponse,
            batch::Flaw::Duplicate => batches::Flaw::Duplicate,
            batch::Flaw::SizeMismatch => batches::Flaw::SizeMismatch,
            batch::Flaw::BadHref => batches::Flaw::BadHref,
            batch::Flaw::BadHeader => batches::Flaw::BadHeader,
        }),
    };
    batches::Object { oid: it.oid.to_string(), authenticated: it.authenticated, verdict }
}

fn refused_kind(kind: RefusedKind) -> batches::RefusedKind {
    match kind {
        RefusedKind::Login => batches::RefusedKind::Login,
        RefusedKind::Forbidden => batches::RefusedKind::Forbidden,
        RefusedKind::NotFound => batches::RefusedKind::NotFound,
        RefusedKind::NotAcceptable => batches::RefusedKind::NotAcceptable,
        RefusedKind::Conflict => batches::RefusedKind::Conflict,
        RefusedKind::Gone => batches::RefusedKind::Gone,
        RefusedKind::TooLarge => batches::RefusedKind::TooLarge,
        RefusedKind::Validation => batches::RefusedKind::Validation,
        RefusedKind::RateLimited => batches::RefusedKind::RateLimited,
        RefusedKind::Server => batches::RefusedKind::Server,
        RefusedKind::NotImplemented => batches::RefusedKind::NotImplemented,
        RefusedKind::InsufficientStorage => batches::RefusedKind::InsufficientStorage,
        RefusedKind::BandwidthExceeded => batches::RefusedKind::BandwidthExceeded,
        RefusedKind::Client => batches::RefusedKind::Client,
        RefusedKind::BadContentType => batches::RefusedKind::BadContentType,
        RefusedKind::BadJson => batches::RefusedKind::BadJson,
        RefusedKind::UnexpectedStatus => batches::RefusedKind::UnexpectedStatus,
        RefusedKind::UnsupportedTransfer => batches::RefusedKind::UnsupportedTransfer,
        RefusedKind::UnsupportedHashAlgo => batches::RefusedKind::UnsupportedHashAlgo,
    }
}

impl batches::Guest for Engine {
    fn ask(it: batches::Question) -> Result<Option<types::Request>, types::Error> {
        let request = batch::request(&it.endpoint, &question(&it)?).map_err(convert::error)?;
        Ok(request.map(convert::request))
    }

    fn read(it: batches::Question, answer: batches::Answer) -> Result<batches::Answered, batches::Refused> {
        // An oid that is none can only be left out of every answer.
        let objects = it.objects.iter().filter_map(|blob| convert::blob_in(blob).ok()).collect();
        let question = Question {
            direction: convert::direction(it.direction),
            reference: it.reference,
            transfers: it.transfers,
            objects,
        };
        let head = Head { status: answer.status, headers: convert::headers_in(answer.headers) };
        match batch::read(&question, &head, &answer.body, answer.asked_at, answer.now) {
            Ok(it) => Ok(batches::Answered {
                transfer: it.transfer,
                objects: it.objects.into_iter().map(object).collect(),
                unknown: it.unknown,
            }),
            Err(it) => Err(batches::Refused {
                kind: refused_kind(it.kind),
                status: it.status,
                message: it.message,
                request_id: it.request_id,
                documentation_url: it.documentation_url,
                schemes: it.schemes,
                realm: it.realm,
                retry_after: it.retry_after,
            }),
        }
    }

    fn verify(blob: types::Blob, it: batches::Action) -> Result<types::Request, types::Error> {
        let action = Action { href: it.href, headers: convert::headers_in(it.headers), expires_at: it.expires_at };
        let request = batch::verify_request(convert::blob_in(&blob)?, &action).map_err(convert::error)?;
        Ok(convert::request(request))
    }

    fn retry_after(value: String, now: u64) -> Option<u64> {
        retry::retry_after(&value, now)
    }
}

impl endpoints::Guest for Engine {
    fn derive(
        settings: Vec<endpoints::Setting>,
        direction: types::Direction,
        remote: String,
    ) -> Result<endpoints::Endpoint, types::Error> {
        let settings: Vec<Setting> = settings.into_iter().map(|it| Setting { key: it.key, value: it.value }).collect();
        let it = endpoint::derive(&settings, convert::direction(direction), &remote).map_err(convert::error)?;
        let ssh = it.ssh.map(|it| endpoints::Ssh { user_and_host: it.user_and_host, port: it.port, path: it.path });
        Ok(endpoints::Endpoint { url: it.url, ssh })
    }

    fn allowed_in_repository(key: String) -> bool {
        endpoint::allowed_in_repository(&key)
    }
}

impl manifests::Guest for Engine {
    fn read(text: Vec<u8>) -> Result<manifests::Manifest, types::Error> {
        let it = Manifest::parse(&text).map_err(convert::error)?;
        let effective_session_id = it.effective_session_id();
        let files = it.files().iter().map(|file| manifests::FileRef {
            name: file.name.clone(),
            storage: match file.storage {
                Storage::Lfs => manifests::Storage::Lfs,
                Storage::Git => manifests::Storage::Git,
                Storage::Unknown => manifests::Storage::Unknown,
            },
            oid: file.oid.map(|oid| oid.to_string()),
            size: file.size,
            flaw: file.flaw.clone().map(convert::error),
        });
        Ok(manifests::Manifest {
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

    fn edit(text: Vec<u8>, changes: Vec<manifests::Change>) -> Result<Vec<u8>, types::Error> {
        let change = |change| match change {
            manifests::Change::Text((name, value)) => Change::Text(name, value),
            manifests::Change::Number((name, value)) => Change::Number(name, value),
            manifests::Change::Clear(name) => Change::Clear(name),
        };
        let changes: Vec<Change> = changes.into_iter().map(change).collect();
        manifest::edit(&text, &changes).map_err(convert::error)
    }

    fn merge(base: Option<Vec<u8>>, theirs: Vec<u8>, ours: Vec<u8>) -> Result<Vec<u8>, types::Error> {
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
        files: Vec<manifests::FileRef>,
        facts: Vec<manifests::Fact>,
        object_bytes_max: u64,
    ) -> Result<manifests::SessionStatus, types::Error> {
        let files = files.into_iter().map(file_ref).collect::<Result<Vec<FileRef>, _>>()?;
        let facts = facts.into_iter().map(fact).collect::<Result<Vec<Fact>, _>>()?;
        let it = status::status(&files, &facts, object_bytes_max);
        let hydration = match it.hydration {
            Hydration::Hydrated => manifests::Hydration::Hydrated,
            Hydration::Partial => manifests::Hydration::Partial,
            Hydration::Dehydrated => manifests::Hydration::Dehydrated,
        };
        let file =
            |it: status::FileState| manifests::FileState { name: it.name, state: state(it.state), detail: it.detail };
        Ok(manifests::SessionStatus {
            hydration,
            files: it.files.into_iter().map(file).collect(),
            tally: tally(it.tally),
        })
    }
}

fn tally(it: status::Tally) -> manifests::Tally {
    manifests::Tally {
        files: it.files,
        there: it.there,
        required: it.required,
        completed: it.completed,
        changed: it.changed,
        broken: it.broken,
        unreadable: it.unreadable,
    }
}

fn file_ref(it: manifests::FileRef) -> Result<FileRef, types::Error> {
    let is_whole = match it.storage {
        manifests::Storage::Lfs => it.oid.is_some(),
        manifests::Storage::Git => it.oid.is_none(),
        manifests::Storage::Unknown => false,
    };
    if !is_whole && it.flaw.is_none() {
        return Err(convert::error(Error::new(Code::Malformed, "a file is not as `read` tells files")));
    }
    Ok(FileRef {
        name: it.name,
        storage: match it.storage {
            manifests::Storage::Lfs => Storage::Lfs,
            manifests::Storage::Git => Storage::Git,
            manifests::Storage::Unknown => Storage::Unknown,
        },
        oid: it.oid.map(|oid| convert::oid(&oid)).transpose()?,
        size: it.size,
        flaw: it.flaw.map(convert::error_in),
    })
}

fn fact(it: manifests::Fact) -> Result<Fact, types::Error> {
    let place = match it.place {
        manifests::Place::Absent => Place::Absent,
        manifests::Place::Content(size) => Place::Content(size),
        manifests::Place::Small(bytes) => Place::of_small(&bytes),
        manifests::Place::Pointer(pointed) => {
            let oid = convert::oid(&pointed.oid).map_err(|_| {
                convert::error(Error::new(
                    Code::Malformed,
                    "a fact names an oid that is not 64 lower-case hexadecimal digits",
                ))
            })?;
            Place::Pointer(Blob { oid, size: pointed.size })
        }
        manifests::Place::Malformed => Place::Malformed,
        manifests::Place::Unreadable => Place::Unreadable,
    };
    Ok(Fact { name: it.name, place, cached: it.cached })
}

fn state(state: State) -> manifests::State {
    match state {
        State::Cached => manifests::State::Cached,
        State::InPlace => manifests::State::InPlace,
        State::Changed => manifests::State::Changed,
        State::Dehydrated => manifests::State::Dehydrated,
        State::NotFetched => manifests::State::NotFetched,
        State::Missing => manifests::State::Missing,
        State::Corrupt => manifests::State::Corrupt,
        State::TooLarge => manifests::State::TooLarge,
        State::Conflict => manifests::State::Conflict,
        State::Malformed => manifests::State::Malformed,
        State::Unusable => manifests::State::Unusable,
    }
}
