//! The engine: the core behind WIT. One function per WIT item and conversions between two spellings of the same
//! types; no rule lives here.

#![allow(missing_docs, reason = "generated from wit/hydrant.wit, which documents every item")]

wit_bindgen::generate!({ world: "engine", path: "../../wit" });

mod convert;
mod ledgers;
mod operations;
mod pure;

/// The component.
struct Engine;

export!(Engine);
