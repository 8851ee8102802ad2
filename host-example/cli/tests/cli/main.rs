//! The real `hydrant` program, against the embedded server, real git and, where it is installed, the real git-lfs.

mod assets;
mod bad_places;
mod cache_clones;
mod cache_places;
mod committed;
mod doctor;
mod draft;
mod gate;
mod git_lfs;
mod hooks;
mod hostile;
mod ledgers;
mod lock_holders;
mod locks;
mod objects;
mod orphans;
mod pointers;
mod publish;
mod read_only;
mod reconcile;
mod redact;
mod refusals;
mod regenerate;
mod restore;
mod scale;
mod schemas;
mod secrets;
mod serving;
mod shared_caches;
mod sharing;
mod signals;
mod status_report;
mod surroundings;
mod trees;
mod trust;
mod unreadable;
mod verify;

/// Dies where the tests of interrupted publishes tell it to.
#[test]
fn the_child() {
    hydrant_kit::child::act();
}
