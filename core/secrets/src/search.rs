//! Where the secrets of a stream are, line by line.

use crate::looks::commands::Calls;
use crate::looks::{address, header, keyed, pem, plausible};
use crate::rules::{Kind, Meaning, Named, Rules};
use crate::text::json::Leaf;
use crate::text::view::View;
use crate::text::{decode, deltas, json};
use alloc::vec::Vec;
use core::ops::Range;

mod clean;
mod found;
pub(crate) mod records;

use clean::Clean;
pub(crate) use found::Found;
pub use records::TooLong;

/// Encodings within each other that are looked into.
const DEPTH_MAX: u32 = 2;
/// Times that a record is looked through again without what was found.
const ROUNDS_MAX: usize = 16;
/// Keys of what chance made and is no secret: a changed signature makes a transcript useless.
const SIGNATURES: [&[u8]; 5] =
    [b"signature", b"thoughtSignature", b"thought_signature", b"encrypted_content", b"thinking_signature"];

/// A secret that was found. It prints no value.
pub struct Finding<'a> {
    /// What it is.
    pub kind: Kind,
    /// The line that it begins in, from 1.
    pub line: u64,
    /// Where it stands in the file.
    pub place: Range<u64>,
    /// What it says, decoded.
    pub value: &'a [u8],
}

impl core::fmt::Debug for Finding<'_> {
    fn fmt(&self, to: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(to, "Finding({:?}, line {}, {:?})", self.kind, self.line, self.place)
    }
}

/// The secrets of a record, one after the other, without overlaps: so many that none is found in what stays.
pub(crate) fn search(rules: &Rules, named: &Named, calls: &mut Calls, record: &[u8]) -> Vec<Found> {
    let mut found = once(rules, named, record);
    if json::is_json(record) {
        let output = |place: Range<usize>| Found {
            value: record[place.clone()].trim_ascii().to_vec(),
            place,
            kind: Kind::COMMAND_OUTPUT,
            is_rest: false,
        };
        found.extend(calls.outputs(record).into_iter().map(output));
        found = apart(found);
    }
    // Beside a marker, something else can look like a secret: a text in base64 that ends sooner now.
    for _ in 0..ROUNDS_MAX {
        if found.is_empty() {
            break;
        }
        let clean = Clean::of(rules, record, &found);
        let more = once(rules, named, &clean.bytes);
        if more.is_empty() {
            break;
        }
        found.extend(more.into_iter().map(|one| Found { place: clean.in_record(&one.place), ..one }));
        found = apart(found);
    }
    found
}

/// What is found in a record as it stands.
fn once(rules: &Rules, named: &Named, record: &[u8]) -> Vec<Found> {
    let mut search = Search { rules, named, record, found: Vec::new() };
    if json::is_json(record) {
        json::each_leaf(record, &mut |leaf| search.leaf(leaf));
        if deltas::is_delta_record(record) {
            deltas::texts(record).iter().for_each(|text| search.text(text, 0));
        }
    } else {
        search.text(&View::raw(record, 0..record.len()), 0);
    }
    apart(search.found)
}

struct Search<'r> {
    rules: &'r Rules,
    named: &'r Named,
    record: &'r [u8],
    found: Vec<Found>,
}

impl Search<'_> {
    fn leaf(&mut self, leaf: &Leaf) {
        let record = self.record;
        let key = leaf.key.clone().map(|key| &record[key]).unwrap_or_default();
        let text = &record[leaf.text.clone()];
        let is_skipped = SIGNATURES.contains(&key) || (leaf.is_beside_media && key == b"data");
        if is_skipped || text.len() < plausible::VALUE_BYTES_MIN {
            return;
        }
        let raw = View::raw(record, leaf.text.clone());
        let decoded = decode::unescaped(&raw);
        let view = decoded.as_ref().unwrap_or(&raw);
        // Few keys have something to find: tokens alone, and values that are named.
        if leaf.is_key {
            return self.as_it_stands(view, |meaning| matches!(meaning, Meaning::Token(_)));
        }
        if keyed::names_a_secret(key) && plausible::is_plausible(view.bytes()) {
            self.take(view, 0..view.bytes().len(), Kind::KEYED);
        }
        self.text(view, 0);
    }

    fn text(&mut self, view: &View<'_>, depth: u32) {
        self.as_it_stands(view, |_| true);
        if depth == DEPTH_MAX {
            return;
        }
        if let Some(inner) = decode::unescaped(view) {
            self.text(&inner, depth + 1);
        }
        decode::each_percent(view, &mut |inner| self.text(&inner, depth + 1));
        decode::each_run(view, &mut |inner| {
            if is_text(inner.bytes()) {
                self.text(&inner, depth + 1);
            }
        });
    }

    fn as_it_stands(&mut self, view: &View<'_>, is_wanted: fn(Meaning) -> bool) {
        let (rules, named, text) = (self.rules, self.named, view.bytes());
        rules.each_beginning(text, |meaning, at| {
            if !is_wanted(meaning) {
                return;
            }
            let found = match meaning {
                Meaning::Token(row) => rules.token(text, row, at),
                Meaning::PrivateKey => pem::private_key(text, at.start).map(|place| (Kind::PRIVATE_KEY, place)),
                Meaning::Address => address::password(text, at).map(|place| (Kind::ADDRESS, place)),
                Meaning::Scheme => header::login(text, at).map(|place| (Kind::HEADER, place)),
                Meaning::Word => keyed::value_beside(text, at).map(|place| (Kind::KEYED, place)),
            };
            if let Some((kind, place)) = found {
                self.take(view, place, kind);
            }
        });
        named.each(text, |place| self.take(view, place, Kind::NAMED));
    }

    fn take(&mut self, view: &View<'_>, part: Range<usize>, kind: Kind) {
        let value = view.bytes()[part.clone()].to_vec();
        let mut is_rest = false;
        for place in view.in_record(part) {
            // The ends of lines stay, so that every other line keeps its number.
            let mut from = place.start;
            for line in self.record[place].split(|byte| *byte == b'\n') {
                if !line.is_empty() {
                    let place = from..from + line.len();
                    self.found.push(Found { place, kind, value: value.clone(), is_rest });
                    is_rest = true;
                }
                from += line.len() + 1;
            }
        }
    }
}

/// Whether bytes that were decoded are a text, as far as their beginning says.
fn is_text(bytes: &[u8]) -> bool {
    const LOOK_BYTES: usize = 64;
    let look = &bytes[..bytes.len().min(LOOK_BYTES)];
    let texts = look.iter().filter(|byte| byte.is_ascii_graphic() || byte.is_ascii_whitespace()).count();
    texts * 10 >= look.len() * 9
}

/// Joins those that overlap. The most definite kind names the whole; a token keeps its place, whatever else a value
/// has.
fn apart(mut found: Vec<Found>) -> Vec<Found> {
    found.sort_by_key(|one| (one.place.start, one.place.end));
    let tokens: Vec<Range<usize>> =
        found.iter().filter(|one| rank(one.kind) == 0).map(|one| one.place.clone()).collect();
    // Tokens in the order of their places: the first that ends behind the beginning of a value is the only one to ask.
    let has_token = |place: &Range<usize>| {
        let next = tokens.partition_point(|token| token.start < place.start);
        tokens.get(next).is_some_and(|token| token.end <= place.end)
    };
    found.retain(|one| {
        rank(one.kind) < rank(Kind::ADDRESS) || one.kind == Kind::COMMAND_OUTPUT || !has_token(&one.place)
    });
    let mut apart: Vec<Found> = Vec::new();
    for one in found {
        match apart.last_mut().filter(|last| one.place.start < last.place.end) {
            None => apart.push(one),
            Some(last) => {
                last.place.end = last.place.end.max(one.place.end);
                if (one.is_rest, rank(one.kind)) < (last.is_rest, rank(last.kind)) {
                    (last.kind, last.value, last.is_rest) = (one.kind, one.value, one.is_rest);
                }
            }
        }
    }
    apart
}

/// How definite a kind is: a token by its looks first, a value beside a name last.
pub(crate) fn rank(kind: Kind) -> u8 {
    match kind {
        Kind::PRIVATE_KEY => 1,
        Kind::NAMED => 2,
        Kind::ADDRESS => 3,
        Kind::HEADER => 4,
        Kind::KEYED => 5,
        Kind::COMMAND_OUTPUT => 6,
        _ => 0,
    }
}
