//! What is published in another form than it lies here.

use crate::gate::copies::Copies;
use crate::sessions::remembered::Known;

/// What is published in another form than it lies here.
#[derive(Default)]
pub(super) struct Redacted {
    /// A pass for the manifest's list of redactions.
    pub(super) pass: Option<String>,
    /// Places in which a marker stands now.
    pub(super) places: usize,
    /// Originals that gave way, by their names in `kept`.
    pub(super) kept: Vec<String>,
    /// The files as they were before, where that was looked at.
    pub(super) states: Option<Vec<Known>>,
    /// Gone with this.
    pub(super) copies: Option<Copies>,
}
