//! What a look for secrets says, as types: kinds, files and lines, never a value.

use schemars::JsonSchema;
use serde::Serialize;

use super::sources::{Source, Sources, UncheckedFile};

/// Findings that are told one by one; all are counted.
pub const FINDINGS_MAX: usize = 10_000;

/// What was found.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct RedactReport {
    /// Files that were looked through.
    pub files: u64,
    /// Their bytes; of a container, those that came out of it.
    pub bytes: u64,
    /// Places where a secret stands.
    pub findings: usize,
    /// Different secrets.
    pub secrets: usize,
    /// How many findings each kind has, by kind.
    pub kind_list: Vec<KindCount>,
    /// The findings, by file and line; the first 10,000 of them.
    pub finding_list: Vec<FoundSecret>,
    /// Files that could not be looked through.
    pub unchecked_list: Vec<UncheckedFile>,
    /// Files that were not copied, although they were looked through: archives and databases with secrets.
    pub uncopied_list: Vec<UncheckedFile>,
    /// Links in folders; they are not followed.
    pub links: u64,
    /// Copies without secrets that were written.
    pub written: u64,
}

/// How many findings one kind has.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct KindCount {
    /// The kind; docs/secrets.md explains each.
    pub kind: String,
    /// Its findings.
    pub count: usize,
}

/// A place where a secret stands.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct FoundSecret {
    /// The file, as it was named; of something in it `archive.zip!member`, and in a database `log.db!table.column`.
    pub file: String,
    /// The line in it, from 1.
    pub line: u64,
    /// What it is.
    pub kind: String,
    /// What takes its place: the same secret has the same marker.
    pub marker: String,
}

impl RedactReport {
    pub(super) fn of(sources: &Sources) -> Self {
        Self {
            files: 0,
            bytes: 0,
            findings: 0,
            secrets: 0,
            kind_list: Vec::new(),
            finding_list: Vec::new(),
            unchecked_list: sources.others.clone(),
            uncopied_list: Vec::new(),
            links: sources.links,
            written: 0,
        }
    }

    /// Everything was looked at, and copied where copies were asked for.
    pub fn is_complete(&self) -> bool {
        self.unchecked_list.is_empty() && self.uncopied_list.is_empty()
    }

    pub(super) fn found(&mut self, file: &str, line: u64, kind: &str, marker: &str) {
        self.findings += 1;
        match self.kind_list.binary_search_by(|one| one.kind.as_str().cmp(kind)) {
            Ok(at) => self.kind_list[at].count += 1,
            Err(at) => self.kind_list.insert(at, KindCount { kind: kind.to_owned(), count: 1 }),
        }
        if self.finding_list.len() < FINDINGS_MAX {
            let (file, kind, marker) = (file.to_owned(), kind.to_owned(), marker.to_owned());
            self.finding_list.push(FoundSecret { file, line, kind, marker });
        }
    }

    pub(super) fn unchecked(&mut self, source: &Source, why: String) {
        if !self.is_unchecked(source) {
            self.unchecked_list.push(UncheckedFile { file: source.shown.clone(), why });
        }
    }

    pub(super) fn uncopied(&mut self, source: &Source, why: String) {
        self.uncopied_list.push(UncheckedFile { file: source.shown.clone(), why });
    }

    fn is_unchecked(&self, source: &Source) -> bool {
        self.unchecked_list.iter().any(|one| one.file == source.shown)
    }
}
