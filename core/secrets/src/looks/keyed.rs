//! Values beside the name of a secret: `password = …`, `"api_key": "…"`, `--token …`, `<secret>…</secret>`.

use crate::looks::plausible;
use core::ops::Range;

/// Words that begin the search for such a name.
pub(crate) const WORDS: [&str; 12] = [
    "password",
    "passwd",
    "passphrase",
    "secret",
    "token",
    "apikey",
    "api_key",
    "api-key",
    "access_key",
    "accesskey",
    "private_key",
    "credential",
];
/// Words that make another thing of it when they follow: what is counted, named or placed.
const OTHER_THINGS: [&str; 34] = [
    "s",
    "id",
    "ids",
    "count",
    "counts",
    "name",
    "names",
    "url",
    "uri",
    "path",
    "file",
    "type",
    "length",
    "len",
    "size",
    "limit",
    "max",
    "min",
    "index",
    "at",
    "in",
    "expires",
    "expiry",
    "expiration",
    "hash",
    "field",
    "label",
    "prompt",
    "usage",
    "budget",
    "ref",
    "policy",
    "version",
    "arn",
];
/// Bytes of a name at most.
const NAME_BYTES_MAX: usize = 64;

/// Whether a name is one of a secret.
pub fn names_a_secret(name: &[u8]) -> bool {
    if name.len() > NAME_BYTES_MAX {
        return false;
    }
    let lower = name.to_ascii_lowercase();
    let ends = WORDS.iter().filter_map(|word| {
        let at = lower.windows(word.len()).rposition(|part| part == word.as_bytes())?;
        Some(at + word.len())
    });
    let Some(end) = ends.max() else { return false };
    let rest = &lower[end..];
    let mut words = rest.split(|byte| b"_-.".contains(byte)).filter(|word| !word.is_empty());
    // `token2` and `password_prod` are secrets, `token_count` and `tokens` are none. Humps are words as well.
    let is_hump = name[end..].first().is_some_and(u8::is_ascii_uppercase);
    if !rest.is_empty() && !is_hump && rest[0].is_ascii_lowercase() {
        return false;
    }
    !words.any(|word| OTHER_THINGS.iter().any(|other| word == other.as_bytes()))
}

/// The value that a text gives to the name of a secret around this word, where it can be one.
pub(crate) fn value_beside(text: &[u8], word: Range<usize>) -> Option<Range<usize>> {
    let name = name_around(text, word);
    if !names_a_secret(&text[name.clone()]) {
        return None;
    }
    // Parts of a longer name are no assignment: `arn:aws:secretsmanager:…:secret:name`.
    if name.start > 0 && text[name.start - 1] == b':' {
        return None;
    }
    let is_option = text[name.clone()].starts_with(b"--");
    let mut at = name.end;
    // The name may be in quotes or brackets: `"token": …`, `env['token'] = …`.
    at += count(text, at, |byte| b"\"'`])".contains(&byte));
    let blanks = count(text, at, is_blank);
    at += blanks;
    let separator = separator(&text[at..], is_option && blanks > 0)?;
    at += separator;
    at += count(text, at, is_blank);
    let value = value_at(text, at)?;
    plausible::is_plausible(&text[value.clone()]).then_some(value)
}

fn name_around(text: &[u8], word: Range<usize>) -> Range<usize> {
    let is_of_name = |byte: &u8| byte.is_ascii_alphanumeric() || b"_-.".contains(byte);
    let before = text[..word.start].iter().rev().take(NAME_BYTES_MAX).take_while(|byte| is_of_name(byte)).count();
    let after = text[word.end..].iter().take(NAME_BYTES_MAX).take_while(|byte| is_of_name(byte)).count();
    word.start - before..word.end + after
}

/// Bytes of what stands between a name and its value; none where that is no assignment.
fn separator(text: &[u8], is_option: bool) -> Option<usize> {
    // Comparisons assign nothing.
    for comparison in [&b"=="[..], b"=~", b"!=", b"::"] {
        if text.starts_with(comparison) {
            return None;
        }
    }
    for assignment in [&b":="[..], b"=>", b"=", b":", b">"] {
        if text.starts_with(assignment) {
            return Some(assignment.len());
        }
    }
    is_option.then_some(0)
}

fn value_at(text: &[u8], at: usize) -> Option<Range<usize>> {
    let quote = *text.get(at)?;
    if b"\"'`".contains(&quote) {
        let from = at + 1;
        let end = from + text[from..].iter().position(|byte| *byte == quote || *byte == b'\n')?;
        return (text[end] == quote).then_some(from..end);
    }
    let is_of_value = |byte: u8| byte.is_ascii_graphic() && !b"\"'`,;<>(){}[]|\\".contains(&byte);
    let length = count(text, at, is_of_value);
    // What follows belongs to it: an expression, no value.
    let follows = text.get(at + length).copied().unwrap_or(b'\n');
    if b"({[".contains(&follows) {
        return None;
    }
    (length > 0).then_some(at..at + length)
}

fn is_blank(byte: u8) -> bool {
    byte == b' ' || byte == b'\t'
}

fn count(text: &[u8], from: usize, is: impl Fn(u8) -> bool) -> usize {
    text.get(from..).unwrap_or_default().iter().take_while(|byte| is(**byte)).count()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_secrets_are_told_from_names_about_them() {
        for name in [
            "password",
            "DB_PASSWORD",
            "dbPassword",
            "aws_secret_access_key",
            "awsSecretAccessKey",
            "x-api-key",
            "apiKey",
            "client_secret",
            "token",
            "authToken",
            "token2",
            "password_prod",
            "secretKey",
            "spring.datasource.password",
        ] {
            assert!(names_a_secret(name.as_bytes()), "{name}");
        }
        for name in [
            "tokens",
            "input_tokens",
            "max_tokens",
            "token_count",
            "tokenCount",
            "token_type",
            "secret_name",
            "passwordField",
            "access_key_id",
            "password_hash",
            "token_expires_at",
            "tokenizer",
            "secretary",
            "key",
            "name",
        ] {
            assert!(!names_a_secret(name.as_bytes()), "{name}");
        }
    }
}
