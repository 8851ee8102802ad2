//! What holds whatever stands in a file: lines that chance made, of texts with secrets and without, some of them torn.
//!
//! `HYDRANT_LINES` says how many; `cargo xtask release secrets` asks for a million.

#![allow(clippy::unwrap_used, reason = "what cannot be fails the test")]

mod making;

use hydrant_secrets::{Finding, Named, Piece, Redact, Rules, Scan, Secrets};
use making::decoys::{DECOYS, Decoy};
use making::dresses::DRESSES;
use making::near::NEAR;
use making::secrets::{Maker, makers};
use making::text::Text;
use making::{Random, URL_SAFE};
use serde::de::IgnoredAny;

/// Lines, unless somebody says how many.
const LINES: usize = 6_000;
/// Lines of a file.
const FILE_LINES: usize = 1_000;

#[test]
fn whatever_stands_in_a_file() {
    let wanted = std::env::var("HYDRANT_LINES").map_or(LINES, |count| count.parse().unwrap());
    let (source, rules) = (Source::new(), Rules::built_in().unwrap());
    let (mut lines, mut seed) = (0, 0);
    while lines < wanted {
        seed += 1;
        let file = source.file(&mut Random(seed));
        lines += file.lines().count();
        judge(&rules, seed, &file);
    }
    eprintln!("{lines} lines");
}

/// The lines of a file that broke a law once stay here, as short as they can be.
#[test]
fn what_broke_a_law_once() {
    let rules = Rules::built_in().unwrap();
    for (seed, text) in BROKE_ONCE.iter().enumerate() {
        judge(&rules, seed as u64, text);
    }
}

const BROKE_ONCE: [&str; 0] = [];

struct Source {
    makers: Vec<Maker>,
    decoys: Vec<&'static Decoy>,
}

impl Source {
    fn new() -> Self {
        Self { makers: makers(), decoys: DECOYS.iter().chain(NEAR).collect() }
    }

    fn file(&self, r: &mut Random) -> String {
        let mut file = String::new();
        let mut lines = 0;
        while lines < FILE_LINES {
            let mut text = self.text(r);
            for _ in 0..r.below(3) {
                text = text.then(Text::plain(*r.pick(&[
                    " ",
                    "\n",
                    "\"",
                    "\\",
                    "/",
                    ": ",
                    "=",
                    "{",
                    "}",
                    "%",
                    "é\u{2028}",
                ])));
                text = text.then(self.text(r));
            }
            let dress = r.pick(DRESSES);
            let mut text = (dress.put)(r, &text).text();
            for _ in 0..r.below(4).saturating_sub(1) {
                tear(r, &mut text);
            }
            lines += text.lines().count();
            file.push_str(&text);
        }
        file
    }

    fn text(&self, r: &mut Random) -> Text {
        match r.below(8) {
            0..=3 => (r.pick(&self.makers).make)(r).1,
            4 => Text::plain(format!("[REDACTED:{}#{}]", r.pick(&["keyed-value", "github-token"]), r.below(9))),
            _ => Text::plain((r.pick(&self.decoys).make)(r)),
        }
    }
}

/// Takes some of a text away, writes something into it, or repeats a part.
fn tear(r: &mut Random, text: &mut String) {
    let mut at = || text.floor_char_boundary(r.below(text.len() + 1));
    let (one, two) = (at(), at());
    let (from, until) = (one.min(two), one.max(two));
    let until = text.floor_char_boundary(until.min(from + 40));
    match r.below(4) {
        0 => text.replace_range(from..until, ""),
        1 => {
            let again = text[from..until].to_owned();
            text.insert_str(from, &again);
        }
        2 => {
            const SIGNS: [&str; 10] = ["\"", "\\", "\\u00", "%", "\n", "=", "-----BEGIN ", "://", "[REDACTED:", "\\n"];
            let sign = r.pick(&SIGNS);
            text.insert_str(from, sign);
        }
        _ => text.insert_str(from, &r.of(URL_SAFE, 12)),
    }
}

fn judge(rules: &Rules, seed: u64, text: &str) {
    let (out, found) = redacted(rules, text, &mut Random(0));
    assert_eq!(text.lines().count(), out.lines().count(), "seed {seed}: the lines are others");
    for (before, after) in text.lines().zip(out.lines()) {
        let is_json = serde_json::from_str::<IgnoredAny>(before).is_ok();
        if is_json && before != after {
            assert!(serde_json::from_str::<IgnoredAny>(after).is_ok(), "seed {seed}: no JSON: {before}\n{after}");
            assert_eq!(without_strings(before), without_strings(after), "seed {seed}: other JSON: {before}");
        }
    }
    let mut cuts = Random(seed);
    assert_eq!(redacted(rules, text, &mut cuts).0, out, "seed {seed}: it depends on how it is cut");
    let (again, more) = redacted(rules, &out, &mut Random(0));
    if let Some(one) = more.first() {
        let shown: Vec<&str> = [(&text, "before"), (&out.as_str(), "after")]
            .map(|(text, _)| text.lines().nth(one.line - 1).unwrap_or_default())
            .to_vec();
        panic!("seed {seed}: found in what was redacted: {one:?}\n{}\n{}\nof {}", shown[0], shown[1], found.len());
    }
    assert_eq!(again, out, "seed {seed}: nothing was found, and it changed");
}

/// What was found.
#[derive(Debug)]
struct Told {
    #[expect(dead_code, reason = "shown when a test fails")]
    kind: String,
    line: usize,
    #[expect(dead_code, reason = "shown when a test fails")]
    value: String,
}

/// The text without its secrets. Every piece that is kept stands where it stood.
fn redacted(rules: &Rules, text: &str, cuts: &mut Random) -> (String, Vec<Told>) {
    let (none, mut secrets) = (Named::default(), Secrets::default());
    let mut note = |finding: Finding<'_>| secrets.note(&finding);
    let mut scan = Scan::new(rules, &none);
    each_part(text, cuts, |part| scan.push(part, &mut note).unwrap());
    let marked = scan.end(&mut note);
    secrets.note_marked(&marked);
    let (named, mut markers) = (secrets.named([]), secrets.markers(rules));
    let (mut out, mut at, mut found) = (Vec::new(), 0, Vec::new());
    let mut redact = Redact::new(rules, &named, &mut markers);
    let mut give = |piece: Piece<'_>| match piece {
        Piece::Kept(bytes) => {
            assert_eq!(&text.as_bytes()[at..at + bytes.len()], bytes, "what is kept stood elsewhere");
            at += bytes.len();
            out.extend_from_slice(bytes);
        }
        Piece::Marker(marker, finding) => {
            assert_eq!(at as u64, finding.place.start, "a marker stands elsewhere");
            at = usize::try_from(finding.place.end).unwrap();
            out.extend_from_slice(marker.as_bytes());
            let value = String::from_utf8_lossy(finding.value).into_owned();
            let line = usize::try_from(finding.line).unwrap();
            found.push(Told { kind: rules.name(finding.kind).to_owned(), line, value });
        }
        Piece::Rest(place) => {
            assert_eq!(at as u64, place.start, "more of a secret stands elsewhere");
            at = usize::try_from(place.end).unwrap();
        }
    };
    each_part(text, cuts, |part| redact.push(part, &mut give).unwrap());
    redact.end(&mut give);
    assert_eq!(at, text.len(), "it ends before its end");
    (String::from_utf8(out).unwrap(), found)
}

/// The text in one piece, or in pieces of any length where chance says how long.
fn each_part(text: &str, cuts: &mut Random, mut take: impl FnMut(&[u8])) {
    if cuts.0 == 0 {
        return take(text.as_bytes());
    }
    let mut rest = text.as_bytes();
    while !rest.is_empty() {
        let most = *cuts.pick(&[1, 7, 300, 70_000]);
        let (part, after) = rest.split_at(cuts.between(1, most).min(rest.len()));
        take(part);
        rest = after;
    }
}

/// What stands outside of the strings of a line of JSON.
fn without_strings(line: &str) -> String {
    let (mut outside, mut is_inside, mut is_escaped) = (String::new(), false, false);
    for char in line.chars() {
        match (is_inside, char) {
            (true, _) if is_escaped => is_escaped = false,
            (true, '\\') => is_escaped = true,
            (_, '"') => {
                is_inside = !is_inside;
                outside.push(char);
            }
            (false, _) => outside.push(char),
            (true, _) => {}
        }
    }
    outside
}
