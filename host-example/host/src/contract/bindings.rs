//! The contract of `wit/` as Rust types. Generated; the meaning of each item stands in the WIT files. Modules tell
//! names apart in Rust, so those that carry a word more in WIT are short here.

#![allow(missing_docs, unreachable_pub, clippy::all)]

wasmtime::component::bindgen!({ path: "../../wit", world: "hydrant-engine", additional_derives: [PartialEq] });

pub use HydrantEngine as World;
pub use HydrantEnginePre as WorldPre;
pub use exports::hydrant::lfs::{batches, endpoints, ledgers, manifests, operations, pointers, sessions};

pub mod types {
    pub use super::exports::hydrant::lfs::types::*;
    pub use HttpRequest as Request;
    pub use LfsBlob as Blob;
    pub use LfsError as Error;
    pub use RequestBody as Body;
}
