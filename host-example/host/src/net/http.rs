//! The network of this host: which connections are made, with which certificates and proxies, and whose turn it is.
//!
//! One exchange over them is the business of `exchange`.

mod client;
mod stage_right;

pub(crate) use client::Http;
pub use client::{HttpOptions, Way};
pub(crate) use stage_right::{StageRight, StageRights};
