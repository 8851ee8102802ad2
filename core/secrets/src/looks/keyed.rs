//! Values beside the name of a secret: `password = …`, `"api_key": "…"`, `--token …`, `<secret>…</secret>`.

use crate::looks::plausible;
use alloc::string::String;
use alloc::vec::Vec;
use core::ops::Range;

/// Words that begin the search for such a name, wherever in it they stand.
const WORDS: [&str; 6] = ["password", "passwd", "passphrase", "secret", "token", "credential"];
/// What makes a key a secret one: `api_key`, `api-key`, `apiKey`.
const KEYS: [&str; 8] = ["api", "access", "private", "encryption", "signing", "master", "account", "auth"];
/// Short words. They count as a part of a name, with others before them: `DB_PASS`, `mysqlPwd`.
const PARTS: [&str; 2] = ["pass", "pwd"];
/// How names end that are of something else: pages of a list, and an assembly's key.
const OTHER_NAMES: [&str; 6] =
    ["nexttoken", "pagetoken", "continuationtoken", "synctoken", "cursortoken", "publickeytoken"];
/// Words that make another thing of it when they follow: what is counted, named or placed.
const OTHER_THINGS: [&str; 53] = [
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
    "regex",
    "pattern",
    "format",
    "header",
    "color",
    "border",
    "timeout",
    "backend",
    "store",
    "provider",
    "issuer",
    "audience",
    "scope",
    "scopes",
    "status",
    "mode",
    "owner",
    "by",
    "to",
];
/// Bytes of a name at most.
const NAME_BYTES_MAX: usize = 64;

/// What begins the search for a name, in small letters.
pub(crate) fn begins() -> impl Iterator<Item = String> {
    let keys = KEYS.iter().flat_map(|of| ["", "_", "-"].map(|between| format!("{of}{between}key")));
    keys.chain(WORDS.iter().chain(&PARTS).map(|word| (*word).into()))
}

/// Whether a name is one of a secret.
pub fn names_a_secret(name: &[u8]) -> bool {
    if name.len() > NAME_BYTES_MAX {
        return false;
    }
    let lower = name.to_ascii_lowercase();
    let letters: Vec<u8> = lower.iter().copied().filter(u8::is_ascii_alphabetic).collect();
    if OTHER_NAMES.iter().any(|other| letters.ends_with(other.as_bytes())) {
        return false;
    }
    let last = |word: &str| lower.windows(word.len()).rposition(|part| part == word.as_bytes());
    let word_end = |word: &&str| last(word).map(|at| at + word.len());
    let key_end = |of: &&str| {
        let at = last("key")?;
        let before = lower[..at].strip_suffix(b"_").or(lower[..at].strip_suffix(b"-")).unwrap_or(&lower[..at]);
        before.ends_with(of.as_bytes()).then_some(at + 3)
    };
    let part_end = |part: &&str| {
        let at = last(part)?;
        let is_hump = name[at].is_ascii_uppercase() && at > 0 && name[at - 1].is_ascii_lowercase();
        let is_first = at == 0 && *part == "pass";
        (is_first || is_hump || at > 0 && b"_-.".contains(&lower[at - 1])).then_some(at + part.len())
    };
    let words = WORDS.iter().filter_map(word_end);
    let ends = words.chain(KEYS.iter().filter_map(key_end)).chain(PARTS.iter().filter_map(part_end));
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
    let separator = separator(&text[at..], blanks > 0 && (is_option || is_of_login(text, &name)))?;
    at += separator;
    at += count(text, at, is_blank);
    let is_in_query = name.start > 0 && b"?&".contains(&text[name.start - 1]);
    let value = value_at(text, at, is_in_query)?;
    let is_one = plausible::is_plausible(&text[value.clone()]) && !repeats(&text[name], &text[value.clone()]);
    is_one.then_some(value)
}

/// `machine host login me password …`, as `.netrc` has it.
fn is_of_login(text: &[u8], name: &Range<usize>) -> bool {
    let mut before = text[..name.start].rsplit(|byte| byte.is_ascii_whitespace()).filter(|word| !word.is_empty());
    &text[name.clone()] == b"password" && before.nth(1) == Some(b"login")
}

/// `auth-token: auth-token-7d9f8`, and a place in the file that is called so: `token.rs:12:const`.
fn repeats(name: &[u8], value: &[u8]) -> bool {
    let has_parts = name.iter().any(|byte| b"_-".contains(byte));
    let digits = value.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let is_place = name.contains(&b'.') && digits > 0 && value.get(digits) == Some(&b':');
    is_place || has_parts && value.len() > name.len() && value[..name.len()].eq_ignore_ascii_case(name)
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

fn value_at(text: &[u8], at: usize, is_in_query: bool) -> Option<Range<usize>> {
    let quote = *text.get(at)?;
    if b"\"'`".contains(&quote) {
        let from = at + 1;
        let end = from + text[from..].iter().position(|byte| *byte == quote || *byte == b'\n')?;
        return (text[end] == quote).then_some(from..end);
    }
    let ends_query = |byte: u8| is_in_query && b"&#".contains(&byte);
    let is_of_value = |byte: u8| byte.is_ascii_graphic() && !b"\"'`,;<>(){}[]|\\".contains(&byte) && !ends_query(byte);
    let length = count(text, at, is_of_value);
    // What follows belongs to it: an expression, no value.
    let follows = text.get(at + length).copied().unwrap_or(b'\n');
    if b"({[".contains(&follows) || plausible::is_type(&text[at..at + length]) {
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
            "encryption_key",
            "signing-key",
            "storageAccountKey",
            "DB_PASS",
            "mysqlPwd",
            "pass",
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
            "nextPageToken",
            "continuation_token",
            "PublicKeyToken",
            "PWD",
            "OLDPWD",
            "bypass",
            "password_regex",
            "turnkey",
            "cache_key",
            "key",
            "name",
        ] {
            assert!(!names_a_secret(name.as_bytes()), "{name}");
        }
    }
}
