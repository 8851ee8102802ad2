//! One file for each command: what it is given, what it does, and what it says.

use std::env;

use hydrant_host::contract::error::Fault;
use hydrant_host::repository::Repository;

pub(crate) mod batch;
pub(crate) mod cache;
pub(crate) mod completions;
pub(crate) mod demo;
pub(crate) mod doctor;
pub(crate) mod draft;
pub(crate) mod hooks;
pub(crate) mod hydrate;
pub(crate) mod locks;
pub(crate) mod man;
pub(crate) mod orphans;
pub(crate) mod pointer;
pub(crate) mod publish;
pub(crate) mod reconcile;
pub(crate) mod redact;
pub(crate) mod regenerate;
pub(crate) mod restore;
pub(crate) mod scan;
pub(crate) mod serve;
pub(crate) mod show;
pub(crate) mod status;
pub(crate) mod upload;
pub(crate) mod verify;

/// The repository that a command was called in.
fn repository() -> Result<Repository, Fault> {
    Repository::of_environment(env::current_dir()?)
}

/// The same, for a command that needs none.
fn repository_if_any() -> Result<Option<Repository>, Fault> {
    Repository::of_environment_if_any(env::current_dir()?)
}
