//! The formats of Git LFS as pure functions: text in, facts out.

pub mod batch;
pub mod endpoint;
pub mod pointer;
pub mod response_error;
