//! Content gives way to its pointer, and is not lost whatever happens.
//!
//! Law: only a file that is still the one that was hashed is displaced, and its bytes have another name before they
//! lose theirs. W is the name in the work tree, T a temporary name beside it, D and A are names in the store
//! (`displaced`, `adopted`).
//!
//! | step | if the process dies after it, the bytes are at | and W is |
//! | --- | --- | --- |
//! | 1 the file is opened, compared, and hashed again if it was young | W | the content |
//! | 2 the pointer is written to T and synced | W | the content; T is a leftover pointer |
//! | 3 the file is linked to D, and compared again | W and D | the content |
//! | 4 T and W change places | T and D | the pointer |
//! | 5 the file at T is compared: still the one of step 1, not a byte longer | T and D | the pointer |
//! | 5' it is not: T and W change places again, D goes | W | what its writer made of it |
//! | 6 the folder is synced; D becomes A, and that is synced | T and A | the pointer |
//! | 7 T goes | A | the pointer |
//!
//! What a dead process left: a T that is a pointer, or another name of a file in the store, is removed; any other T is
//! moved to `kept`; a D becomes A, which is hashed before it is used. All of it happens under a lock that says that
//! nobody else swaps.
//!
//! Where W and the store lie on two file systems, the content is copied to D, verified and synced, instead of step 3.
//! Where two names cannot change places, the pointer is renamed over W, after a last look, and D is linked back in 5'.

mod aside;
#[cfg(test)]
mod tests;

use std::fs::File;
use std::io::{self, Read, Seek};

pub(crate) use aside::Aside;
pub(crate) use aside::TEMPORARY;
use aside::{Displaced, GoesTo, Second};

use crate::contract::names::session_of;
use crate::contract::types::{Blob, Swap};
use crate::files::atomic::{Fresh, stands};
use crate::files::digest::Digesting;
use crate::files::dir::set_owner;
use crate::files::{Dir, Facts, Files, Opened, Revision, names_no_file};
use crate::store::{Note, hash_into};

/// What became of a swap.
#[derive(Debug)]
pub(crate) enum Swapped {
    /// The pointer stands there at this revision. Some: the content was displaced just now.
    At(String, Option<Note>),
    /// The file is no longer the one that was hashed; it is as it was.
    Conflict,
    /// There is no file.
    Absent,
}

/// Displaces a file by its pointer. `wanted` is asked while a large file is read.
pub(crate) fn swap(
    tree: &Files,
    aside: &Aside,
    swap: &Swap,
    wanted: impl Fn() -> io::Result<()> + Clone + Send + 'static,
) -> io::Result<Swapped> {
    let (folder, name) = match tree.folder_of(&swap.name) {
        Ok(Some(found)) => found,
        Ok(None) => return Ok(Swapped::Absent),
        Err(error) if names_no_file(&error) => return Ok(Swapped::Conflict),
        Err(error) => return Err(error),
    };
    let mut opened = match tree.open(&swap.name) {
        Ok(Some(opened)) => opened,
        Ok(None) => return Ok(Swapped::Absent),
        Err(error) if names_no_file(&error) => return Ok(Swapped::Conflict),
        Err(error) => return Err(error),
    };
    if is_pointer(&mut opened, &swap.pointer)? {
        return Ok(Swapped::At(opened.revision.text(), None));
    }
    let expected = Revision::from_text(&swap.expects);
    if !opened.revision.same_but_for_names(&expected) || opened.size != swap.blob.size {
        return Ok(Swapped::Conflict);
    }
    let before = Facts::of(&opened.file)?;
    // A run that died after it linked the file changed the time of its names.
    let is_doubtful = expected.is_unstable() || !opened.revision.same(&expected);
    if is_doubtful && !is_blob(&mut opened, &swap.blob, wanted.clone())? {
        return Ok(Swapped::Conflict);
    }
    let session = session_of(&swap.name).unwrap_or_default();
    let place = Swapping { folder: &folder, name, before, aside, blob: &swap.blob, session, goes_to: GoesTo::Adopted };
    let pointer = Fresh::write(&folder, TEMPORARY, &swap.pointer, Some(place.before.permissions))?;
    Ok(match place.run(&mut opened, pointer, wanted)? {
        Some((placed, Displaced::Adopted(note))) => Swapped::At(placed.revision.text(), Some(note)),
        Some((placed, Displaced::Kept(_))) => Swapped::At(placed.revision.text(), None),
        None => Swapped::Conflict,
    })
}

/// Displaces a file by another text of it, which is read from `with`, and keeps it where nothing is ever served from.
/// Its name there; none when it is no longer the file that was hashed.
pub(crate) fn keep(
    tree: &Files,
    aside: &Aside,
    name: &str,
    blob: &Blob,
    with: &mut File,
) -> io::Result<Option<String>> {
    let session = session_of(name).unwrap_or_default();
    aside.enter(tree, name)?;
    let Some((folder, last)) = tree.folder_of(name)? else { return Ok(None) };
    let Some(mut opened) = tree.open(name)? else { return Ok(None) };
    let before = Facts::of(&opened.file)?;
    if !is_blob(&mut opened, blob, || Ok(()))? {
        return Ok(None);
    }
    let place = Swapping { folder: &folder, name: last, before, aside, blob, session, goes_to: GoesTo::Kept };
    let mut fresh = Fresh::write(&folder, TEMPORARY, b"", Some(place.before.permissions))?;
    io::copy(with, &mut fresh.file)?;
    Ok(match place.run(&mut opened, fresh, || Ok(()))? {
        Some((_, Displaced::Kept(name))) => Some(name),
        _ => None,
    })
}

/// One file that is being displaced.
struct Swapping<'a> {
    folder: &'a Dir,
    name: &'a str,
    /// The state that was hashed.
    before: Facts,
    aside: &'a Aside,
    blob: &'a Blob,
    session: &'a str,
    goes_to: GoesTo,
}

impl Swapping<'_> {
    /// Puts a file in its place. None: it was not displaced, because it is no longer what was hashed.
    fn run(
        &self,
        opened: &mut Opened,
        pointer: Fresh<'_>,
        wanted: impl Fn() -> io::Result<()> + Clone + Send + 'static,
    ) -> io::Result<Option<(Opened, Displaced)>> {
        keep_owner(&pointer, &self.before);
        pointer.file.sync_data()?;
        let Some(second) = self.second_name(opened, wanted)? else { return Ok(None) };
        match self.trade(&pointer, &second) {
            Ok(true) => {}
            Ok(false) => {
                second.give_up()?;
                return Ok(None);
            }
            Err(error) => {
                // The first error is the one that matters; what stays is known to the next run.
                second.give_up().ok();
                return Err(error);
            }
        }
        self.folder.sync()?;
        let displaced = second.settle()?;
        self.remove_displaced(&pointer)?;
        let placed = Opened::new(pointer.file.try_clone()?)?;
        Ok(Some((placed, displaced)))
    }

    /// Another name for the content: none when the file is not the one that was hashed any more.
    fn second_name(
        &self,
        opened: &mut Opened,
        wanted: impl Fn() -> io::Result<()> + Clone + Send + 'static,
    ) -> io::Result<Option<Second<'_>>> {
        let note = Note::of(&self.blob.oid, &self.before, self.session);
        if let Some(second) = self.aside.link(self.folder, self.name, note, self.goes_to)? {
            let is_the_file = second.facts()?.identity == self.before.identity && self.is_unchanged(opened)?;
            if is_the_file {
                return Ok(Some(second));
            }
            second.give_up()?;
            return Ok(None);
        }
        opened.file.rewind()?;
        let copied = self.aside.copy(&mut opened.file, self.blob, self.session, self.goes_to, wanted)?;
        match copied {
            Some(second) if self.is_unchanged(opened)? => Ok(Some(second)),
            Some(second) => second.give_up().map(|()| None),
            None => Ok(None),
        }
    }

    fn is_unchanged(&self, opened: &Opened) -> io::Result<bool> {
        Ok(Facts::of(&opened.file)?.is_same_content(&self.before))
    }

    /// Pointer and content change places; false when the content was not the expected one any more, and then all is as
    /// it was.
    fn trade(&self, pointer: &Fresh<'_>, second: &Second<'_>) -> io::Result<bool> {
        let is_content = |facts: Option<Facts>| facts.is_some_and(|facts| facts.is_same_content(&self.before));
        if !is_content(self.folder.facts(self.name)?) {
            return Ok(false);
        }
        if pointer.exchange(self.name)? {
            if is_content(pointer.at_temporary()?) {
                return Ok(true);
            }
            pointer.exchange(self.name)?;
            return Ok(false);
        }
        if !second.is_link() {
            return Err(io::Error::other("files cannot change places here, so the content stays"));
        }
        pointer.take_over(self.name)?;
        if second.facts()?.is_same_content(&self.before) {
            return Ok(true);
        }
        if stands(self.folder, self.name, pointer.identity())? {
            second.link_back(self.folder, self.name)?;
        }
        Ok(false)
    }

    /// The displaced file has its name in the store now. Anything else that stands there is left.
    fn remove_displaced(&self, pointer: &Fresh<'_>) -> io::Result<()> {
        if stands(self.folder, pointer.name(), self.before.identity)? {
            self.folder.remove(pointer.name())?;
        }
        Ok(())
    }
}

fn is_pointer(opened: &mut Opened, pointer: &[u8]) -> io::Result<bool> {
    if opened.size != pointer.len() as u64 {
        return Ok(false);
    }
    let mut bytes = Vec::with_capacity(pointer.len() + 1);
    (&opened.file).take(pointer.len() as u64 + 1).read_to_end(&mut bytes)?;
    opened.file.rewind()?;
    Ok(bytes == pointer)
}

/// A file that was hashed soon after a write could have changed once more without its times showing it.
fn is_blob(opened: &mut Opened, blob: &Blob, wanted: impl Fn() -> io::Result<()> + Send + 'static) -> io::Result<bool> {
    let mut digest = Digesting::new();
    hash_into(&mut digest, &mut opened.file, move |_| wanted())?;
    opened.file.rewind()?;
    Ok(digest.finish() == *blob && opened.unchanged()?)
}

/// Where somebody else's file is displaced, the pointer stays theirs.
fn keep_owner(pointer: &Fresh<'_>, before: &Facts) {
    if Facts::of(&pointer.file).is_ok_and(|own| own.owner != before.owner) {
        set_owner(&pointer.file, before.owner);
    }
}
