//! What is looked for: the built-in rules, and those that a repository adds.

mod check;
mod table;

pub use check::Check;
pub use table::TOKENS;

use crate::{address, header, keyed, pem};
use aho_corasick::{AhoCorasick, AhoCorasickKind, Input};
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::ops::Range;
use regex_automata::meta::{self, Regex};
use regex_automata::util::syntax;
use regex_automata::{Anchored, Input as Text};

/// Bytes of a token at most.
const TOKEN_BYTES_MAX: usize = 16 * 1024;

/// A token that can be told by its looks.
#[derive(Clone, Copy, Debug)]
pub struct Token {
    /// What markers and reports call it.
    pub kind: &'static str,
    /// What it is.
    pub what: &'static str,
    /// Where its provider says what it looks like.
    pub source: &'static str,
    /// Texts of which each token begins with one.
    pub begins: &'static [&'static str],
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
    tokens: Regex,
    checks: Vec<Check>,
}

/// What a text begins that was found.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Meaning {
    Token,
    PrivateKey,
    Address,
    Scheme,
    Word,
}

impl Rules {
    /// The built-in ones.
    pub fn built_in() -> Result<Self, RulesError> {
        Self::of(TOKENS)
    }

    fn of(tokens: &[Token]) -> Result<Self, RulesError> {
        let mut begins: Vec<(&[u8], Meaning)> = Vec::new();
        for token in tokens {
            begins.extend(token.begins.iter().map(|text| (text.as_bytes(), Meaning::Token)));
        }
        begins.push((pem::BEGIN, Meaning::PrivateKey));
        begins.push((address::SIGN, Meaning::Address));
        begins.extend(header::SCHEMES.map(|scheme| (scheme.as_bytes(), Meaning::Scheme)));
        begins.extend(keyed::WORDS.map(|word| (word.as_bytes(), Meaning::Word)));
        let texts = begins.iter().map(|(text, _)| text);
        let automaton = AhoCorasick::builder().ascii_case_insensitive(true).kind(Some(AhoCorasickKind::DFA)).build(texts);
        let patterns: Vec<&str> = tokens.iter().map(|token| token.pattern).collect();
        let regex = Regex::builder()
            .syntax(syntax::Config::new().unicode(false).utf8(false))
            .configure(meta::Config::new().utf8_empty(false))
            .build_many(&patterns);
        let kinds = OTHER_KINDS.into_iter().chain(tokens.iter().map(|token| token.kind));
        Ok(Self {
            kinds: kinds.map(ToString::to_string).collect(),
            begins: automaton.map_err(|error| RulesError(error.to_string()))?,
            meanings: begins.iter().map(|(_, meaning)| *meaning).collect(),
            tokens: regex.map_err(|error| RulesError(error.to_string()))?,
            checks: tokens.iter().map(|token| token.check).collect(),
        })
    }

    /// What reports call a kind.
    pub fn name(&self, kind: Kind) -> &str {
        self.kinds.get(usize::from(kind.0)).map_or("", |name| name)
    }

    /// The places in a text where a secret may begin.
    pub(crate) fn each_beginning(&self, text: &[u8], mut each: impl FnMut(Meaning, Range<usize>)) {
        for found in self.begins.find_overlapping_iter(Input::new(text)) {
            each(self.meanings[found.pattern().as_usize()], found.range());
        }
    }

    /// The token that begins here.
    pub(crate) fn token(&self, text: &[u8], at: usize) -> Option<(Kind, Range<usize>)> {
        let is_of_word = |byte: &u8| byte.is_ascii_alphanumeric() || *byte == b'_';
        let is_within_word = at > 0 && is_of_word(&text[at - 1]) && is_of_word(&text[at]);
        if is_within_word {
            return None;
        }
        let end = text.len().min(at + TOKEN_BYTES_MAX);
        let found = self.tokens.find(Text::new(text).range(at..end).anchored(Anchored::Yes))?;
        let goes_on = is_of_word(&text[found.end() - 1]) && text.get(found.end()).is_some_and(is_of_word);
        let rule = found.pattern().as_usize();
        if goes_on || !self.checks[rule].holds(&text[found.range()]) {
            return None;
        }
        let kind = u16::try_from(OTHER_KINDS.len() + rule).ok()?;
        Some((Kind(kind), found.range()))
    }
}
