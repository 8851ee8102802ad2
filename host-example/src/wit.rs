//! The contract of `wit/hydrant.wit` as Rust types. Generated; the meaning of each item stands in the WIT file.

#![allow(missing_docs, unreachable_pub, clippy::all)]

wasmtime::component::bindgen!({ path: "../wit", world: "engine", additional_derives: [PartialEq] });

pub use exports::hydrant::lfs::{batches, endpoints, ledgers, manifests, operations, pointers, types};
