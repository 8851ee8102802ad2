//! What was left half done on this machine, each with one sentence and the command that ends it.
//!
//! The rules it keeps: without a wish to fix it only looks; nobody is asked but the disk and git; what it cannot explain
//! it names. Fixing does what was named, through the tasks that do it, and nothing that could lose a byte. What may stay
//! as it is for ever is a note: it is said, and is nothing that is left.

mod appended;
mod conflicts;
mod drafts;
mod finding;
mod fix;
mod leftovers;
mod publishes;
mod sessions;
mod titles;

use schemars::JsonSchema;
use serde::Serialize;

use crate::contract::error::Fault;
use crate::repository::Repository;
use crate::sessions::gitignore;
use crate::sessions::ledger::Ledger;
use crate::store::Store;
use crate::tasks::client::Client;
use crate::tasks::endpoint::ServerOptions;

use finding::{Cure, Next};
pub use finding::{Finding, FindingKind, Severity};
use fix::Then;
pub use titles::{SessionTitle, TitleOutcome, TitlesOptions, TitlesReport};

/// Whether something is done about what is found.
#[derive(Clone, Debug, Default)]
pub struct DoctorOptions {
    /// Complete what was left half done.
    pub fix: bool,
    /// Say what would be done, and do nothing.
    pub dry_run: bool,
    /// The server, for a publish that is completed.
    pub server: ServerOptions,
    /// Bytes of an object at most; none: what git's configuration says.
    pub object_bytes_max: Option<u64>,
}

/// What was found.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct DoctorReport {
    /// It was to be fixed.
    pub fix: bool,
    /// It was only told what would be done.
    pub dry_run: bool,
    /// Each thing that was found.
    pub finding_list: Vec<Finding>,
    /// Files that gave way to their pointers, and serve as cache.
    pub adopted: Adopted,
}

/// Files that gave way to their pointers.
#[derive(Clone, Copy, Debug, Default, Serialize, JsonSchema)]
pub struct Adopted {
    /// How many.
    pub files: usize,
    /// Their bytes.
    pub bytes: u64,
}

impl DoctorReport {
    /// Findings that are no notes.
    pub fn found(&self) -> usize {
        self.finding_list.iter().filter(|one| one.severity == Severity::Finding).count()
    }

    /// Those of them that there is still something to do about.
    pub fn left(&self) -> usize {
        self.finding_list.iter().filter(|one| one.is_left()).count()
    }
}

/// Completes what was left half done.
const FIX: &str = "hydrant doctor --fix";

/// Where everything is looked for.
struct Patient<'a> {
    client: &'a Client,
    repository: &'a Repository,
    ledger: Ledger,
    store: Store,
}

impl Client {
    /// What was left half done in a repository. With `options.fix` it is completed.
    pub fn doctor(&self, repository: &Repository, options: &DoctorOptions) -> Result<DoctorReport, Fault> {
        let store = Store::cache(&repository.store_dir())?;
        let patient = Patient { client: self, repository, ledger: Ledger::of(repository)?, store };
        let mut finding_list = look(&patient)?;
        if options.fix && !options.dry_run {
            finding_list.iter_mut().for_each(Finding::is_to_be_fixed);
            fix_all(&patient, &mut finding_list, options);
        }
        let adopted = leftovers::adopted(repository);
        Ok(DoctorReport { fix: options.fix, dry_run: options.dry_run, finding_list, adopted })
    }

    /// Gives sessions without a title the one of their summary, or gives them up after three looks.
    pub fn titles(&self, repository: &Repository, options: &TitlesOptions) -> Result<TitlesReport, Fault> {
        let ledger = Ledger::of(repository)?;
        if !options.dry_run {
            gitignore::exclude_locks(repository)?;
        }
        titles::look(&mut self.guest()?, &ledger, options.dry_run)
    }
}

fn fix_all(patient: &Patient<'_>, findings: &mut [Finding], options: &DoctorOptions) {
    for finding in findings.iter_mut() {
        if fix::fix(patient, finding, options) == Then::Stop {
            return;
        }
    }
    if !findings.iter().any(Finding::has_published) {
        return;
    }
    // One that could not follow may have waited for what another one brought.
    let waits = |one: &&mut Finding| one.kind == FindingKind::PublishUnsettled && one.error.is_some();
    for finding in findings.iter_mut().filter(waits) {
        if fix::fix(patient, finding, options) == Then::Stop {
            return;
        }
    }
}

fn look(patient: &Patient<'_>) -> Result<Vec<Finding>, Fault> {
    let mut findings = Vec::new();
    publishes::look(patient, &mut findings)?;
    leftovers::look(patient, &mut findings)?;
    sessions::look(patient, &mut findings)?;
    appended::look(patient, &mut findings)?;
    Ok(findings)
}
