//! The ground: what a word on the wire or in a file can be, the errors that speak of it, and every bound.

pub mod dates;
pub mod error;
pub mod headers;
pub mod json;
pub mod limits;
pub mod oid;
pub mod url;
