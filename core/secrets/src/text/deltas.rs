//! Texts that are told piece by piece, a few bytes a line: their pieces are joined before they are looked through.
//!
//! The lines of one message follow each other. A piece belongs to the text whose key, kind and number it shares.

use crate::text::decode;
use crate::text::json::{self, Leaf};
use crate::text::view::{Piece, View};
use alloc::collections::BTreeMap;
use alloc::vec::Vec;

/// Bytes of a line with a piece at most: a longer one is looked through by itself.
const DELTA_LINE_BYTES_MAX: usize = 16 * 1024;
/// Keys that tell which text a piece belongs to.
const TEXT_KEYS: [&[u8]; 6] = [b"index", b"item_id", b"output_index", b"content_index", b"id", b"type"];

/// Whether a line tells a piece of a text.
pub(crate) fn is_delta(line: &[u8]) -> bool {
    line.len() <= DELTA_LINE_BYTES_MAX && memchr::memmem::find(line, b"\"delta\"").is_some() && json::is_json(line)
}

/// Whether a record, which is JSON, tells several.
pub(crate) fn is_delta_record(record: &[u8]) -> bool {
    let first = memchr::memchr(b'\n', record).map_or(record, |end| &record[..=end]);
    first.len() < record.len() && is_delta(first)
}

/// The texts that the lines of a record tell, each with its place in the record.
pub(crate) fn texts(record: &[u8]) -> Vec<View<'_>> {
    let mut texts: BTreeMap<Vec<u8>, (Vec<u8>, Vec<Piece>)> = BTreeMap::new();
    let mut from = 0;
    for line in record.split_inclusive(|byte| *byte == b'\n') {
        let mut ids: Vec<u8> = Vec::new();
        let mut told: Vec<Leaf> = Vec::new();
        json::each_leaf(line, &mut |leaf| {
            let key = leaf.key.clone().map(|key| &line[key]).unwrap_or_default();
            if TEXT_KEYS.contains(&key) {
                ids.extend_from_slice(key);
                ids.extend_from_slice(&line[leaf.text.clone()]);
            } else if leaf.is_delta {
                told.push(leaf.clone());
            }
        });
        ids.extend_from_slice(index_of(line));
        for leaf in told {
            let key = leaf.key.clone().map(|key| &line[key]).unwrap_or_default();
            let (bytes, pieces) = texts.entry([key, &ids].concat()).or_default();
            let base = from + leaf.text.start;
            let raw = View::raw(record, base..from + leaf.text.end);
            decode::unescaped(&raw).as_ref().unwrap_or(&raw).append_to(bytes, pieces, base);
        }
        from += line.len();
    }
    let several = texts.into_values().filter(|(_, pieces)| pieces.len() > 1);
    several.map(|(bytes, pieces)| View::joined(record, bytes, pieces)).collect()
}

/// The number that stands beside a piece: `"index":2`.
fn index_of(line: &[u8]) -> &[u8] {
    const KEY: &[u8] = b"\"index\":";
    let Some(at) = memchr::memmem::find(line, KEY).map(|at| at + KEY.len()) else { return b"" };
    let digits = line[at..].iter().take_while(|byte| byte.is_ascii_digit() || **byte == b' ').count();
    &line[at..at + digits]
}
