//! A text, decoded or as it stands, and where each of its bytes is in the raw bytes.

use alloc::borrow::Cow;
use alloc::vec::Vec;
use core::ops::Range;

/// A text to look for secrets in.
#[derive(Debug)]
pub(crate) struct View<'a> {
    bytes: Cow<'a, [u8]>,
    places: Places,
    /// The text that this one was decoded from; none: the record itself.
    outer: Option<&'a View<'a>>,
}

/// Where the bytes of a view are in the text around it.
#[derive(Debug)]
enum Places {
    /// One after the other, from here on.
    Same(usize),
    /// Most as they stand, some in sequences that mean something else. The last piece is where the view ends.
    Pieces(Vec<Piece>),
    /// In groups of one length each, such as the four characters that stand for three bytes.
    Groups { start: usize, end: usize, outer: usize, inner: usize },
}

/// Bytes that lie in the text around as they lie in the view, or that one sequence stands for.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Piece {
    /// Where it begins in the view.
    pub(crate) at: usize,
    /// Where it begins in the text around.
    pub(crate) outer: usize,
    /// It is one sequence, of which no part can be taken.
    pub(crate) is_whole: bool,
}

impl<'a> View<'a> {
    /// A part of a record as it stands.
    pub(crate) fn raw(record: &'a [u8], part: Range<usize>) -> Self {
        Self { bytes: Cow::Borrowed(&record[part.clone()]), places: Places::Same(part.start), outer: None }
    }

    /// What the sequences in a text stand for. `pieces` ends with one that marks both ends.
    pub(crate) fn of_pieces(outer: &'a View<'a>, bytes: Vec<u8>, pieces: Vec<Piece>) -> Self {
        Self { bytes: Cow::Owned(bytes), places: Places::Pieces(pieces), outer: Some(outer) }
    }

    /// What the groups in a part of a text stand for: so many characters each for so many bytes.
    pub(crate) fn of_groups(outer: &'a View<'a>, part: Range<usize>, group: (usize, usize), bytes: Vec<u8>) -> Self {
        let places = Places::Groups { start: part.start, end: part.end, outer: group.0, inner: group.1 };
        Self { bytes: Cow::Owned(bytes), places, outer: Some(outer) }
    }

    pub(crate) fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Where a part of it is in the record. What stands for a part of it is taken as a whole.
    pub(crate) fn in_record(&self, part: Range<usize>) -> Range<usize> {
        let around = match &self.places {
            Places::Same(start) => start + part.start..start + part.end,
            Places::Pieces(pieces) => begin_of(pieces, part.start)..end_of(pieces, part.end),
            Places::Groups { start, end, outer, inner } => {
                let until = start + part.end.div_ceil(*inner) * outer;
                start + part.start / inner * outer..until.min(*end)
            }
        };
        self.outer.map_or(around.clone(), |outer| outer.in_record(around))
    }
}

fn piece_of(pieces: &[Piece], at: usize) -> usize {
    pieces.partition_point(|piece| piece.at <= at).saturating_sub(1)
}

fn begin_of(pieces: &[Piece], at: usize) -> usize {
    let piece = pieces[piece_of(pieces, at)];
    if piece.is_whole { piece.outer } else { piece.outer + (at - piece.at) }
}

fn end_of(pieces: &[Piece], end: usize) -> usize {
    if end == 0 {
        return pieces[0].outer;
    }
    let of_last = piece_of(pieces, end - 1);
    let piece = pieces[of_last];
    if piece.is_whole { pieces[of_last + 1].outer } else { piece.outer + (end - piece.at) }
}
