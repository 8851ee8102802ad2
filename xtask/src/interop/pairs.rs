//! What came of each client with each server, step by step: the table at the end of a run.

use crate::failure::{Failure, Result};
use std::cell::RefCell;

/// What each pair is put through. `token` is an upload with a wrong one, `missing` a download of what nobody uploaded;
/// both must be refused.
pub(crate) const STEPS: [&str; 6] = ["up", "again", "has", "down", "token", "missing"];

/// Pairs as they come.
#[derive(Default)]
pub(crate) struct Pairs(RefCell<Vec<Vec<String>>>);

/// One pair at work.
pub(crate) struct Pair<'a> {
    pairs: &'a Pairs,
    cells: Vec<String>,
}

impl Pairs {
    pub(crate) fn begin(&self, client: &str, server: &str) -> Pair<'_> {
        let cells = [client, server].into_iter().chain(STEPS.map(|_| "-")).map(String::from).collect();
        Pair { pairs: self, cells }
    }

    /// The table, its head first.
    pub(crate) fn rows(&self) -> Vec<Vec<String>> {
        let head = ["client", "server"].into_iter().chain(STEPS).map(String::from).collect();
        std::iter::once(head).chain(self.0.borrow().iter().cloned()).collect()
    }
}

impl Pair<'_> {
    /// Notes a step; the first that does not go well ends the pair.
    pub(crate) fn step<T>(&mut self, name: &str, run: impl FnOnce() -> Result<T>) -> Result<T> {
        let came = run();
        if let Some(at) = STEPS.iter().position(|step| *step == name) {
            self.cells[2 + at] = if came.is_ok() { "well" } else { "FAILED" }.to_owned();
        }
        came.map_err(|why| Failure::new(format!("{} with {}, {name}: {why}", self.cells[0], self.cells[1])))
    }
}

impl Drop for Pair<'_> {
    fn drop(&mut self) {
        self.pairs.0.borrow_mut().push(std::mem::take(&mut self.cells));
    }
}
