//! Where the words of a server stand in what the engine reports.

use crate::contract::batches::Verdict;
use crate::contract::operations::{BatchOutcome, LfsLock, LockReport, TransferReport};
use crate::contract::sessions::{PublishReport, ReconcileReport};
use crate::contract::types::Error;

/// A report with words of a server's.
pub(crate) trait OfServer {
    /// Shows each text that a server wrote for people. What it wrote for programs, such as an id, is none.
    fn each_words(&mut self, see: &mut dyn FnMut(&mut String));
}

impl OfServer for Error {
    fn each_words(&mut self, see: &mut dyn FnMut(&mut String)) {
        see(&mut self.detail);
    }
}

impl<T> OfServer for Result<T, Error> {
    fn each_words(&mut self, see: &mut dyn FnMut(&mut String)) {
        self.as_mut().err().into_iter().for_each(|error| error.each_words(see));
    }
}

impl OfServer for TransferReport {
    fn each_words(&mut self, see: &mut dyn FnMut(&mut String)) {
        self.ended.each_words(see);
        self.outcomes.iter_mut().for_each(|one| one.ended.each_words(see));
    }
}

impl OfServer for Vec<BatchOutcome> {
    fn each_words(&mut self, see: &mut dyn FnMut(&mut String)) {
        for one in self {
            one.answer.each_words(see);
            if let Ok(object) = &mut one.answer
                && let Verdict::Refused(refusal) = &mut object.verdict
            {
                see(&mut refusal.message);
            }
        }
    }
}

impl OfServer for LockReport {
    fn each_words(&mut self, see: &mut dyn FnMut(&mut String)) {
        self.ended.each_words(see);
        let owners = self.locks.iter_mut().chain(&mut self.theirs).filter_map(|lock: &mut LfsLock| lock.owner.as_mut());
        owners.for_each(see);
    }
}

impl OfServer for PublishReport {
    fn each_words(&mut self, see: &mut dyn FnMut(&mut String)) {
        self.ended.each_words(see);
        self.files.iter_mut().filter_map(|file| file.reason.as_mut()).for_each(|why| why.each_words(see));
    }
}

impl OfServer for ReconcileReport {
    fn each_words(&mut self, see: &mut dyn FnMut(&mut String)) {
        self.ended.each_words(see);
        self.repairable.each_words(see);
        self.unknown.iter_mut().for_each(|one| one.error.each_words(see));
    }
}
