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
    // What a program writes before the name of a parameter or of a symbol is no part of it.
    let name = value.strip_prefix(b":").or(value.strip_prefix(b"@")).unwrap_or(value);
    let mixed = Mixture::of(name);
    // A word, a number, or a text of several words.
    if mixed.kinds() < 2 || mixed.blanks > 0 || mixed.is_named_by_words(name) {
        return false;
    }
    !is_reference(name) && !is_placeholder(value) && !is_path(value) && !is_other_form(value) && distinct(value) >= 6
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
        // `Try-again!` is a sentence, `Sunshine!` can be a password.
        let said = &value[..value.iter().rposition(|byte| !b"!?".contains(byte)).map_or(0, |last| last + 1)];
        let value = if said.iter().any(u8::is_ascii_punctuation) { said } else { value };
        if value.iter().any(|byte| byte.is_ascii_punctuation() && !b"-_.:/|".contains(byte)) {
            return false;
        }
        if self.digits > 0 {
            // A longer one is of hexadecimal digits, and happens to have few letters.
            return letters * 6 <= value.len() && value.len() < 32;
        }
        let is_hump = |pair: &[u8]| pair[0].is_ascii_lowercase() && pair[1].is_ascii_uppercase();
        let humps = value.windows(2).filter(|pair| is_hump(pair)).count();
        // Words have a few letters each. Within a long name, few capitals follow each other.
        let is_by_chance = self.lower > 0 && value.len() >= 20 && self.upper > (humps + self.signs + 1) * 2;
        (humps + self.signs + 1) * 3 <= letters && !is_by_chance
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

/// `_bindgen_ty_5`, `test-token-12`, `valid.token2`: parts that are words or numbers.
fn is_name_of_parts(value: &[u8]) -> bool {
    let is_between = |byte: &u8| b"_-.".contains(byte);
    let is_part = |part: &[u8]| {
        let word = part.iter().take_while(|byte| byte.is_ascii_alphabetic()).count();
        let digits = part.len() - word;
        part[word..].iter().all(u8::is_ascii_digit) && (word == 0 || digits == 0 || word >= 3 && digits <= 2)
    };
    value.iter().any(is_between) && value.split(is_between).all(is_part)
}

/// `TokenStream2`, `Ed25519PrivateKey`, `RSAKey`: two words with capitals or more, and numbers behind them.
pub(crate) fn is_type(value: &[u8]) -> bool {
    if !value.first().is_some_and(u8::is_ascii_uppercase) || !value.iter().all(u8::is_ascii_alphanumeric) {
        return false;
    }
    // `AWSKey` is two words, `AWS` is one.
    let goes_on =
        |at: usize| value[at - 1].is_ascii_uppercase() && !value.get(at + 1).is_some_and(u8::is_ascii_lowercase);
    let begins_word = |at: usize| value[at].is_ascii_uppercase() && !goes_on(at);
    let (mut words, mut capitals, mut others, mut from) = (0, 0, 0, 0);
    for end in (1..=value.len()).filter(|end| *end == value.len() || begins_word(*end)) {
        let part = &value[from..end];
        let upper = part.iter().take_while(|byte| byte.is_ascii_uppercase()).count();
        let lower = part[upper..].iter().take_while(|byte| byte.is_ascii_lowercase()).count();
        if !part[upper + lower..].iter().all(u8::is_ascii_digit) {
            return false;
        }
        match (upper, lower) {
            (1, 2..) => words += 1,
            (2..=5, 0) => capitals += 1,
            _ => others += 1,
        }
        from = end;
    }
    words > 0 && words + capitals > 1 && others < 2
}

/// Numbers of a version, a colour, an address of mail, an expression for texts, an object as Java prints it.
fn is_other_form(value: &[u8]) -> bool {
    is_version(value) || is_mail(value) || is_object(value) || is_enclosed(value)
}

/// `^1.2.3-beta.4`, `10.0.0.7:5432`.
fn is_version(value: &[u8]) -> bool {
    let from = value.iter().take_while(|byte| b"^~<>=v".contains(byte)).count();
    let mut numbers = value[from..].split(|byte| !byte.is_ascii_digit());
    let is_number = |part: Option<&[u8]>| part.is_some_and(|part| !part.is_empty() && part.len() <= 5);
    let dots = value[from..].iter().filter(|byte| !byte.is_ascii_digit()).take(2).all(|byte| *byte == b'.');
    dots && (0..3).all(|_| is_number(numbers.next()))
}

/// `me.too-1@host.example.org`.
fn is_mail(value: &[u8]) -> bool {
    let is_of_name = |byte: &u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b".-_+".contains(byte);
    let mut parts = value.split(|byte| *byte == b'@');
    let (Some(name), Some(host), None) = (parts.next(), parts.next(), parts.next()) else { return false };
    let top = host.rsplit(|byte| *byte == b'.').next().unwrap_or_default();
    let is_host = top.len() < host.len() && top.len() >= 2 && top.iter().all(u8::is_ascii_lowercase);
    !name.is_empty() && is_host && name.iter().chain(host).all(is_of_name)
}

/// `SecretKeySpec@fffe8a3b`.
fn is_object(value: &[u8]) -> bool {
    let at = value.iter().position(|byte| *byte == b'@').unwrap_or(0);
    let (name, hash) = value.split_at(at);
    let is_name = name.first().is_some_and(u8::is_ascii_uppercase) && name.iter().all(u8::is_ascii_alphanumeric);
    is_name && hash.len() <= 9 && hash[1..].iter().all(u8::is_ascii_hexdigit)
}

/// `(optional)`, `[none]`, `^[0-9a-f]{40}$`, `#11aabbff`.
fn is_enclosed(value: &[u8]) -> bool {
    let lies_between = |first: &[u8], last: &[u8]| value.starts_with(first) && value.ends_with(last);
    let is_colour = value.len() <= 9 && value[0] == b'#' && value[1..].iter().all(u8::is_ascii_hexdigit);
    lies_between(b"(", b")") || lies_between(b"[", b"]") || lies_between(b"^", b"$") || is_colour
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
                    .all(|part| part.first().is_some_and(|first| first.is_ascii_alphabetic() || *first == b'_'))
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
            "self._token_v2",
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
            "^1.2.3-beta.4",
            "10.0.0.7:5432/it",
            "me.too-1@host.example.org",
            "SecretKeySpec@fffe8a3b",
            "(optional)",
            "^[0-9a-f]{40}$",
            "#11aabbff",
            "test-token-12",
            "valid.jwt.token2",
            ":db_password_1",
            "Passwort-vergessen?",
        ] {
            assert!(!is_plausible(value.as_bytes()), "{value}");
        }
        for value in [
            "35494a145609698398192109808830f1",
            "8e9be255-42c4-4012-5890-120b103f1684",
            "RGqitkjLLnGNjaYPUJjudkvnlbjAA",
            "hunter2hunter",
            "Tr0ub4dor&3x",
            "p@ssw0rd!k9Q",
            "9f86d081884c7d659a2feaa0c55ad015",
            "S3cr3tK3yZq81",
            "Sommer2024",
            "Sunshine!",
            "LWDFIN3NBI07YHMRRPBX",
        ] {
            assert!(is_plausible(value.as_bytes()), "{value}");
        }
    }

    #[test]
    fn types_are_told_from_what_chance_made() {
        for name in ["TokenStream2", "Ed25519PrivateKey", "RSA2048PrivateKey", "Argon2PasswordHash", "AWSCredentialV4"]
        {
            assert!(is_type(name.as_bytes()), "{name}");
        }
        for value in [
            "Sommer2024",
            "aBqXyZmKtRwPlNvGhJdS",
            "Zk4qvT9xwQ",
            "S3cr3tK3yZq81",
            "K7mRt2PqXbWn4LcV",
            "token",
            "PHz1kIufRl9vCa215w9m",
            "LWDFIN3NBI07YHMRRPBX",
        ] {
            assert!(!is_type(value.as_bytes()), "{value}");
        }
    }
}
