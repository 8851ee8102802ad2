//! Why a task cannot go on: one sentence, made where the cause is known.

use std::fmt;

/// One sentence for people.
#[derive(Debug)]
pub(crate) struct Failure(String);

/// What every step of a task returns.
pub(crate) type Result<T> = std::result::Result<T, Failure>;

impl Failure {
    /// A failure in these words.
    pub(crate) fn new(sentence: impl Into<String>) -> Self {
        Self(sentence.into())
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Turns any error into a [`Failure`] that says what was being done.
pub(crate) trait Because<T> {
    /// `what` stands before the error's own words.
    fn because(self, what: impl fmt::Display) -> Result<T>;
}

impl<T, E: fmt::Display> Because<T> for std::result::Result<T, E> {
    fn because(self, what: impl fmt::Display) -> Result<T> {
        // `{:#}` shows the whole chain of causes where the error has one.
        self.map_err(|cause| Failure(format!("{what}: {cause:#}")))
    }
}
