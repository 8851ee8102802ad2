//! The contract between an operation and its host, as types. `wit/` says the same in WIT, word for word.
//!
//! [`effect`] is the loop, [`http`] what goes over the wire, [`ledger`] what only operations on a ledger ask for;
//! [`config`] is the settings of an operation, [`request`] and [`report`] what goes in and what comes out.

pub mod config;
pub mod effect;
pub mod http;
pub mod ledger;
pub mod phase;
pub mod report;
pub mod request;

pub use config::{Config, HostLimits};
pub use effect::*;
pub use http::*;
pub use ledger::*;
pub use phase::Phase;
pub use report::{Outcome, TransferReport};
pub use request::{Direction, Source, Want};
