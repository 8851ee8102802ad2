//! Content that was looked through and had nothing, by its oid: for a publish that goes on when its content is gone.
//!
//! The rule it keeps: a verdict counts only for the same rules and the same values of this machine.

use std::collections::BTreeSet;
use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};

use crate::files::atomic::Fresh;
use crate::files::digest::is_oid;
use crate::files::{Access, Dir};

/// File of the verdicts, in the clone's own folder: what was looked for, then an oid a line.
const FILE: &str = "looked-through";
/// Verdicts that are remembered at most.
const VERDICTS_MAX: usize = 10_000;
/// Bytes of the file at most.
const FILE_BYTES_MAX: u64 = 2 * 1024 * 1024;

/// What was looked through.
#[derive(Default)]
pub(super) struct Verdicts {
    store_dir: PathBuf,
    /// What was looked for.
    sought: String,
    known: BTreeSet<String>,
    new: Vec<String>,
}

impl Verdicts {
    /// Those of earlier runs that looked for the same.
    pub(super) fn load(store_dir: &Path, sought: &str) -> Self {
        let mut text = String::new();
        let opened = fs::File::open(store_dir.join(FILE));
        let read = opened.and_then(|file| file.take(FILE_BYTES_MAX).read_to_string(&mut text));
        let mut lines = text.split('\n');
        let is_same = read.is_ok() && lines.next() == Some(sought);
        let known = lines.filter(|line| is_same && is_oid(line)).map(str::to_owned).collect();
        Self { store_dir: store_dir.to_owned(), sought: sought.to_owned(), known, new: Vec::new() }
    }

    pub(super) fn has(&self, oid: &str) -> bool {
        self.known.contains(oid)
    }

    pub(super) fn add(&mut self, oid: &str) {
        self.new.push(oid.to_owned());
    }

    /// Writes them down. One that is lost costs another look.
    pub(super) fn save(&self) {
        if self.new.iter().all(|oid| self.known.contains(oid)) {
            return;
        }
        let mut text = format!("{}\n", self.sought);
        let others = self.known.iter().filter(|oid| !self.new.contains(oid));
        for oid in self.new.iter().chain(others).take(VERDICTS_MAX) {
            text += oid;
            text.push('\n');
        }
        let saved = Dir::open_or_create(&self.store_dir, Access::Owner)
            .and_then(|dir| Fresh::write(&dir, ".looked-", text.as_bytes(), None)?.take_over(FILE));
        saved.ok();
    }
}
