//! What the fuzzers call, one function a target: arbitrary bytes in, a panic when a promise is broken.
//!
//! The same functions are run over the committed corpus by every test run, so that what was found once stays found.

mod batch_answer;
mod bytes;
mod manifest;
mod pointer;
mod replies;

pub use batch_answer::batch_answer;
pub use manifest::manifest;
pub use pointer::pointer;
pub use replies::replies;

/// Takes any bytes, and panics when a promise is broken.
pub type Target = fn(&[u8]);

/// Every target with its name, which is also its folder of the corpus.
pub const TARGETS: [(&str, Target); 4] =
    [("batch_answer", batch_answer), ("manifest", manifest), ("pointer", pointer), ("replies", replies)];
