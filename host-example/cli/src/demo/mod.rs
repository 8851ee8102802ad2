//! What `hydrant demo` shows: made-up content, and the git repositories it lives in.

pub(crate) mod content;
pub(crate) mod manifest;
pub(crate) mod world;
