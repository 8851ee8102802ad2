//! One file for each command.

pub(crate) mod batch;
pub(crate) mod cache;
pub(crate) mod completions;
pub(crate) mod demo;
pub(crate) mod doctor;
pub(crate) mod draft;
pub(crate) mod hydrate;
mod hydrate_sessions;
mod hydrate_tree;
pub(crate) mod locks;
pub(crate) mod man;
pub(crate) mod orphans;
pub(crate) mod pointer;
pub(crate) mod publish;
pub(crate) mod reconcile;
pub(crate) mod restore;
pub(crate) mod scan;
pub(crate) mod serve;
pub(crate) mod show;
pub(crate) mod status;
pub(crate) mod upload;
pub(crate) mod verify;
