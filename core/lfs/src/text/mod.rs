//! The base of all rooms: oids, URLs, JSON, dates and headers as text, the errors, and every limit.

pub mod dates;
pub mod error;
pub mod headers;
pub mod json;
pub mod limits;
pub mod oid;
pub mod url;
