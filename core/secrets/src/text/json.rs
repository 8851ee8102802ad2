//! The strings of a line of JSON, without a parser of values: a line is JSON where outside of its strings stand only
//! JSON's own signs. So lines of a document that is spread over many are read as those of one that is not.

use alloc::vec::Vec;
use core::ops::Range;

/// A string: a value, or a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Leaf {
    /// What stands between its quotes.
    pub(crate) text: Range<usize>,
    /// What stands between the quotes of its key: its own, or that of the list which it is in.
    pub(crate) key: Option<Range<usize>>,
    /// It is itself a key.
    pub(crate) is_key: bool,
    /// Its object names a type of media, so it may be an image.
    pub(crate) is_beside_media: bool,
    /// It is a piece of a text that is told piece by piece: its key, or that of an object around it, says so.
    pub(crate) is_delta: bool,
}

/// Whether a line is JSON, or part of a document that is.
pub(crate) fn is_json(line: &[u8]) -> bool {
    let mut at = 0;
    let mut strings = 0;
    while at < line.len() {
        match line[at] {
            b'"' => {
                let Some(end) = string_end(line, at + 1) else { return false };
                strings += 1;
                at = end + 1;
            }
            b'{' | b'}' | b'[' | b']' | b',' | b':' | b' ' | b'\t' | b'\r' | b'\n' => at += 1,
            b'0'..=b'9' | b'-' => at = number_end(line, at),
            b't' | b'f' | b'n' => match literal_end(line, at) {
                Some(end) => at = end,
                None => return false,
            },
            _ => return false,
        }
    }
    strings > 0
}

/// Calls `each` with the strings of a line that is JSON, one after the other.
pub(crate) fn each_leaf(line: &[u8], each: &mut impl FnMut(&Leaf)) {
    let mut open: Vec<Level> = Vec::new();
    let mut level = Level::default();
    let mut at = 0;
    while let Some(found) = line.get(at..).and_then(|rest| memchr::memchr3(b'"', b'{', b'[', rest)) {
        // What closes lies between what opens and strings; there are only short pieces of it.
        for byte in &line[at..at + found] {
            close(*byte, &mut open, &mut level);
        }
        at += found;
        if line[at] != b'"' {
            let is_list = line[at] == b'[';
            let is_delta = level.is_delta || level.key.clone().is_some_and(|key| &line[key] == DELTA_KEY);
            let inner = Level { key: level.key.clone().filter(|_| is_list), is_list, is_beside_media: false, is_delta };
            open.push(core::mem::replace(&mut level, inner));
            at += 1;
            continue;
        }
        let text = at + 1..string_end(line, at + 1).unwrap_or(line.len());
        at = text.end + 1;
        let blanks = line.get(at..).unwrap_or_default().iter().take_while(|byte| byte.is_ascii_whitespace()).count();
        if line.get(at + blanks) == Some(&b':') {
            at += blanks + 1;
            level.is_beside_media |= MEDIA_KEYS.contains(&&line[text.clone()]);
            each(&Leaf { text: text.clone(), key: None, is_key: true, is_beside_media: false, is_delta: false });
            level.key = Some(text);
            continue;
        }
        let is_delta = level.is_delta || level.key.clone().is_some_and(|key| &line[key] == DELTA_KEY);
        let (key, is_beside_media) = (level.key.clone(), level.is_beside_media);
        each(&Leaf { text, key, is_key: false, is_beside_media, is_delta });
    }
}

/// Keys whose object is about an image or the like.
const MEDIA_KEYS: [&[u8]; 4] = [b"media_type", b"mediaType", b"mime_type", b"mimeType"];
/// The key of a piece of a text, at Anthropic, OpenAI and Codex.
pub(crate) const DELTA_KEY: &[u8] = b"delta";

/// An object or a list.
#[derive(Clone, Debug, Default)]
struct Level {
    key: Option<Range<usize>>,
    is_list: bool,
    is_beside_media: bool,
    is_delta: bool,
}

fn close(byte: u8, open: &mut Vec<Level>, level: &mut Level) {
    match byte {
        b'}' | b']' => *level = open.pop().unwrap_or_default(),
        b',' if !level.is_list => level.key = None,
        _ => {}
    }
}

/// Where a string ends that begins here, behind its first quote.
fn string_end(line: &[u8], from: usize) -> Option<usize> {
    let mut at = from;
    loop {
        at += memchr::memchr2(b'"', b'\\', line.get(at..)?)?;
        if line[at] == b'"' {
            return Some(at);
        }
        at += 2;
    }
}

fn number_end(line: &[u8], from: usize) -> usize {
    let is_of_number = |byte: &u8| byte.is_ascii_digit() || matches!(byte, b'-' | b'+' | b'.' | b'e' | b'E');
    from + line[from..].iter().take_while(|byte| is_of_number(byte)).count()
}

fn literal_end(line: &[u8], from: usize) -> Option<usize> {
    let literals: [&[u8]; 3] = [b"true", b"false", b"null"];
    literals.iter().find(|literal| line[from..].starts_with(literal)).map(|literal| from + literal.len())
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::string::String;

    fn leaves(line: &str) -> Vec<(String, String, bool)> {
        let mut leaves = Vec::new();
        let text = |part: &Range<usize>| line[part.clone()].into();
        each_leaf(line.as_bytes(), &mut |leaf| {
            if leaf.is_key {
                return;
            }
            leaves.push((leaf.key.as_ref().map(text).unwrap_or_default(), text(&leaf.text), leaf.is_beside_media));
        });
        leaves
    }

    #[test]
    fn a_line_is_json_where_only_its_signs_stand_outside_of_strings() {
        for line in [r#"{"a":"b"}"#, r#"  "a": "b","#, r#"{"a":[1,-2.5e3,true,null,"x\"y"]}"#, r#""a""#, "\"a\"\r\n"] {
            assert!(is_json(line.as_bytes()), "{line}");
        }
        for line in ["", "{}", "x", r#"say "a""#, r#"{"a":"b"#, r#"{"a":b}"#, r#"{'a':"b"}"#, "12"] {
            assert!(!is_json(line.as_bytes()), "{line}");
        }
    }

    #[test]
    fn strings_come_with_their_keys() {
        let line =
            r#"{"a":"1","b":{"c":"2","media_type":"image/png","data":"3"},"d":["4",{"e":"5"},"6"],"f":7,"g":"8"}"#;
        let told = leaves(line);
        let told: Vec<(&str, &str, bool)> = told.iter().map(|(key, text, media)| (&**key, &**text, *media)).collect();
        let expected = [
            ("a", "1", false),
            ("c", "2", false),
            ("media_type", "image/png", true),
            ("data", "3", true),
            ("d", "4", false),
            ("e", "5", false),
            ("d", "6", false),
            ("g", "8", false),
        ];
        assert_eq!(told, expected);
        assert_eq!(leaves(r#"  "key": "value","#), [("key".into(), "value".into(), false)]);
        assert_eq!(leaves(r#"],"#), []);
    }
}
