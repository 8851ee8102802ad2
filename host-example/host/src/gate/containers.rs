//! What is in files that are made of others: archives, compressed files, databases.
//!
//! Rule: what cannot be looked through to its last byte is no part that passes, but a `CannotOpen`. What a file is,
//! its bytes tell, and never its name. Nothing is unpacked to a disk; a database alone is copied, to a place that
//! nobody else can open.

mod budget;
mod bytes;
mod database;
mod found;
mod kind;
pub(crate) mod limits;
mod packed;
mod part;
mod tar;
#[cfg(test)]
mod tests;
mod zip;

use std::fs::File;
use std::io::{self, Read};

use budget::{Budget, Counted};
use bytes::{Placed, Span, WholeFile, beginning};
use found::Found;
use kind::{HEAD_BYTES, Kind};
use limits::DEPTH_MAX;
use part::Name;

pub(crate) use part::{CannotOpen, Look, Part, Stopped};

/// The name of what a container says besides its members: their names, comments, what lies between them.
const OWN: &str = "its own bytes";

/// What takes the parts of a file. What it leaves of a part is read nevertheless: the proof stands at the end.
pub(crate) type Take<'t> = &'t mut dyn FnMut(&Part<'_>, &mut dyn Read) -> Result<(), Stopped>;

/// Calls `take` with each part of a file that has text: the file itself if it is no container, else each member, each
/// column of a database, and what the container says besides. `has_beside` tells whether a file stands beside it that
/// has its name and this ending: a database that is in use has one.
///
/// Memory is bounded, whatever the file says; where the file is read at, is not changed.
pub(crate) fn each_part(file: &File, has_beside: &dyn Fn(&str) -> bool, take: Take<'_>) -> Result<Look, CannotOpen> {
    let name = Name::default();
    let file = WholeFile::of(file).map_err(|error| name.unread(&error))?;
    let budget = Budget::of(file.size());
    let mut walk = Walk { take, budget: &budget, has_beside };
    let kind = walk.placed(&name, &file, Level::default())?;
    Ok(match kind {
        None => Look::Plain,
        Some(Kind::Database) => Look::Database,
        Some(kind) => Look::Packed(kind.words()),
    })
}

/// Whether a file is made of others, as far as its bytes tell.
pub(crate) fn is_container(file: &File) -> io::Result<bool> {
    let file = WholeFile::of(file)?;
    let head = beginning(&mut Span::whole(&file), HEAD_BYTES)?;
    Ok(Kind::of(&head).is_some() || zip::is_at_end(&file)?)
}

/// Where in other containers something is.
#[derive(Clone, Copy, Default)]
struct Level {
    /// Containers around it.
    depth: usize,
    /// It is all that a compressed file holds.
    is_content: bool,
}

impl Level {
    /// That of what is in it. A compressed tar archive is one container.
    fn within(self, kind: Kind) -> Result<Self, String> {
        let is_counted = !(self.is_content && kind == Kind::Tar);
        if is_counted && self.depth == DEPTH_MAX {
            return Err(format!("it lies in {DEPTH_MAX} others: unpack it, and look through that"));
        }
        Ok(Self { depth: self.depth + usize::from(is_counted), is_content: matches!(kind, Kind::Packed(_)) })
    }
}

struct Walk<'w> {
    take: Take<'w>,
    budget: &'w Budget,
    has_beside: &'w dyn Fn(&str) -> bool,
}

impl Walk<'_> {
    /// Looks through what can be read in any order.
    fn placed(&mut self, name: &Name, placed: &dyn Placed, level: Level) -> Result<Option<Kind>, CannotOpen> {
        let unread = |error: io::Error| name.unread(&error);
        let head = beginning(&mut Span::whole(placed), HEAD_BYTES).map_err(unread)?;
        let mut kind = Kind::of(&head);
        if kind.is_none() && zip::is_at_end(placed).map_err(unread)? {
            kind = Some(Kind::Zip);
        }
        match kind {
            Some(Kind::Zip) => {
                let within = level.within(Kind::Zip).map_err(|why| name.cannot(why))?;
                zip::each_member(name, placed, &mut |found, name, bytes| self.found(found, name, bytes, within))?;
            }
            _ => self.opened(kind, name, &mut Span::whole(placed), level)?,
        }
        Ok(kind)
    }

    /// Looks through what comes once.
    fn stream(&mut self, name: &Name, stream: &mut dyn Read, level: Level) -> Result<(), CannotOpen> {
        let unread = |error: io::Error| name.unread(&error);
        let head = beginning(stream, HEAD_BYTES).map_err(unread)?;
        let kind = Kind::of(&head);
        let mut all = head.as_slice().chain(stream);
        match kind {
            Some(Kind::Zip) => {
                let held = self.budget.hold(&mut all).map_err(unread)?;
                self.placed(name, &held.bytes, level).map(drop)
            }
            None => {
                let mut ending = Ending::new(&mut all);
                let name = if level.is_content { &name.member(b"unpacked") } else { name };
                self.text(name, &mut ending, false)?;
                match zip::is_end(&ending.last) {
                    true => Err(name.cannot("a zip archive stands at its end: unpack it, and look through that")),
                    false => Ok(()),
                }
            }
            Some(_) => self.opened(kind, name, &mut all, level),
        }
    }

    /// Looks through what is read from its beginning to its end.
    fn opened(
        &mut self,
        kind: Option<Kind>,
        name: &Name,
        bytes: &mut dyn Read,
        level: Level,
    ) -> Result<(), CannotOpen> {
        let Some(kind) = kind else { return self.text(name, bytes, false) };
        let is_file = level.depth == 0;
        let level = level.within(kind).map_err(|why| name.cannot(why))?;
        let budget = self.budget;
        match kind {
            Kind::Database if is_file && database::COMPANIONS.iter().any(|ending| (self.has_beside)(ending)) => {
                Err(name.cannot(database::IN_USE))
            }
            Kind::Database => database::each_text(name, bytes, budget, &mut |found, name, bytes| {
                self.found(found, name, bytes, level)
            }),
            Kind::Tar => tar::each_member(name, bytes, &mut |found, name, bytes| self.found(found, name, bytes, level)),
            Kind::Packed(codec) => packed::each_content(codec, name, bytes, &mut |found, name, bytes| {
                self.found(found, name, bytes, level)
            }),
            Kind::Closed(words) => Err(name.cannot(format!("it is {words}, which cannot be looked into: unpack it"))),
            Kind::Zip => Err(name.cannot("a zip archive is read from its end")),
        }
    }

    /// Takes what a container gave.
    fn found(&mut self, found: Found, name: &Name, bytes: &mut dyn Read, level: Level) -> Result<(), CannotOpen> {
        let mut counted = Counted::new(bytes, self.budget);
        let seen = match found {
            Found::Member => {
                let counted_in = self.budget.member().map_err(|why| name.cannot(why));
                counted_in.and_then(|()| self.stream(name, &mut counted, level))
            }
            Found::Content => self.stream(name, &mut counted, level),
            Found::Text => self.text(name, &mut counted, false),
            Found::Own => self.text(&name.member(OWN.as_bytes()), &mut counted, false),
            Found::Leftover => self.text(name, &mut counted, true),
        };
        // Where this could not be read, what was made of it says less.
        counted.failure().map_or(seen, |why| Err(name.cannot(why)))
    }

    /// Has a text taken, and reads it to its end.
    fn text(&mut self, name: &Name, bytes: &mut dyn Read, is_leftover: bool) -> Result<(), CannotOpen> {
        let taken = (self.take)(&Part { member: name.text(), is_leftover }, bytes);
        taken.map_err(|Stopped(why)| name.cannot(why))?;
        io::copy(bytes, &mut io::sink()).map_err(|error| name.unread(&error))?;
        Ok(())
    }
}

/// A stream of which the last bytes are kept: the end of a zip archive may stand there.
struct Ending<'a> {
    of: &'a mut dyn Read,
    last: Vec<u8>,
}

impl<'a> Ending<'a> {
    fn new(of: &'a mut dyn Read) -> Self {
        Self { of, last: Vec::new() }
    }
}

impl Read for Ending<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.of.read(buffer)?;
        self.last.extend_from_slice(&buffer[..count]);
        let above = self.last.len().saturating_sub(zip::END_BYTES_MAX);
        // Not with each small piece: to move them costs more than to keep them.
        if above > zip::END_BYTES_MAX {
            self.last.drain(..above);
        }
        Ok(count)
    }
}
