//! The core behind WIT. One function per WIT item and conversions between two spellings of the same types; no rule
//! lives here.
//!
//! Two packages are made of these sources. `hydrant-engine` has the feature `ledger`, which adds exports and changes
//! none; `hydrant-transfers` has not. Each is the world of its name.

#![allow(missing_docs, reason = "generated from wit/, which documents every item")]

#[cfg(feature = "ledger")]
wit_bindgen::generate!({ world: "hydrant-engine", path: "../../wit" });
#[cfg(not(feature = "ledger"))]
wit_bindgen::generate!({ world: "hydrant-transfers", path: "../../wit" });

mod batches;
mod convert;
mod endpoints;
#[cfg(feature = "ledger")]
mod ledger;
mod machine;
mod operations;
mod pointers;

/// The component.
struct Engine;

export!(Engine);
