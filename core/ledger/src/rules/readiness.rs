//! Whether a checkout of a ledger can be read: one answer for programs that must not take missing content for empty.
//!
//! Source: the read contract of ox (`docs/specs/ledger-read-sync.md`, version 1). A checkout is ready only when
//! everything it should hold was checked and is here; otherwise the report names the first reason. Sessions are tallied
//! one by one, so a ledger of any size takes little memory.

use crate::limits::{COVERED_PATHS_MAX, SESSIONS_MAX};
use crate::name::SESSIONS;
use crate::status::Tally;
use alloc::string::String;
use alloc::vec::Vec;
use hydrant_lfs::text::error::{Code, Error};

/// Version of the report.
pub const SCHEMA_VERSION: u32 = 1;

/// Why a checkout is not ready. The list is closed here; readers must accept names that they do not know.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum ErrorClass {
    /// The program was called with invalid arguments.
    InvalidArguments,
    /// No login, or no access.
    Denied,
    /// The state could not be determined: no server, no commit.
    Unavailable,
    /// There is no ledger.
    MissingLedger,
    /// Stopped before the state was known.
    Interrupted,
    /// Files differ from what was committed.
    Dirty,
    /// Blobs are not here.
    MissingHydration,
    /// Commits are not here.
    IncompleteHistory,
    /// Something that should be covered is missing, broken or contradictory.
    IncompleteCoverage,
    /// It is not the expected ledger.
    IdentityMismatch,
    /// Git failed.
    GitFailed,
}

impl ErrorClass {
    /// The whole list, in the order of the WIT enum.
    pub const ALL: [ErrorClass; 11] = [
        ErrorClass::InvalidArguments,
        ErrorClass::Denied,
        ErrorClass::Unavailable,
        ErrorClass::MissingLedger,
        ErrorClass::Interrupted,
        ErrorClass::Dirty,
        ErrorClass::MissingHydration,
        ErrorClass::IncompleteHistory,
        ErrorClass::IncompleteCoverage,
        ErrorClass::IdentityMismatch,
        ErrorClass::GitFailed,
    ];

    /// Its name in a report.
    pub const fn name(self) -> &'static str {
        match self {
            ErrorClass::InvalidArguments => "invalid_arguments",
            ErrorClass::Denied => "denied",
            ErrorClass::Unavailable => "unavailable",
            ErrorClass::MissingLedger => "missing_ledger",
            ErrorClass::Interrupted => "interrupted",
            ErrorClass::Dirty => "dirty",
            ErrorClass::MissingHydration => "missing_hydration",
            ErrorClass::IncompleteHistory => "incomplete_history",
            ErrorClass::IncompleteCoverage => "incomplete_coverage",
            ErrorClass::IdentityMismatch => "identity_mismatch",
            ErrorClass::GitFailed => "git_failed",
        }
    }
}

/// What the host knows of a checkout.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Checkout {
    /// The commit; none when there is none or it is not known.
    pub head: Option<String>,
    /// Commits are missing.
    pub shallow: bool,
    /// A committed file was changed locally.
    pub dirty: bool,
    /// Why the host could not check the sessions; then `sessions` is ignored.
    pub failed: Option<ErrorClass>,
    /// Paths to check; empty: all sessions.
    pub paths: Vec<String>,
    /// One tally for each session.
    pub sessions: Vec<Tally>,
}

/// How much of the paths to check was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Coverage {
    /// All of it.
    pub complete: bool,
    /// The paths to check.
    pub paths: Vec<String>,
    /// Files that are here as their manifests say.
    pub files: u64,
    /// The check was made, and there is no session.
    pub empty: bool,
}

/// Whether blobs are here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HydrationState {
    /// All of them.
    Complete,
    /// Some are not.
    Missing,
    /// Not known, because something could not be read.
    Unknown,
}

/// How many blobs are here. Files are counted, not blobs: two files with one content count twice.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Hydrated {
    /// Overall.
    pub state: HydrationState,
    /// Files stored in Git LFS.
    pub required: u64,
    /// Of these, files whose content is here.
    pub completed: u64,
}

/// Whether a checkout of a ledger can be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Readiness {
    /// [`SCHEMA_VERSION`].
    pub schema_version: u32,
    /// The commit, or empty.
    pub head: String,
    /// It can be read. True exactly when `error_class` is none.
    pub ready: bool,
    /// How much was found.
    pub coverage: Coverage,
    /// How many blobs are here.
    pub hydration: Hydrated,
    /// The first reason why it cannot be read.
    pub error_class: Option<ErrorClass>,
}

/// Makes a report from the tallies. Of several reasons, the first in this order is named: the host's own failure, no
/// commit, missing commits, missing or broken files, changed files, missing blobs.
pub fn readiness(checkout: &Checkout) -> Result<Readiness, Error> {
    let bound = |what: &str, count: usize, max: usize| {
        let over = Error::new(Code::Limit, format_args!("{count} {what} are more than a report's {max}"));
        if count > max { Err(over) } else { Ok(()) }
    };
    bound(SESSIONS, checkout.sessions.len(), SESSIONS_MAX)?;
    bound("paths", checkout.paths.len(), COVERED_PATHS_MAX)?;
    let looked = checkout.failed.is_none() && checkout.head.is_some();
    let sessions = if looked { checkout.sessions.as_slice() } else { &[] };
    let sum = |part: fn(&Tally) -> u64| sessions.iter().map(part).fold(0_u64, u64::saturating_add);
    let (required, completed) = (sum(|it| it.required), sum(|it| it.completed));
    let broken = sum(|it| it.broken) > 0;
    let changed = sum(|it| it.changed) > 0;
    let unreadable = sessions.iter().any(|it| it.unreadable);
    let error_class = match checkout.failed {
        Some(class) => Some(class),
        None if checkout.head.is_none() => Some(ErrorClass::Unavailable),
        None if checkout.shallow => Some(ErrorClass::IncompleteHistory),
        None if broken => Some(ErrorClass::IncompleteCoverage),
        None if checkout.dirty || changed => Some(ErrorClass::Dirty),
        None if completed < required => Some(ErrorClass::MissingHydration),
        None => None,
    };
    let state = match () {
        () if !looked || unreadable => HydrationState::Unknown,
        () if completed < required => HydrationState::Missing,
        () => HydrationState::Complete,
    };
    let all = || vec![format!("{SESSIONS}/")];
    Ok(Readiness {
        schema_version: SCHEMA_VERSION,
        head: checkout.head.clone().unwrap_or_default(),
        ready: error_class.is_none(),
        coverage: Coverage {
            complete: looked && !checkout.shallow && !broken,
            paths: if checkout.paths.is_empty() { all() } else { checkout.paths.clone() },
            files: sum(|it| it.there),
            empty: looked && sessions.is_empty(),
        },
        hydration: Hydrated { state, required, completed },
        error_class,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::manifest::{FileRef, Manifest, Storage};
    use crate::status::{Fact, Place, status};
    use hydrant_lfs::text::oid::{Blob, Oid};

    const MANIFEST: &[u8] = include_bytes!("../../../../tests/fixtures/meta/current-lfs-and-git.json");
    const BYTES_MAX: u64 = 1 << 30;

    fn checkout(sessions: Vec<Tally>) -> Checkout {
        Checkout { head: Some("c0ffee".to_owned()), sessions, ..Checkout::default() }
    }

    /// What stands in the work tree, and the bytes of the entry in the cache.
    type Seen = (Place, Option<u64>);

    fn tally(manifest: &[u8], place: &dyn Fn(&FileRef) -> Option<Seen>) -> Tally {
        let manifest = Manifest::parse(manifest).expect("readable");
        let fact = |file: &FileRef| {
            let (place, cached) = place(file)?;
            Some(Fact { name: file.name.clone(), place, cached })
        };
        let facts: Vec<Fact> = manifest.files().iter().filter_map(fact).collect();
        status(manifest.files(), &facts, BYTES_MAX).tally
    }

    fn whole(file: &FileRef) -> Option<Seen> {
        Some(match file.storage {
            Storage::Git => (Place::Content(file.size), None),
            _ => (Place::Absent, Some(file.size)),
        })
    }

    #[test]
    fn a_session_is_tallied_by_its_states() {
        let all = tally(MANIFEST, &whole);
        assert_eq!((all.files, all.there, all.changed, all.broken), (5, 5, 0, 0));
        assert!(all.required == all.completed && all.required < all.files, "one file belongs in git");
        let nothing = tally(MANIFEST, &|_| None);
        assert_eq!((nothing.required, nothing.completed, nothing.there), (all.required, 0, 0));
        assert_eq!(nothing.broken, all.files - all.required, "what belongs in git is not fetched");
        let changed = tally(MANIFEST, &|file| Some((Place::Content(file.size + 1), None)));
        assert_eq!((changed.changed, changed.completed), (5, 0));
        let other = tally(MANIFEST, &|_| Some((Place::Pointer(Blob { oid: Oid::EMPTY, size: 1 }), None)));
        assert_eq!(other.broken, 5, "a pointer contradicts the manifest");
        let bad = tally(include_bytes!("../../../../tests/fixtures/meta/bad-refs.json"), &|_| None);
        assert_eq!((bad.files, bad.required, bad.broken), (5, 0, 5));
    }

    #[test]
    fn the_first_thing_that_speaks_against_it() {
        let full = Tally { files: 3, there: 3, required: 2, completed: 2, ..Tally::default() };
        let missing = Tally { there: 2, completed: 1, ..full };
        let changed = Tally { changed: 1, ..missing };
        let broken = Tally { broken: 1, ..changed };
        let unreadable = Tally { broken: 1, unreadable: true, ..Tally::default() };
        let at = |sessions: &[Tally]| checkout(sessions.to_vec());
        use ErrorClass::*;
        use HydrationState as H;
        let table = [
            (at(&[]), None, true, true, H::Complete),
            (at(&[full, full]), None, true, false, H::Complete),
            (at(&[full, missing]), Some(MissingHydration), true, false, H::Missing),
            (at(&[changed, full]), Some(Dirty), true, false, H::Missing),
            (Checkout { dirty: true, ..at(&[full]) }, Some(Dirty), true, false, H::Complete),
            (at(&[broken]), Some(IncompleteCoverage), false, false, H::Missing),
            (at(&[full, unreadable]), Some(IncompleteCoverage), false, false, H::Unknown),
            (Checkout { shallow: true, ..at(&[broken]) }, Some(IncompleteHistory), false, false, H::Missing),
            (Checkout { head: None, ..at(&[]) }, Some(Unavailable), false, false, H::Unknown),
            (Checkout { failed: Some(Interrupted), ..at(&[full]) }, Some(Interrupted), false, false, H::Unknown),
            (Checkout { failed: Some(Denied), ..Checkout::default() }, Some(Denied), false, false, H::Unknown),
        ];
        for (at, (checkout, class, complete, empty, state)) in table.iter().enumerate() {
            let got = readiness(checkout).expect("within bounds");
            let seen = (got.error_class, got.coverage.complete, got.coverage.empty, got.hydration.state);
            assert_eq!(seen, (*class, *complete, *empty, *state), "row {at}");
            assert_eq!(got.ready, class.is_none(), "row {at}");
        }
        let two = readiness(&at(&[full, missing])).expect("within bounds");
        assert_eq!((two.coverage.files, two.hydration.required, two.hydration.completed), (5, 4, 3));
        assert_eq!((two.schema_version, two.head.as_str(), two.coverage.paths.len()), (1, "c0ffee", 1));
    }

    #[test]
    fn bounds_and_names() {
        let many = checkout(vec![Tally::default(); SESSIONS_MAX + 1]);
        assert_eq!(readiness(&many).expect_err("too many").code, Code::Limit);
        let paths = Checkout { paths: vec![String::new(); COVERED_PATHS_MAX + 1], ..checkout(Vec::new()) };
        assert_eq!(readiness(&paths).expect_err("too many").code, Code::Limit);
        let names: alloc::collections::BTreeSet<_> = ErrorClass::ALL.iter().map(|class| class.name()).collect();
        assert_eq!(names.len(), ErrorClass::ALL.len());
    }
}
