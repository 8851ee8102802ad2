//! Whether a value beside a key can be a secret. Words, paths, numbers, placeholders and code are none.

/// A shorter value is a word.
pub(crate) const VALUE_BYTES_MIN: usize = 8;
/// A longer one is a text.
const VALUE_BYTES_MAX: usize = 4096;

/// What somebody writes where a secret will stand.
const PLACEHOLDERS: [&str; 26] = [
    "xxxx",
    "****",
    "....",
    "----",
    "____",
    "0000",
    "your",
    "example",
    "sample",
    "placeholder",
    "changeme",
    "change_me",
    "change-me",
    "replace",
    "dummy",
    "redacted",
    "insert",
    "todo",
    "fixme",
    "secret_here",
    "token_here",
    "key_here",
    "goes_here",
    "foobar",
    "notreal",
    "undefined",
];

/// Whether a value that stands beside the name of a secret can be one.
pub(crate) fn is_plausible(value: &[u8]) -> bool {
    if value.len() < VALUE_BYTES_MIN || value.len() > VALUE_BYTES_MAX || !value.is_ascii() {
        return false;
    }
    let mixed = Mixture::of(value);
    // A word, a number, or a text of several words.
    if mixed.kinds() < 2 || mixed.blanks > 0 || mixed.is_named_by_words(value) {
        return false;
    }
    !is_reference(value) && !is_placeholder(value) && !is_path(value) && distinct(value) >= 6
}

/// Whether a value looks as if chance had made it: no name of a person's choosing.
pub(crate) fn is_random(value: &[u8]) -> bool {
    is_plausible(value) && is_varied(value)
}

/// Whether a value says that something else will stand here.
pub(crate) fn is_placeholder(value: &[u8]) -> bool {
    let lower = value.to_ascii_lowercase();
    let says = PLACEHOLDERS.iter().any(|word| memchr::memmem::find(&lower, word.as_bytes()).is_some());
    says || lower.ends_with(b"...") || distinct(value) < 5 || is_counted(value)
}

/// Whether a value is a variable, or says that something else will stand here.
pub(crate) fn stands_for_another(value: &[u8]) -> bool {
    is_reference(value) || is_placeholder(value)
}

/// What the bytes of a value are.
struct Mixture {
    lower: usize,
    upper: usize,
    digits: usize,
    signs: usize,
    blanks: usize,
}

impl Mixture {
    fn of(value: &[u8]) -> Self {
        let count = |is: fn(&u8) -> bool| value.iter().filter(|byte| is(byte)).count();
        Self {
            lower: count(u8::is_ascii_lowercase),
            upper: count(u8::is_ascii_uppercase),
            digits: count(u8::is_ascii_digit),
            signs: count(u8::is_ascii_punctuation),
            blanks: count(|byte| byte.is_ascii_whitespace() || byte.is_ascii_control()),
        }
    }

    fn kinds(&self) -> usize {
        [self.lower, self.upper, self.digits, self.signs].iter().filter(|count| **count > 0).count()
    }

    /// Words or numbers, joined as code joins them: `someName`, `some-name`, `some.name`, `v1.2.3`,
    /// `2026-11-30T15:16Z`.
    fn is_named_by_words(&self, value: &[u8]) -> bool {
        let letters = self.lower + self.upper;
        if value.iter().any(|byte| byte.is_ascii_punctuation() && !b"-_.:/|".contains(byte)) {
            return false;
        }
        if self.digits > 0 {
            return letters * 6 <= value.len();
        }
        let is_hump = |pair: &[u8]| pair[0].is_ascii_lowercase() && pair[1].is_ascii_uppercase();
        let humps = value.windows(2).filter(|pair| is_hump(pair)).count();
        // Words have a few letters each.
        (humps + self.signs + 1) * 3 <= letters
    }
}

/// A name of a variable, an expression, a call: the value is elsewhere.
fn is_reference(value: &[u8]) -> bool {
    let begins = |with: &[u8]| value.starts_with(with);
    let has = |part: &[u8]| memchr::memmem::find(value, part).is_some();
    if begins(b"$") && value[1..].iter().all(|byte| byte.is_ascii_alphanumeric() || b"_{}():-".contains(byte)) {
        return true;
    }
    has(b"${")
        || has(b"::")
        || begins(b"&")
        || begins(b"*")
        || has(b"{{")
        || has(b"$(")
        || has(b"()")
        || has(b"[REDACTED:")
        || (begins(b"<") && value.ends_with(b">"))
        || (begins(b"%") && value.ends_with(b"%"))
        || is_name_of_parts(value)
        || is_expression(value)
}

/// `_bindgen_ty_5`: parts that are words or numbers.
fn is_name_of_parts(value: &[u8]) -> bool {
    let is_part = |part: &[u8]| part.iter().all(u8::is_ascii_alphabetic) || part.iter().all(u8::is_ascii_digit);
    value.contains(&b'_') && value.split(|byte| *byte == b'_').all(is_part)
}

/// `process.env.TOKEN`, `os.environ["X"]`, `config.get("token")`, `self.token`.
fn is_expression(value: &[u8]) -> bool {
    let name = value.iter().take_while(|byte| byte.is_ascii_alphanumeric() || **byte == b'_').count();
    if name == 0 || value[0].is_ascii_digit() {
        return false;
    }
    let rest = &value[name..];
    match rest.first() {
        Some(b'(' | b'[') => rest.ends_with(b")") || rest.ends_with(b"]"),
        Some(b'.') => {
            let dotted = rest.iter().all(|byte| byte.is_ascii_alphanumeric() || b"_.()[]\"'".contains(byte));
            dotted
                && rest
                    .split(|byte| *byte == b'.')
                    .skip(1)
                    .all(|part| part.first().is_some_and(u8::is_ascii_alphabetic))
                && value.iter().filter(|byte| byte.is_ascii_digit()).count() * 8 <= value.len()
        }
        _ => false,
    }
}

/// `/etc/x`, `./x`, `~/x`, `C:\x`, `a/b/c.txt`, and addresses: a secret in one of those is found by itself.
fn is_path(value: &[u8]) -> bool {
    let begins = [&b"/"[..], b"./", b"../", b"~/", b"file:"].iter().any(|with| value.starts_with(with));
    let drive = value.get(1..3) == Some(b":\\");
    let address = memchr::memmem::find(value, b"://").is_some();
    (begins && value.iter().filter(|byte| **byte == b'/').count() * 16 >= value.len()) || drive || address
}

/// `12345678`, `abcdefgh`: each byte follows the one before.
fn is_counted(value: &[u8]) -> bool {
    let steps = value.windows(2).filter(|pair| pair[1] == pair[0].wrapping_add(1)).count();
    steps * 4 >= value.len() * 3
}

fn distinct(value: &[u8]) -> usize {
    let mut seen = [false; 256];
    value.iter().for_each(|byte| seen[usize::from(*byte)] = true);
    seen.iter().filter(|seen| **seen).count()
}

/// Whether two bytes of it are seldom equal: three bits of collision entropy a byte at least.
fn is_varied(value: &[u8]) -> bool {
    let mut counts = [0_u64; 256];
    value.iter().for_each(|byte| counts[usize::from(*byte)] += 1);
    let all = value.len() as u64;
    let equal: u64 = counts.iter().map(|count| count * count.saturating_sub(1)).sum();
    equal * 8 <= all * all.saturating_sub(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_and_code_are_no_secrets() {
        for value in [
            "password",
            "someLongName",
            "SOME_LONG_NAME",
            "some-long-name",
            "12345678",
            "1234567890123",
            "/etc/ssl/key.pem",
            "./secrets/one",
            "C:\\keys\\one",
            "${TOKEN}",
            "$TOKEN_OF_MINE",
            "$(cat token)",
            "{{ token }}",
            "<your-token>",
            "%TOKEN%",
            "process.env.TOKEN",
            "os.environ[\"TOKEN\"]",
            "getToken()",
            "config.get(\"token\")",
            "self.token",
            "xxxxxxxxxxxx",
            "************",
            "changeme123",
            "your-token-1",
            "https://example.org/a1",
            "a text of 4 words",
            "undefined",
            "aaaaaaa1",
            "[REDACTED:github-pat#1]",
            "string|null",
            "v1.2.3-4",
            "sk-ant-api03-...",
            "_bindgen_ty_5",
            "proc_macro2::TokenStream",
            "&self.colon_token2",
            "abcdefgh12345678",
        ] {
            assert!(!is_plausible(value.as_bytes()), "{value}");
        }
        for value in
            ["hunter2hunter", "Tr0ub4dor&3x", "p@ssw0rd!k9Q", "9f86d081884c7d659a2feaa0c55ad015", "S3cr3tK3yZq81"]
        {
            assert!(is_plausible(value.as_bytes()), "{value}");
        }
    }
}
