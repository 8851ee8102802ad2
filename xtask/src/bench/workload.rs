//! The workloads, who takes part in each, and what is promised of it. A bound is what must hold, a reach what the
//! machine would allow.

use super::data::{SET_A, SET_B, SET_C, Set};
use super::session::{MEDIUM, SMALL, SessionSet};

/// The client under test, as rows name it.
pub(super) const OURS: &str = "hydrant";
/// A recording outside the ledger is published.
pub(super) const PUBLISH_FROM: &str = "hydrant publish --from";
/// The content lies in the session's own folder.
pub(super) const PUBLISH_IN_PLACE: &str = "hydrant publish, in place";
/// Bound to one core where it would use two.
pub(super) const ON_ONE_CORE: &str = "hydrant, on one core";
/// Everything is published already.
pub(super) const PUBLISH_AGAIN: &str = "hydrant publish, again";

pub(super) const PULL: &str = "git lfs pull";
pub(super) const FETCH: &str = "git lfs fetch";
pub(super) const CURL: &str = "curl -Z 8";
/// Only the kit has it.
pub(super) const FLOOR: &str = "floor: rust conns=8 batch=100";
pub(super) const ADD_AND_PUSH: &str = "git add + git lfs push";
pub(super) const WALK: &str = "floor: walk+stat+read";
pub(super) const MANIFESTS: &str = "floor: read+parse manifests";
pub(super) const COMMIT_AND_PUSH: &str = "git add, commit, push with git-lfs";
pub(super) const STATUS: &str = "git status";

/// The least runs of a command that ends in milliseconds.
const AGAIN_RUNS_MIN: usize = 11;

/// Runs of what takes less than a second.
const STATUS_RUNS: usize = 11;

/// What is done.
pub(super) enum Work {
    /// Objects of a server become files.
    Down {
        set: &'static Set,
        /// Milliseconds before every answer.
        delay_ms: u64,
    },
    /// Files become objects of a server.
    Up { set: &'static Set },
    /// Pointers are found among many files.
    Scan,
    /// The state of many sessions is told.
    Status,
    /// A session's files reach the server and the remote ledger.
    Publish { set: &'static SessionSet },
    /// A published session is published once more, with nothing to do.
    PublishAgain { set: &'static SessionSet },
}

/// The median of one client over that of another.
pub(super) struct Bound {
    /// The client that promises.
    pub(super) ours: &'static str,
    /// How the other row's name begins.
    pub(super) beside: &'static str,
    /// What must hold.
    pub(super) ratio_max: f64,
    /// What the machine would allow, where that is known.
    pub(super) reach: Option<f64>,
}

/// A job and what is promised of it.
pub(super) struct Workload {
    pub(super) name: &'static str,
    /// For people who choose.
    pub(super) shows: &'static str,
    pub(super) work: Work,
    /// Runs of each client unless the caller names another number.
    pub(super) runs: usize,
    /// Fewer say nothing.
    pub(super) runs_min: usize,
    pub(super) bounds: &'static [Bound],
    /// Megabytes of memory at the peak, of our clients.
    pub(super) memory_mb_max: Option<f64>,
    /// Only on request: it takes long or needs much space.
    pub(super) large: bool,
}

const PLAIN: Workload = Workload {
    name: "",
    shows: "",
    work: Work::Scan,
    runs: 5,
    runs_min: 1,
    bounds: &[],
    memory_mb_max: None,
    large: false,
};

pub(super) const WORKLOADS: [Workload; 11] = [
    Workload {
        name: "small-down",
        shows: "2,000 objects of 8 KiB are fetched",
        work: Work::Down { set: &SET_A, delay_ms: 0 },
        bounds: &[bound(PULL, 0.40, 0.22), bound(FETCH, 1.1, 0.72), bound(CURL, 1.6, 1.0)],
        ..PLAIN
    },
    Workload {
        name: "medium-down",
        shows: "20 objects of 20 MB are fetched",
        work: Work::Down { set: &SET_B, delay_ms: 0 },
        bounds: &[bound(CURL, 2.6, 2.0), bound(FLOOR, 1.4, 1.05)],
        ..PLAIN
    },
    Workload {
        name: "far-down",
        shows: "2,000 objects of 8 KiB from a server 20 ms away",
        work: Work::Down { set: &SET_A, delay_ms: 20 },
        bounds: &[bound(FETCH, 0.35, 0.22)],
        ..PLAIN
    },
    Workload {
        name: "small-up",
        shows: "2,000 files of 8 KiB are hashed and sent",
        work: Work::Up { set: &SET_A },
        bounds: &[bound(ADD_AND_PUSH, 0.45, 0.20)],
        ..PLAIN
    },
    Workload {
        name: "medium-up",
        shows: "20 files of 20 MB are hashed and sent",
        work: Work::Up { set: &SET_B },
        bounds: &[bound(ADD_AND_PUSH, 0.60, 0.31)],
        ..PLAIN
    },
    Workload {
        name: "large-down",
        shows: "one object of 2 GB is fetched",
        work: Work::Down { set: &SET_C, delay_ms: 0 },
        runs: 3,
        bounds: &[bound(FETCH, 0.60, 0.40), bound(FLOOR, 1.4, 1.05)],
        memory_mb_max: Some(64.0),
        large: true,
        ..PLAIN
    },
    Workload {
        name: "scan",
        shows: "5,000 pointers are found among 50,000 files",
        work: Work::Scan,
        bounds: &[bound(WALK, 1.5, 1.05)],
        ..PLAIN
    },
    Workload {
        name: "status-10000",
        shows: "the state of 10,000 sessions of 3 files is told",
        work: Work::Status,
        runs: STATUS_RUNS,
        bounds: &[Bound { ours: OURS, beside: MANIFESTS, ratio_max: 3.0, reach: None }],
        memory_mb_max: Some(64.0),
        ..PLAIN
    },
    Workload {
        name: "publish-small",
        shows: "a session of 2,000 files of 8 KiB reaches server and ledger",
        work: Work::Publish { set: &SMALL },
        bounds: PUBLISH_BOUNDS,
        memory_mb_max: Some(64.0),
        ..PLAIN
    },
    Workload {
        name: "publish-medium",
        shows: "a session of 20 files of 20 MB reaches server and ledger",
        work: Work::Publish { set: &MEDIUM },
        bounds: PUBLISH_BOUNDS,
        memory_mb_max: Some(64.0),
        ..PLAIN
    },
    Workload {
        name: "publish-again",
        shows: "the session of 2,000 files once more, with nothing to do",
        work: Work::PublishAgain { set: &SMALL },
        runs: AGAIN_RUNS_MIN,
        runs_min: AGAIN_RUNS_MIN,
        bounds: &[Bound { ours: PUBLISH_AGAIN, beside: STATUS, ratio_max: 3.0, reach: None }],
        ..PLAIN
    },
];

const PUBLISH_BOUNDS: &[Bound] = &[
    Bound { ours: PUBLISH_FROM, beside: COMMIT_AND_PUSH, ratio_max: 0.60, reach: Some(0.35) },
    Bound { ours: PUBLISH_IN_PLACE, beside: COMMIT_AND_PUSH, ratio_max: 0.60, reach: Some(0.35) },
];

pub(super) const fn bound(beside: &'static str, ratio_max: f64, reach: f64) -> Bound {
    Bound { ours: OURS, beside, ratio_max, reach: Some(reach) }
}
