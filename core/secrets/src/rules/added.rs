//! Tokens that a repository adds to the table. They only add: nothing built in is switched off by one.

use super::{Rules, RulesError, regex};
use crate::limits::{ADDED_PATTERN_BYTES_MAX, ADDED_TOKENS_MAX};
use alloc::string::String;
use alloc::vec::Vec;

/// Bytes of the text that tells of a token at least: a shorter one stands everywhere.
const BEGIN_BYTES_MIN: usize = 3;

/// A token of a repository's own.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AddedToken {
    /// What markers and reports call it: small letters, digits and hyphens.
    pub kind: String,
    /// Texts of which each such token has one at its beginning.
    pub begins: Vec<String>,
    /// All of it, as a regular expression over bytes.
    pub pattern: String,
    /// Texts in which it must be found.
    pub finds: Vec<String>,
    /// Texts in which nothing of its kind may be found.
    pub ignores: Vec<String>,
}

impl AddedToken {
    /// Whether it can be used.
    pub(super) fn check(&self, rules: &Rules) -> Result<(), RulesError> {
        let wrong = |what: &str| RulesError(format!("{}: {what}", self.kind));
        let is_kind = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
        if self.kind.is_empty() || !self.kind.bytes().all(is_kind) {
            return Err(RulesError("a kind has small letters, digits and hyphens".into()));
        }
        if rules.kinds.iter().filter(|kind| **kind == self.kind).count() > 1 {
            return Err(wrong("there is another rule of this kind"));
        }
        if self.begins.is_empty() || self.begins.iter().any(|text| text.len() < BEGIN_BYTES_MIN) {
            return Err(wrong("`begins` has texts of three bytes or more, with which such a token begins"));
        }
        if self.pattern.len() > ADDED_PATTERN_BYTES_MAX {
            return Err(wrong("the pattern is too long"));
        }
        let pattern = regex(&self.pattern).map_err(|RulesError(why)| wrong(&format!("the pattern: {why}")))?;
        if pattern.is_match("") {
            return Err(wrong("the pattern takes a text of nothing"));
        }
        if self.finds.is_empty() {
            return Err(wrong("`finds` has a text in which it is found"));
        }
        Ok(())
    }
}

/// Whether there are not too many.
pub(super) fn check_count(added: &[AddedToken]) -> Result<(), RulesError> {
    match added.len() > ADDED_TOKENS_MAX {
        true => Err(RulesError(format!("more than {ADDED_TOKENS_MAX} rules are added"))),
        false => Ok(()),
    }
}
