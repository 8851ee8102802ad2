//! What stands in a working tree, and what takes its place.

pub(crate) mod in_place;
pub(crate) mod patterns;
pub mod pointer_files;
pub(crate) mod restoring;
pub mod scan;
pub(crate) mod swap;
