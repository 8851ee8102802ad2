//! Texts that know where secrets stand in them, whatever these are written in.

use super::{Random, base64};
use std::iter;

/// Pieces of a text, each with the number of the secret that it is a part of.
#[derive(Clone, Debug, Default)]
pub(crate) struct Text(pub(crate) Vec<(String, Option<usize>)>);

impl Text {
    pub(crate) fn plain(text: impl Into<String>) -> Self {
        Self(vec![(text.into(), None)])
    }

    pub(crate) fn secret(value: impl Into<String>) -> Self {
        Self(vec![(value.into(), Some(0))])
    }

    /// A template with a text in the place of each `@@`. Each time it has other secrets.
    pub(crate) fn fill(template: &str, text: &Self) -> Self {
        let count = text.0.iter().filter_map(|(_, secret)| *secret).max().map_or(0, |last| last + 1);
        let mut filled = Self::default();
        for (turn, part) in template.split("@@").enumerate() {
            if turn > 0 {
                let again = |secret: &usize| secret + (turn - 1) * count;
                filled.0.extend(text.0.iter().map(|(piece, secret)| (piece.clone(), secret.as_ref().map(again))));
            }
            filled.0.push((part.to_owned(), None));
        }
        filled
    }

    pub(crate) fn then(mut self, other: Self) -> Self {
        self.0.extend(other.0);
        self
    }

    /// Each character by itself in another spelling.
    pub(crate) fn written(&self, write: impl Fn(char) -> String) -> Self {
        let all = |piece: &str| piece.chars().map(&write).collect();
        Self(self.0.iter().map(|(piece, secret)| (all(piece), *secret)).collect())
    }

    /// All of it in base64. What stands for a part of a secret belongs to it.
    pub(crate) fn in_base64(&self, alphabet: &str) -> Self {
        let whole = base64(alphabet, self.text().as_bytes());
        let mut written = Self::default();
        let (mut behind, mut given) = (0, 0);
        for (piece, secret) in &self.0 {
            let (from, until) = (behind / 3 * 4, (behind + piece.len()).div_ceil(3) * 4);
            behind += piece.len();
            let (from, until) = (from.max(given), until.min(whole.len()));
            if secret.is_some() && from < until {
                written.0.push((whole[given..from].to_owned(), None));
                written.0.push((whole[from..until].to_owned(), *secret));
                given = until;
            }
        }
        written.0.push((whole[given..].to_owned(), None));
        written
    }

    /// In pieces of a few characters, as models stream them.
    pub(crate) fn cut(&self, random: &mut Random) -> Vec<Self> {
        let each_char = self.0.iter().flat_map(|(piece, secret)| piece.chars().zip(iter::repeat(*secret)));
        let mut chars = each_char.peekable();
        let mut parts = Vec::new();
        while chars.peek().is_some() {
            let mut part = Self::default();
            for (char, secret) in chars.by_ref().take(random.between(2, 14)) {
                match part.0.last_mut().filter(|(_, last)| *last == secret) {
                    Some((piece, _)) => piece.push(char),
                    None => part.0.push((char.to_string(), secret)),
                }
            }
            parts.push(part);
        }
        parts
    }

    pub(crate) fn text(&self) -> String {
        self.0.iter().map(|(piece, _)| piece.as_str()).collect()
    }
}

/// Source: RFC 8259, section 7: what must be escaped in a string.
pub(crate) fn in_json(char: char) -> String {
    match char {
        '"' => "\\\"".to_owned(),
        '\\' => "\\\\".to_owned(),
        '\n' => "\\n".to_owned(),
        '\t' => "\\t".to_owned(),
        _ => char.to_string(),
    }
}

/// As PHP and others write strings of JSON.
pub(crate) fn in_json_with_slashes(char: char) -> String {
    if char == '/' { "\\/".to_owned() } else { in_json(char) }
}

/// Every sign and every third letter as its number.
pub(crate) fn in_json_by_number(char: char) -> String {
    let is_plain = char.is_ascii_alphanumeric() && u32::from(char) % 3 > 0;
    if is_plain { char.to_string() } else { format!("\\u{:04x}", u32::from(char)) }
}

/// Source: RFC 3986, section 2.3: what may stand in an address as it is.
pub(crate) fn in_percent(char: char) -> String {
    let is_plain = char.is_ascii_alphanumeric() || "-._~".contains(char);
    if is_plain { char.to_string() } else { each_byte(char, |byte| format!("%{byte:02X}")) }
}

pub(crate) fn in_hex(char: char) -> String {
    each_byte(char, |byte| format!("{byte:02x}"))
}

fn each_byte(char: char, write: fn(u8) -> String) -> String {
    char.to_string().bytes().map(write).collect()
}
