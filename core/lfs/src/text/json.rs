//! A strict JSON reader that remembers where every value stands.
//!
//! The manifest is edited without touching any byte that did not change, so its reader must know spans; the batch
//! response is decoded object by object, so one wrongly typed field must not fail the rest. One reader serves both.

use crate::text::error::{Code, Error};
use crate::text::limits::{JSON_DEPTH_MAX, JSON_VALUES_MAX};
use alloc::borrow::Cow;
use alloc::string::String;
use alloc::vec::Vec;
use core::ops::Range;

/// A value and the bytes it stands in.
#[derive(Clone, Debug, PartialEq)]
pub struct Value<'a> {
    /// Where it stands in the text.
    pub span: Range<usize>,
    /// What it is.
    pub kind: Kind<'a>,
}

/// What a value is.
#[derive(Clone, Debug, PartialEq)]
pub enum Kind<'a> {
    /// `null`.
    Null,
    /// `true` or `false`.
    Bool(bool),
    /// As it is spelled: numbers above 2^53 and trailing zeros survive.
    Number(&'a str),
    /// Text, with its escapes decoded.
    String(Cow<'a, str>),
    /// An array.
    Array(Vec<Value<'a>>),
    /// An object, its members in the order of the text.
    Object(Vec<Member<'a>>),
}

/// A member of an object.
#[derive(Clone, Debug, PartialEq)]
pub struct Member<'a> {
    /// Where the quoted key stands.
    pub key_span: Range<usize>,
    /// The key, with its escapes decoded.
    pub key: Cow<'a, str>,
    /// The value.
    pub value: Value<'a>,
}

/// Reads one value that is the whole text.
pub fn parse(text: &[u8]) -> Result<Value<'_>, Error> {
    let text = core::str::from_utf8(text).map_err(|e| broken("text that is not UTF-8", e.valid_up_to()))?;
    let mut reader = Reader { text, at: 0, values: 0 };
    let value = reader.value(0)?;
    reader.blanks();
    if reader.at < text.len() {
        return Err(broken("something after the end", reader.at));
    }
    Ok(value)
}

impl<'a> Value<'a> {
    /// The last member of that name, as Go and JavaScript choose it; `null` counts as absent.
    pub fn get(&self, key: &str) -> Option<&Value<'a>> {
        let member = self.members().iter().rev().find(|member| member.key == key)?;
        (member.value.kind != Kind::Null).then_some(&member.value)
    }

    /// Members of an object; none of anything else.
    pub fn members(&self) -> &[Member<'a>] {
        match &self.kind {
            Kind::Object(members) => members,
            _ => &[],
        }
    }

    /// Items of an array; none of anything else.
    pub fn items(&self) -> &[Value<'a>] {
        match &self.kind {
            Kind::Array(items) => items,
            _ => &[],
        }
    }

    /// The text of a string.
    pub fn text(&self) -> Option<&str> {
        match &self.kind {
            Kind::String(text) => Some(text),
            _ => None,
        }
    }

    /// An integer without fraction or exponent.
    pub fn integer(&self) -> Option<i64> {
        match self.kind {
            Kind::Number(number) => number.parse().ok(),
            _ => None,
        }
    }

    /// `true` or `false`.
    pub fn truth(&self) -> Option<bool> {
        match self.kind {
            Kind::Bool(truth) => Some(truth),
            _ => None,
        }
    }

    /// Whether it is an object.
    pub fn is_object(&self) -> bool {
        matches!(self.kind, Kind::Object(_))
    }
}

/// `text` as a JSON string, escaped as Go's encoder does it: `<`, `>`, `&`, U+2028 and U+2029 by number.
pub fn quoted(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    out.push('"');
    for c in text.chars() {
        match c {
            '"' => out += "\\\"",
            '\\' => out += "\\\\",
            '\n' => out += "\\n",
            '\r' => out += "\\r",
            '\t' => out += "\\t",
            '\u{8}' => out += "\\b",
            '\u{c}' => out += "\\f",
            '<' | '>' | '&' | '\u{2028}' | '\u{2029}' | '\0'..='\x1f' => out += &format!("\\u{:04x}", u32::from(c)),
            _ => out.push(c),
        }
    }
    out.push('"');
    out
}

fn broken(what: &str, at: usize) -> Error {
    Error::new(Code::Malformed, format_args!("JSON has {what} at byte {at}"))
}

struct Reader<'a> {
    text: &'a str,
    at: usize,
    values: usize,
}

impl<'a> Reader<'a> {
    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn blanks(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\t' | b'\n' | b'\r')) {
            self.at += 1;
        }
    }

    fn expect(&mut self, byte: u8) -> Result<(), Error> {
        if self.peek() != Some(byte) {
            return Err(self.unexpected());
        }
        self.at += 1;
        Ok(())
    }

    fn unexpected(&self) -> Error {
        match self.peek() {
            None => broken("an early end", self.at),
            Some(_) => broken("an unexpected character", self.at),
        }
    }

    fn value(&mut self, depth: usize) -> Result<Value<'a>, Error> {
        if depth > JSON_DEPTH_MAX {
            return Err(Error::new(Code::Limit, format_args!("JSON is nested deeper than {JSON_DEPTH_MAX}")));
        }
        self.values += 1;
        if self.values > JSON_VALUES_MAX {
            return Err(Error::new(Code::Limit, format_args!("JSON has more than {JSON_VALUES_MAX} values")));
        }
        self.blanks();
        let start = self.at;
        let kind = match self.peek() {
            Some(b'{') => Kind::Object(self.object(depth)?),
            Some(b'[') => Kind::Array(self.array(depth)?),
            Some(b'"') => Kind::String(self.string()?),
            Some(b'-' | b'0'..=b'9') => Kind::Number(self.number()?),
            Some(b't') => self.word("true", Kind::Bool(true))?,
            Some(b'f') => self.word("false", Kind::Bool(false))?,
            Some(b'n') => self.word("null", Kind::Null)?,
            _ => return Err(self.unexpected()),
        };
        Ok(Value { span: start..self.at, kind })
    }

    fn word(&mut self, word: &str, kind: Kind<'a>) -> Result<Kind<'a>, Error> {
        if !self.text[self.at..].starts_with(word) {
            return Err(self.unexpected());
        }
        self.at += word.len();
        Ok(kind)
    }

    fn object(&mut self, depth: usize) -> Result<Vec<Member<'a>>, Error> {
        let mut members = Vec::new();
        self.expect(b'{')?;
        self.blanks();
        while self.peek() != Some(b'}') {
            if !members.is_empty() {
                self.expect(b',')?;
                self.blanks();
            }
            let start = self.at;
            let key = self.string()?;
            let key_span = start..self.at;
            self.blanks();
            self.expect(b':')?;
            members.push(Member { key_span, key, value: self.value(depth + 1)? });
            self.blanks();
        }
        self.at += 1;
        Ok(members)
    }

    fn array(&mut self, depth: usize) -> Result<Vec<Value<'a>>, Error> {
        let mut items = Vec::new();
        self.expect(b'[')?;
        self.blanks();
        while self.peek() != Some(b']') {
            if !items.is_empty() {
                self.expect(b',')?;
            }
            items.push(self.value(depth + 1)?);
            self.blanks();
        }
        self.at += 1;
        Ok(items)
    }

    fn number(&mut self) -> Result<&'a str, Error> {
        let start = self.at;
        if self.peek() == Some(b'-') {
            self.at += 1;
        }
        match self.peek() {
            Some(b'0') => self.at += 1,
            _ => self.digits()?,
        }
        if self.peek() == Some(b'.') {
            self.at += 1;
            self.digits()?;
        }
        if matches!(self.peek(), Some(b'e' | b'E')) {
            self.at += 1;
            if matches!(self.peek(), Some(b'+' | b'-')) {
                self.at += 1;
            }
            self.digits()?;
        }
        Ok(&self.text[start..self.at])
    }

    fn digits(&mut self) -> Result<(), Error> {
        let start = self.at;
        while matches!(self.peek(), Some(b'0'..=b'9')) {
            self.at += 1;
        }
        if self.at == start { Err(self.unexpected()) } else { Ok(()) }
    }

    fn string(&mut self) -> Result<Cow<'a, str>, Error> {
        self.expect(b'"')?;
        let start = self.at;
        let mut text = Cow::Borrowed("");
        loop {
            let run = self.at;
            self.at += plain_bytes(&self.text.as_bytes()[run..]);
            if run == start && self.peek() == Some(b'"') {
                text = Cow::Borrowed(&self.text[run..self.at]);
            } else {
                text.to_mut().push_str(&self.text[run..self.at]);
            }
            match self.peek() {
                Some(b'"') => {
                    self.at += 1;
                    return Ok(text);
                }
                Some(b'\\') => {
                    self.at += 1;
                    let c = self.escape()?;
                    text.to_mut().push(c);
                }
                _ => return Err(self.unexpected()),
            }
        }
    }

    fn escape(&mut self) -> Result<char, Error> {
        let c = self.peek();
        let plain = match c {
            Some(b'"' | b'\\' | b'/') => c.map(char::from),
            Some(b'b') => Some('\u{8}'),
            Some(b'f') => Some('\u{c}'),
            Some(b'n') => Some('\n'),
            Some(b'r') => Some('\r'),
            Some(b't') => Some('\t'),
            Some(b'u') => None,
            _ => return Err(self.unexpected()),
        };
        self.at += 1;
        if let Some(c) = plain {
            return Ok(c);
        }
        let first = self.unit()?;
        let low =
            || self.text[self.at..].strip_prefix("\\u").and_then(unit).filter(|low| (0xdc00..0xe000).contains(low));
        if (0xd800..0xdc00).contains(&first)
            && let Some(low) = low()
        {
            self.at += 6;
            return Ok(char::from_u32(0x10000 + ((first - 0xd800) << 10) + (low - 0xdc00)).unwrap_or('\u{fffd}'));
        }
        // A lone surrogate becomes U+FFFD, as in Go.
        Ok(char::from_u32(first).unwrap_or('\u{fffd}'))
    }

    fn unit(&mut self) -> Result<u32, Error> {
        let unit = unit(&self.text[self.at..]).ok_or_else(|| self.unexpected())?;
        self.at += 4;
        Ok(unit)
    }
}

/// Bytes before the first quote, backslash or control character: eight at a time, because strings are most of a text.
fn plain_bytes(text: &[u8]) -> usize {
    const ONES: u64 = u64::from_ne_bytes([1; 8]);
    const HIGHS: u64 = ONES << 7;
    // The high bit of some byte is set when one of the eight is zero, and never when none is.
    let has_zero = |word: u64| word.wrapping_sub(ONES) & !word & HIGHS;
    let is_plain = |word: u64| {
        let quote = has_zero(word ^ (ONES * u64::from(b'"')));
        let backslash = has_zero(word ^ (ONES * u64::from(b'\\')));
        let control = word.wrapping_sub(ONES * 0x20) & !word & HIGHS;
        quote | backslash | control == 0
    };
    let (words, _) = text.as_chunks::<8>();
    let plain = 8 * words.iter().take_while(|word| is_plain(u64::from_ne_bytes(**word))).count();
    let rest = &text[plain..];
    plain + rest.iter().position(|byte| matches!(byte, b'"' | b'\\' | 0..=0x1f)).unwrap_or(rest.len())
}

/// Four hexadecimal digits at the beginning of `text`.
fn unit(text: &str) -> Option<u32> {
    let digits = text.get(..4)?;
    if !digits.bytes().all(|c| c.is_ascii_hexdigit()) {
        return None;
    }
    u32::from_str_radix(digits, 16).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(value: &Value<'_>) -> String {
        match &value.kind {
            Kind::Null => "null".into(),
            Kind::Bool(b) => b.to_string(),
            Kind::Number(n) => (*n).into(),
            Kind::String(s) => format!("{s:?}"),
            Kind::Array(items) => format!("[{}]", items.iter().map(shown).collect::<Vec<_>>().join(" ")),
            Kind::Object(members) => {
                let members: Vec<_> = members.iter().map(|m| format!("{}={}", m.key, shown(&m.value))).collect();
                format!("{{{}}}", members.join(" "))
            }
        }
    }

    #[test]
    fn accepted() {
        for (text, expected) in [
            (" {} ", "{}"),
            ("[1, -0.50e+3 ,9007199254740993]", "[1 -0.50e+3 9007199254740993]"),
            (r#"{"a":{"b":[true,false,null]},"a":2}"#, "{a={b=[true false null]} a=2}"),
            (r#""\u003cb\u003e \ud83d\ude00 \ud800 \/\n""#, r#""<b> 😀 � /\n""#),
            ("\"plain ü\"", "\"plain ü\""),
            ("0", "0"),
        ] {
            assert_eq!(parse(text.as_bytes()).map(|v| shown(&v)).as_deref(), Ok(expected));
        }
    }

    #[test]
    fn a_run_of_plain_text_ends_where_every_byte_says() {
        let ends = |byte: u8| matches!(byte, b'"' | b'\\' | 0..=0x1f);
        for byte in 0..=u8::MAX {
            for at in 0..20 {
                for around in [b'a', b' ', b'!', b'#', b'[', b']', 0x7f, 0x80, 0xff] {
                    let mut text = [around; 20];
                    text[at] = byte;
                    assert_eq!(
                        plain_bytes(&text),
                        if ends(byte) { at } else { 20 },
                        "{byte:#x} at {at} in {around:#x}"
                    );
                }
            }
        }
    }

    #[test]
    fn refused_whole_and_at_every_cut() {
        for text in [
            "",
            "{",
            "[1,]",
            "{\"a\":1,}",
            "{a:1}",
            "01",
            "1.",
            ".5",
            "+1",
            "1e",
            "nul",
            "\"\t\"",
            "\"\\x\"",
            "\"\\u12\"",
            "[] x",
            "\u{feff}{}",
            "'a'",
            "NaN",
            "-",
            "\"",
            "{\"a\" 1}",
            "[1 2]",
        ] {
            assert!(parse(text.as_bytes()).is_err(), "{text}");
        }
        assert!(parse(b"\"\xff\"").is_err());
        let whole = br#"{"a":[1.5e3,"x\u00e9\"",{"b":null}],"c":true}"#;
        for end in 0..whole.len() {
            assert!(parse(&whole[..end]).is_err(), "cut at {end}");
        }
        assert_eq!(parse("[".repeat(100_000).as_bytes()).map_err(|e| e.code), Err(Code::Limit));
        let many = format!("[{}0]", "0,".repeat(600_000));
        assert_eq!(parse(many.as_bytes()).map_err(|e| e.code), Err(Code::Limit));
    }

    #[test]
    fn spans_cover_the_value_alone() {
        let text = br#" { "a" : [ 1 , "b" ] } "#;
        let value = parse(text).expect("well formed");
        let inner = &value.members()[0].value;
        assert_eq!(&text[inner.span.clone()], br#"[ 1 , "b" ]"#);
        assert_eq!(&text[value.members()[0].key_span.clone()], br#""a""#);
    }

    #[test]
    fn quoting_reads_back() {
        let text = "a\"\\\n\t\u{1}<>&\u{2028}é😀";
        assert_eq!(
            parse(quoted(text).as_bytes()).ok().and_then(|v| v.text().map(str::to_owned)).as_deref(),
            Some(text)
        );
        assert_eq!(quoted("<&>"), r#""\u003c\u0026\u003e""#);
    }
}
