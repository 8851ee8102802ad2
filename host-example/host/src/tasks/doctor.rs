//! What was left half done on this machine, each with one sentence and the command that ends it.
//!
//! The rules it keeps: without a wish to fix it only looks; nobody is asked but the disk and git; what it cannot
//! explain it names. Fixing does what was named, through the tasks that do it, and nothing that could lose a byte. What
//! may stay as it is for ever is a note: it is said, and is nothing that is left.

mod appended;
mod conflicts;
mod drafts;
mod finding;
mod fix;
mod git_lfs;
mod in_full;
mod leftovers;
mod patient;
mod publishes;
mod sessions;
mod titles;

use crate::contract::error::Fault;
use crate::repository::Repository;
use crate::sessions::gitignore;
use crate::sessions::ledger::Ledger;
use crate::tasks::client::Client;

pub use finding::{Finding, FindingKind, Severity};
use fix::Then;
use patient::Patient;
pub use patient::{Adopted, DoctorOptions, DoctorReport};
pub use titles::{SessionTitle, TitleOutcome, TitlesOptions, TitlesReport};

impl Client {
    /// What was left half done in a repository. With `options.fix` it is completed.
    pub fn doctor(&self, repository: &Repository, options: &DoctorOptions) -> Result<DoctorReport, Fault> {
        let store = if options.fix && !options.dry_run { repository.cache()? } else { repository.cache_to_read()? };
        let patient = Patient { client: self, repository, ledger: Ledger::of(repository)?, store };
        let mut finding_list = look(&patient)?;
        if options.fix && !options.dry_run {
            finding_list.iter_mut().for_each(Finding::is_to_be_fixed);
            fix_all(&patient, &mut finding_list, options);
        }
        let adopted = leftovers::adopted(repository);
        let place = repository.placed_cache()?;
        let cache = place.as_ref().map_or_else(|| repository.store_dir(), |place| place.folder.clone());
        Ok(DoctorReport {
            fix: options.fix,
            dry_run: options.dry_run,
            finding_list,
            cache: cache.to_string_lossy().into_owned(),
            cache_named_by: place.map(|place| place.named_by),
            adopted,
        })
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
    in_full::look(patient, &mut findings)?;
    git_lfs::look(patient, &mut findings)?;
    Ok(findings)
}
