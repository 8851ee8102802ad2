//! The real `hydrant` program, against the embedded server, real git and, where it is installed, the real git-lfs.

#[path = "../publish/child.rs"]
#[allow(dead_code, reason = "shared with the tests of publishing against real git, which use all of it")]
mod child;
mod doctor;
mod draft;
mod hostile;
mod ledgers;
mod lock_holders;
mod locks;
mod objects;
mod orphans;
mod pointers;
mod publish;
mod reconcile;
mod regenerate;
mod restore;
mod scale;
mod scene;
mod schemas;
mod secrets;
mod signals;
mod status_report;
mod trees;
mod trust;
mod verify;
#[path = "../publish/ledger.rs"]
#[allow(dead_code, reason = "shared with the tests of publishing against real git, which use all of it")]
mod world;

use world as ledger;
