//! What stands in a working tree, and what takes its place.

pub mod in_place;
pub mod patterns;
pub mod pointer_files;
pub mod restoring;
pub mod scan;
pub(crate) mod swap;
