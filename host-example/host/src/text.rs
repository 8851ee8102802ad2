//! Text for people: what others chose is made harmless here, and nowhere else.
//!
//! Rule: no byte that came from a file, a server or a child reaches a terminal unless it went through here.

use std::borrow::Cow;
use std::io;
use std::path::Path;

/// Text of others on one line, without blanks around it and without what could steer a terminal.
pub fn plain(text: &str) -> String {
    harmless(text.trim()).into_owned()
}

/// One line without what could steer a terminal: what would end it becomes a space, everything else U+FFFD.
pub fn harmless(line: &str) -> Cow<'_, str> {
    if !line.contains(steers) {
        return Cow::Borrowed(line);
    }
    line.chars()
        .map(|c| match c {
            '\t'..='\r' | '\u{85}' | '\u{2028}' | '\u{2029}' => ' ',
            c if steers(c) => '\u{fffd}',
            c => c,
        })
        .collect::<String>()
        .into()
}

/// A JSON text that steers no terminal, and says the same: in its strings such characters become escapes.
pub fn harmless_json(text: &str) -> Cow<'_, str> {
    // Line ends stand between its values; within a string they are escapes already.
    let is_hidden = |c: char| steers(c) && c != '\n';
    if !text.contains(is_hidden) {
        return Cow::Borrowed(text);
    }
    let mut safe = String::with_capacity(text.len() + text.len() / 8);
    for c in text.chars() {
        if is_hidden(c) {
            // None of them is above U+FFFF.
            safe.push_str(&format!("\\u{:04x}", u32::from(c)));
        } else {
            safe.push(c);
        }
    }
    safe.into()
}

/// What could steer a terminal: controls, those of C1 among them, marks that reorder the text around them, and what
/// some take for the end of a line.
pub fn steers(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// The beginning of a text, of at most so many bytes.
pub fn cut(text: &str, bytes_max: usize) -> &str {
    text.get(..text.floor_char_boundary(bytes_max)).unwrap_or_default()
}

/// The operating system's words without its error number.
pub fn io_words(error: &io::Error) -> String {
    without_number(&error.to_string()).to_owned()
}

/// A sentence of the operating system without the number that Rust adds.
pub fn without_number(text: &str) -> &str {
    text.split(" (os error").next().unwrap_or(text)
}

/// A count of bytes for people.
pub fn bytes_text(bytes: u64) -> String {
    const UNITS: [&str; 4] = ["KiB", "MiB", "GiB", "TiB"];
    if bytes < 1024 {
        return format!("{bytes} B");
    }
    let (mut value, mut unit) = (bytes as f64 / 1024.0, 0);
    while value >= 1000.0 && unit + 1 < UNITS.len() {
        value /= 1024.0;
        unit += 1;
    }
    format!("{value:.1} {}", UNITS[unit])
}

/// `1 file`, `2 files`.
pub fn count_text(count: usize, noun: &str) -> String {
    format!("{count} {noun}{}", if count == 1 { "" } else { "s" })
}

/// A word of a command that is shown, as a shell takes it. One that would steer the terminal is shown as a path is.
pub fn shell(word: &str) -> String {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"_@%+=:,./-".contains(&byte);
    let shown = quote(word.as_bytes());
    if word.bytes().all(is_plain) || word.contains(steers) {
        return shown;
    }
    format!("'{}'", word.replace('\'', "'\\''"))
}

/// A path as git prints it: as it is, or in quotes with escapes when a quote, a backslash, a byte outside UTF-8 or
/// something that steers a terminal stands in it.
pub fn quote(path: &[u8]) -> String {
    let harmless = |text: &str| !text.chars().any(|c| steers(c) || matches!(c, '"' | '\\'));
    if let Ok(text) = std::str::from_utf8(path)
        && harmless(text)
    {
        return text.to_owned();
    }
    let mut quoted = String::from("\"");
    for chunk in path.utf8_chunks() {
        for c in chunk.valid().chars() {
            match c {
                '"' | '\\' => quoted.extend(['\\', c]),
                '\n' => quoted.push_str("\\n"),
                '\t' => quoted.push_str("\\t"),
                c if steers(c) => {
                    let mut utf8 = [0; 4];
                    c.encode_utf8(&mut utf8).bytes().for_each(|byte| quoted.push_str(&octal(byte)));
                }
                c => quoted.push(c),
            }
        }
        chunk.invalid().iter().for_each(|byte| quoted.push_str(&octal(*byte)));
    }
    quoted.push('"');
    quoted
}

/// The same of a path of this machine.
pub fn quote_path(path: &Path) -> String {
    quote(path.as_os_str().as_encoded_bytes())
}

fn octal(byte: u8) -> String {
    format!("\\{byte:03o}")
}

/// A number of bytes: digits, then perhaps `K`, `M`, `G` or `T` for powers of 1024.
pub fn parse_bytes(text: &str) -> Result<u64, String> {
    let digits = text.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let factor: u64 = match &text[digits.len()..].to_ascii_uppercase()[..] {
        "" | "B" => 1,
        "K" | "KB" | "KIB" => 1 << 10,
        "M" | "MB" | "MIB" => 1 << 20,
        "G" | "GB" | "GIB" => 1 << 30,
        "T" | "TB" | "TIB" => 1 << 40,
        other => return Err(format!("{other:?} is no unit of bytes")),
    };
    let count: u64 = digits.parse().map_err(|_| format!("{text:?} is not a number of bytes"))?;
    let bytes = count.checked_mul(factor).ok_or_else(|| format!("{text:?} is too large"))?;
    if bytes == 0 { Err("the number of bytes must be above 0".to_owned()) } else { Ok(bytes) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_is_what_a_shell_makes_of_it() {
        for word in ["sessions/a-b/meta.json", "a b $x", "it's", "\"\\", "ü", "*"] {
            let said = std::process::Command::new("sh").args(["-c", &format!("printf %s {}", shell(word))]).output();
            assert_eq!(String::from_utf8(said.expect("a shell").stdout).expect("text"), word);
        }
        assert_eq!((shell("a/b"), shell("a\u{1b}b")), ("a/b".to_owned(), "\"a\\033b\"".to_owned()));
    }

    #[test]
    fn paths_are_quoted_only_when_they_must_be() {
        for (path, expected) in [
            (&b"a b/\xc3\xa4"[..], "a b/ä"),
            (b"a\nb", r#""a\nb""#),
            (b"a\x1b[31m", r#""a\033[31m""#),
            (b"q\"\\", r#""q\"\\""#),
            (b"\xff", r#""\377""#),
            ("a\u{202e}b".as_bytes(), r#""a\342\200\256b""#),
        ] {
            assert_eq!(quote(path), expected);
        }
    }

    #[test]
    fn byte_counts_are_short() {
        for (bytes, expected) in
            [(0, "0 B"), (1023, "1023 B"), (1024, "1.0 KiB"), (20 << 20, "20.0 MiB"), (1023 << 20, "1.0 GiB")]
        {
            assert_eq!(bytes_text(bytes), expected);
        }
    }

    /// All that steers, by its number, and neighbours that do not.
    #[test]
    fn what_others_wrote_steers_no_terminal() {
        let steering = (0..=0x1f).chain(0x7f..=0x9f).chain([0x61c, 0x200e, 0x200f]);
        let steering: Vec<u32> = steering.chain(0x2028..=0x202e).chain(0x2066..=0x2069).collect();
        for c in (0..=0x3000).filter_map(char::from_u32) {
            let text = format!("a{c}b");
            let is_steering = steering.contains(&u32::from(c));
            assert_eq!((steers(c), harmless(&text) != text), (is_steering, is_steering), "{c:?}");
            assert_eq!(harmless(&text).chars().count(), 3, "{c:?}");
            assert!(!plain(&text).contains(steers) && !harmless(&text).contains(steers), "{c:?}");
            let json = serde_json::to_string(&text).expect("JSON");
            let safe = harmless_json(&json);
            assert!(!safe.contains(steers), "{c:?}: {safe}");
            assert_eq!(serde_json::from_str::<String>(&safe).expect("JSON"), text);
        }
        assert_eq!(plain(" a\u{1b}[31mb\nc\u{202e} "), "a\u{fffd}[31mb c\u{fffd}");
        assert_eq!(harmless("    a\u{2028}b"), "    a b");
        assert_eq!(harmless_json("{\n  \"a\": \"\u{9b}\"\n}"), "{\n  \"a\": \"\\u009b\"\n}");
        assert_eq!(cut("aé", 2), "a");
    }

    #[test]
    fn byte_counts() {
        for (text, bytes) in [("1", 1), ("5G", 5 << 30), ("500m", 500 << 20), ("2KiB", 2048)] {
            assert_eq!(parse_bytes(text), Ok(bytes), "{text}");
        }
        for text in ["", "0", "-1", "5x", "99999999999999T", "1.5G"] {
            assert!(parse_bytes(text).is_err(), "{text}");
        }
    }
}
