//! The network of this host: which connections are made, with which certificates and proxies, and whose turn it is.
//!
//! One exchange over them is the business of `exchange`.

mod authority;
mod client;
mod options;
mod proxy;
mod stage_right;
mod tls;

pub(crate) use client::Http;
pub use options::{ClientCertificate, HttpOptions, Way, WayTo};
pub(crate) use stage_right::{StageRight, StageRights};
