//! What is looked for: the built-in rules, and those that a repository adds.

mod added;
mod check;
mod named;
mod start;
mod table;

pub use added::AddedToken;
pub use check::Check;
pub use named::Named;
pub use start::Start;
pub use table::TOKENS;

use crate::looks::{address, header, keyed, pem};
use aho_corasick::{AhoCorasick, AhoCorasickKind, Input};
use alloc::boxed::Box;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::ops::Range;
use regex_automata::meta::{self, Regex};
use regex_automata::util::lazy::Lazy;
use regex_automata::util::syntax;
use regex_automata::{Anchored, Input as Text};
use start::is_of_word;

/// Bytes of a token at most.
const TOKEN_BYTES_MAX: usize = 16 * 1024;

/// What follows the text that tells of a token is the part that chance made. Fewer bytes are what a provider adds.
const RANDOM_BYTES_MIN: usize = 12;

/// A token that can be told by its looks.
#[derive(Clone, Copy, Debug)]
pub struct Token {
    /// What markers and reports call it.
    pub kind: &'static str,
    /// What it is.
    pub what: &'static str,
    /// Where its provider says what it looks like.
    pub source: &'static str,
    /// Texts of which each token has one, mostly at its beginning.
    pub begins: &'static [&'static str],
    /// Where it begins, as seen from that text.
    pub start: Start,
    /// All of it, as a regular expression over bytes.
    pub pattern: &'static str,
    /// What else must hold.
    pub check: Check,
}

/// A kind of secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Kind(u16);

impl Kind {
    /// A value that whoever calls has named.
    pub const NAMED: Self = Self(0);
    /// A private key between lines of PEM.
    pub const PRIVATE_KEY: Self = Self(1);
    /// The password of an address.
    pub const ADDRESS: Self = Self(2);
    /// A login of a header.
    pub const HEADER: Self = Self(3);
    /// A value beside the name of a secret.
    pub const KEYED: Self = Self(4);
    /// What a command printed whose output is a credential.
    pub const COMMAND_OUTPUT: Self = Self(5);
}

/// The names of the kinds that are no tokens, in their order.
const OTHER_KINDS: [&str; 6] =
    ["named-value", "private-key", "url-password", "authorization", "keyed-value", "command-output"];

/// Why rules cannot be used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RulesError(pub String);

/// What is looked for, made ready.
#[derive(Debug)]
pub struct Rules {
    kinds: Vec<String>,
    begins: AhoCorasick,
    meanings: Vec<Meaning>,
    /// What tells of tokens, as it is written: the search for it takes capitals for small letters.
    told_by: Vec<Vec<u8>>,
    /// The patterns of the tokens, in the order of the table, each made ready when it is needed first.
    patterns: Vec<Pattern>,
    starts: Vec<Start>,
    checks: Vec<Check>,
}

/// What a text begins that was found.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Meaning {
    /// The token of this row of the table.
    Token(usize),
    PrivateKey,
    Address,
    Scheme,
    Word,
}

impl Rules {
    /// The built-in ones.
    pub fn built_in() -> Result<Self, RulesError> {
        Self::with(&[])
    }

    /// The built-in ones, and these.
    pub fn with(added: &[AddedToken]) -> Result<Self, RulesError> {
        added::check_count(added)?;
        let rules = Self::of(TOKENS, added)?;
        added.iter().try_for_each(|token| token.check(&rules))?;
        Ok(rules)
    }

    fn of(tokens: &[Token], added: &[AddedToken]) -> Result<Self, RulesError> {
        let mut begins: Vec<(&[u8], Meaning)> = Vec::new();
        for (row, token) in tokens.iter().enumerate() {
            begins.extend(token.begins.iter().map(|text| (text.as_bytes(), Meaning::Token(row))));
        }
        for (row, token) in (tokens.len()..).zip(added) {
            begins.extend(token.begins.iter().map(|text| (text.as_bytes(), Meaning::Token(row))));
        }
        begins.push((pem::BEGIN, Meaning::PrivateKey));
        begins.push((address::SIGN, Meaning::Address));
        begins.extend(header::SCHEMES.map(|scheme| (scheme.as_bytes(), Meaning::Scheme)));
        let words: Vec<String> = keyed::begins().collect();
        begins.extend(words.iter().map(|word| (word.as_bytes(), Meaning::Word)));
        let texts = begins.iter().map(|(text, _)| text);
        let told_by = begins.iter().take_while(|(_, meaning)| matches!(meaning, Meaning::Token(_)));
        let automaton =
            AhoCorasick::builder().ascii_case_insensitive(true).kind(Some(AhoCorasickKind::DFA)).build(texts);
        let kinds = OTHER_KINDS.into_iter().chain(tokens.iter().map(|token| token.kind));
        let kinds = kinds.chain(added.iter().map(|token| token.kind.as_str()));
        let patterns = tokens.iter().map(|token| token.pattern.to_string());
        let patterns = patterns.chain(added.iter().map(|token| token.pattern.clone()));
        let starts = tokens.iter().map(|token| token.start).chain(added.iter().map(|_| Start::There));
        let checks = tokens.iter().map(|token| token.check).chain(added.iter().map(|_| Check::Nothing));
        Ok(Self {
            kinds: kinds.map(ToString::to_string).collect(),
            begins: automaton.map_err(|error| RulesError(error.to_string()))?,
            meanings: begins.iter().map(|(_, meaning)| *meaning).collect(),
            told_by: told_by.map(|(text, _)| text.to_vec()).collect(),
            patterns: patterns.map(pattern_of).collect(),
            starts: starts.collect(),
            checks: checks.collect(),
        })
    }

    /// What reports call a kind.
    pub fn name(&self, kind: Kind) -> &str {
        self.kinds.get(usize::from(kind.0)).map_or("", |name| name)
    }

    /// The places in a text where a secret may begin.
    pub(crate) fn each_beginning(&self, text: &[u8], mut each: impl FnMut(Meaning, Range<usize>)) {
        for found in self.begins.find_overlapping_iter(Input::new(text)) {
            let at = found.pattern().as_usize();
            if self.told_by.get(at).is_none_or(|as_written| text[found.range()] == **as_written) {
                each(self.meanings[at], found.range());
            }
        }
    }

    /// The token of a row of the table, where a text stands that tells of one.
    pub(crate) fn token(&self, text: &[u8], row: usize, told: Range<usize>) -> Option<(Kind, Range<usize>)> {
        let at = self.starts[row].of(text, &told)?;
        let end = text.len().min(at + TOKEN_BYTES_MAX);
        let pattern = self.patterns[row].as_ref()?;
        let found = pattern.find(Text::new(text).range(at..end).anchored(Anchored::Yes))?.range();
        let last = text[found.end.checked_sub(1)?];
        let goes_on = (is_of_word(&last) || last == b'-') && text.get(found.end).is_some_and(is_of_word);
        let behind = found.end.saturating_sub(told.end);
        let random = if behind >= RANDOM_BYTES_MIN { told.end..found.end } else { at..told.start };
        if goes_on || !self.checks[row].holds(&text[found.clone()], &text[random]) {
            return None;
        }
        let kind = u16::try_from(OTHER_KINDS.len() + row).ok()?;
        Some((Kind(kind), found))
    }
}

/// A pattern that is made ready at its first use. None: it is no regular expression.
type Pattern = Lazy<Option<Regex>, Box<dyn Fn() -> Option<Regex> + Send + Sync>>;

fn pattern_of(pattern: String) -> Pattern {
    Lazy::new(Box::new(move || regex(&pattern).ok()))
}

/// A regular expression over bytes.
fn regex(pattern: &str) -> Result<Regex, RulesError> {
    let built = Regex::builder()
        .syntax(syntax::Config::new().unicode(false).utf8(false))
        .configure(meta::Config::new().utf8_empty(false))
        .build(pattern);
    built.map_err(|error| RulesError(error.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_pattern_of_the_table_is_a_regular_expression() {
        for token in TOKENS {
            assert!(regex(token.pattern).is_ok(), "{}", token.kind);
        }
    }
}
