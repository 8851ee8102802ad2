//! The interface `pointers`.

use crate::Engine;
use crate::convert;
use crate::exports::hydrant::lfs::{pointers as wit, types};
use hydrant_lfs::Blob;
use hydrant_lfs::git_lfs::pointer::{self, Extension, Finding, Flaw, Kind};

/// The flaws of the core and of WIT, in the order both declare them.
const POINTER_FLAWS: [wit::Flaw; 13] = [
    wit::Flaw::NoMarker,
    wit::Flaw::TooLarge,
    wit::Flaw::MissingVersion,
    wit::Flaw::BadLine,
    wit::Flaw::ExtraLine,
    wit::Flaw::UnexpectedKey,
    wit::Flaw::BadVersion,
    wit::Flaw::MissingOid,
    wit::Flaw::BadOid,
    wit::Flaw::BadOidType,
    wit::Flaw::MissingSize,
    wit::Flaw::BadSize,
    wit::Flaw::DuplicatePriority,
];

fn finding(finding: Finding) -> wit::Finding {
    let at = Flaw::ALL.iter().position(|flaw| *flaw == finding.flaw).expect("ALL lists every flaw");
    wit::Finding { flaw: POINTER_FLAWS[at], line: finding.line }
}

fn kind(sample: &wit::Sample) -> wit::Kind {
    match pointer::classify(&sample.head, sample.file_size) {
        Kind::Pointer(it) => wit::Kind::Pointer(wit::Pointer {
            oid: it.blob.oid.to_string(),
            size: it.blob.size,
            extensions: it
                .extensions
                .into_iter()
                .map(|it| wit::Extension { priority: it.priority, name: it.name, oid: it.oid.to_string() })
                .collect(),
            canonical: it.canonical,
        }),
        Kind::Content(it) => wit::Kind::Content(finding(it)),
        Kind::Malformed(it) => wit::Kind::Malformed(finding(it)),
    }
}

impl wit::Guest for Engine {
    fn classify(file: wit::Sample) -> wit::Kind {
        kind(&file)
    }

    fn classify_many(files: Vec<wit::Sample>) -> Vec<wit::Kind> {
        files.iter().map(kind).collect()
    }

    fn pointer_shaped(file: wit::Sample) -> bool {
        pointer::pointer_shaped(&file.head, file.file_size)
    }

    fn appended_to(file: wit::Sample) -> Option<u64> {
        pointer::appended_to(&file.head, file.file_size).map(|bytes| bytes as u64)
    }

    fn explain(it: wit::Finding) -> String {
        let at = POINTER_FLAWS.iter().position(|flaw| *flaw == it.flaw).expect("the table lists every flaw");
        Finding { flaw: Flaw::ALL[at], line: it.line }.explain()
    }

    fn format(it: wit::Pointer) -> Result<String, types::LfsError> {
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
