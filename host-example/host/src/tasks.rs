//! What a command does, without arguments, output and exit codes: the methods of [`Client`].

mod advice;
pub(crate) mod assets;
pub mod cache;
pub mod client;
pub(crate) mod content_in_git;
pub mod doctor;
pub mod draft;
pub mod endpoint;
pub(crate) mod held;
pub mod hooks;
pub mod hydrate;
pub mod locks;
pub mod object_list;
pub mod orphans;
pub(crate) mod passing;
pub mod publish;
pub mod reconcile;
pub mod redact;
pub mod restore;
pub mod show;
pub mod status;
pub mod transfer;
pub mod upload;
pub mod verify;

pub use client::Client;
