//! The network: which address may be asked, with which login, over which connections.

pub mod address;
pub(crate) mod failure;
pub(crate) mod git_http;
pub mod http;
pub mod login;
pub mod secret;
pub(crate) mod ssh;
mod url_match;
mod user_file;
