//! What a reader of a container gives of it, piece by piece.

use std::io::Read;

use super::part::{CannotOpen, Name};

/// What was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Found {
    /// A member, which may be a container again.
    Member,
    /// What a compressed file holds.
    Content,
    /// Text, whatever it begins with.
    Text,
    /// What the container says besides: names, comments, what lies between its members.
    Own,
    /// Raw bytes of a database.
    Leftover,
}

/// Takes it, with its name.
pub(super) type Each<'e> = &'e mut dyn FnMut(Found, &Name, &mut dyn Read) -> Result<(), CannotOpen>;
