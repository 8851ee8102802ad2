//! Texts, the encodings that they stand in, and the way back to the raw bytes.

pub(crate) mod decode;
pub(crate) mod deltas;
pub(crate) mod json;
pub(crate) mod view;
