//! What is to be published, checked before anything is asked of the host.

use super::report::Publication;
use crate::limits::MANIFEST_FILES_MAX;
use crate::name::{self, MANIFEST, TRANSCRIPT};
use alloc::string::String;
use alloc::vec::Vec;
use hydrant_lfs::contract::Lookup;
use hydrant_lfs::contract::Source;
use hydrant_lfs::contract::request::bounded;
use hydrant_lfs::order::SortedSet;
use hydrant_lfs::text::error::{Code, Error, quote};

/// A publication whose names were checked.
#[derive(Debug)]
pub(super) struct Plan {
    pub(super) session: String,
    pub(super) lfs: Vec<PlannedFile>,
    pub(super) in_git: Vec<PlannedFile>,
    pub(super) new_session_id: String,
    pub(super) created_at: String,
    pub(super) fields: Vec<(String, String)>,
    pub(super) redaction: Option<String>,
}

/// One file of a plan.
#[derive(Clone, Debug)]
pub(super) struct PlannedFile {
    pub(super) name: String,
    /// The host's name for its content.
    pub(super) source: String,
    /// It lies in the session's own folder.
    pub(super) in_place: bool,
}

impl Plan {
    pub(super) fn new(publication: Publication) -> Result<Self, Error> {
        let Publication { session, files, new_session_id, created_at, fields, redaction } = publication;
        if let Some(flaw) = name::session_flaw(&session) {
            return Err(Error::new(Code::Malformed, format_args!("the session cannot be used: {flaw}")));
        }
        if files.len() > MANIFEST_FILES_MAX {
            return Err(Error::new(
                Code::Limit,
                format_args!("{} files are more than a manifest's {MANIFEST_FILES_MAX}", files.len()),
            ));
        }
        let sources = files.iter().filter_map(|file| file.source.as_deref());
        bounded(files.len(), sources.chain(fields.iter().map(|(name, _)| name.as_str())))?;
        let mut plan =
            Self { session, lfs: Vec::new(), in_git: Vec::new(), new_session_id, created_at, fields, redaction };
        let mut folds = SortedSet::default();
        for file in files {
            let bad = name::flaw(&file.name).or_else(|| {
                let (new, fold) = (file.name.as_str(), name::fold(&file.name));
                (!folds.insert(fold))
                    .then_some("another file has the same name but for upper and lower case")
                    .filter(|_| !new.is_empty())
            });
            if let Some(flaw) = bad {
                let shown = quote(&file.name);
                return Err(Error::new(
                    Code::Malformed,
                    format_args!("the file \"{shown}\" cannot be published: {flaw}"),
                ));
            }
            let in_place = file.source.is_none();
            let source = file.source.unwrap_or_else(|| plan.path(&file.name));
            let planned = PlannedFile { name: file.name, source, in_place };
            if file.in_git { plan.in_git.push(planned) } else { plan.lfs.push(planned) }
        }
        if plan.in_git.iter().any(|file| file.name == TRANSCRIPT) {
            return Err(Error::new(Code::Rejected, format_args!("{TRANSCRIPT} is never committed in full")));
        }
        Ok(plan)
    }

    /// Whether only an interrupted publish is to be finished.
    pub(super) fn is_empty(&self) -> bool {
        self.lfs.is_empty() && self.in_git.is_empty() && self.fields.is_empty()
    }

    /// How many files it has.
    pub(super) fn len(&self) -> usize {
        self.lfs.len() + self.in_git.len()
    }

    /// A file of the session, as the ledger names it.
    pub(super) fn path(&self, name: &str) -> String {
        name::path(&self.session, name)
    }

    /// The session's manifest, as the ledger names it.
    pub(super) fn manifest(&self) -> String {
        self.path(MANIFEST)
    }

    /// The document that keeps the journal.
    pub(super) fn journal(&self) -> String {
        format!("journal/{}", self.session)
    }

    pub(super) fn sources(&self) -> Vec<Source> {
        self.lfs.iter().map(|file| Source { name: file.source.clone(), expects: None }).collect()
    }

    /// Index of the transcript in `lfs`.
    pub(super) fn transcript(&self) -> Option<usize> {
        self.lfs.iter().position(|file| file.name == TRANSCRIPT)
    }

    /// The paths that a push of this plan replaces.
    pub(super) fn lookup(&self) -> Lookup {
        let paths = |files: &[PlannedFile]| files.iter().map(|file| self.path(&file.name)).collect::<Vec<_>>();
        Lookup { documents: [vec![self.manifest()], paths(&self.in_git)].concat(), files: paths(&self.lfs) }
    }
}
