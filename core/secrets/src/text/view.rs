//! A text, decoded or as it stands, and where each of its bytes is in the raw bytes.

use alloc::borrow::Cow;
use alloc::vec::Vec;
use core::iter;
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
    /// Where it ends there.
    pub(crate) outer_end: usize,
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

    /// Parts of a record, one after the other.
    pub(crate) fn joined(record: &'a [u8], bytes: Vec<u8>, mut pieces: Vec<Piece>) -> Self {
        pieces.push(Piece { at: bytes.len(), outer: record.len(), outer_end: record.len(), is_whole: true });
        Self { bytes: Cow::Owned(bytes), places: Places::Pieces(pieces), outer: None }
    }

    /// Appends it to others of the same record, in which it begins at `base`.
    pub(crate) fn append_to(&self, bytes: &mut Vec<u8>, pieces: &mut Vec<Piece>, base: usize) {
        let at = bytes.len();
        bytes.extend_from_slice(&self.bytes);
        let Places::Pieces(own) = &self.places else {
            pieces.push(Piece { at, outer: base, outer_end: base + self.bytes.len(), is_whole: false });
            return;
        };
        let own = own.iter().take_while(|piece| piece.at < self.bytes.len());
        pieces.extend(own.map(|piece| Piece {
            at: at + piece.at,
            outer: base + piece.outer,
            outer_end: base + piece.outer_end,
            is_whole: piece.is_whole,
        }));
    }

    pub(crate) fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Where a part of it is in the record: in one place, unless pieces were joined. What stands for a part of it is
    /// taken as a whole.
    pub(crate) fn in_record(&self, part: Range<usize>) -> Vec<Range<usize>> {
        let place = match &self.places {
            Places::Pieces(pieces) => return self.outwards(in_pieces(pieces, part)),
            Places::Same(start) => start + part.start..start + part.end,
            Places::Groups { start, end, outer, inner } => {
                let until = start + part.end.div_ceil(*inner) * outer;
                start + part.start / inner * outer..until.min(*end)
            }
        };
        self.outwards(iter::once(place).collect())
    }

    fn outwards(&self, places: Vec<Range<usize>>) -> Vec<Range<usize>> {
        let Some(outer) = self.outer else { return places };
        places.into_iter().flat_map(|place| outer.in_record(place)).collect()
    }
}

fn in_pieces(pieces: &[Piece], part: Range<usize>) -> Vec<Range<usize>> {
    let mut places: Vec<Range<usize>> = Vec::new();
    let first = pieces.partition_point(|piece| piece.at <= part.start).saturating_sub(1);
    for pair in pieces[first..].windows(2).take_while(|pair| pair[0].at < part.end) {
        let (piece, next) = (pair[0], pair[1].at);
        let (from, to) = (part.start.max(piece.at), part.end.min(next));
        if from >= to {
            continue;
        }
        let place = match piece.is_whole {
            true => piece.outer..piece.outer_end,
            false => piece.outer + (from - piece.at)..piece.outer + (to - piece.at),
        };
        match places.last_mut().filter(|last| last.end == place.start) {
            Some(last) => last.end = place.end,
            None => places.push(place),
        }
    }
    places
}
