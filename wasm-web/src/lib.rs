//! The core behind wasm-bindgen. One function for each item of WIT, and no rule.
//!
//! Two packages are made of these sources. `hydrant-web` reads; `hydrant-web-full` has the feature `full`, which adds
//! exports and changes none.
//!
//! Without the standard library, whose words for panics would be a tenth of a module.

#![no_std]

extern crate alloc;

#[cfg(feature = "full")]
mod batches;
#[cfg(feature = "full")]
mod endpoints;
mod forms;
mod functions;
mod lane;
mod machine;
mod operation;
mod platform;
