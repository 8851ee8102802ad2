//! Objects by their names, many at once, from one `git cat-file` that stays.
//!
//! The rules it keeps: what is written while it runs is found; the index is looked at anew for each call; nobody waits
//! longer than for any other git, and no part of an answer is more than memory can hold. A git older than 2.36 is
//! started for each question.

use std::time::Duration;

use super::Git;
use super::chain;
use super::fault::{GIT_LOCAL_SECONDS_MAX, GitFault};
use super::staying::State;
use super::stream::{Said, Talk};
use crate::process::ChildFault;

/// Bytes of the objects that git is asked for at once, at most; a single object may have more.
const PART_BYTES_MAX: u64 = 16 << 20;
/// Bytes of facts that git says before each object, about.
const FACTS_BYTES: u64 = 64;
/// A git that answers until nobody asks any more.
const STAYS: [&str; 3] = ["cat-file", "--batch-command", "--buffer"];
/// How a line ends that says that there is no such object, or more than one.
const NOT_THERE: [&[u8]; 2] = [b" missing", b" ambiguous"];
const PATIENCE: Duration = Duration::from_secs(GIT_LOCAL_SECONDS_MAX);

/// What git says of an object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Header {
    /// Its id in git.
    pub(crate) git_oid: String,
    /// `blob`, `tree`, `commit` or `tag`.
    pub(crate) kind: &'static str,
    /// Its length in bytes.
    pub(crate) size: u64,
}

impl Header {
    /// `oid type size`; none for a line that says what is wrong: missing, ambiguous.
    fn parse(line: &[u8]) -> Option<Self> {
        let mut words = std::str::from_utf8(line).ok()?.split(' ');
        let (oid, kind, size) = (words.next()?, words.next()?, words.next()?);
        let kind = ["blob", "tree", "commit", "tag"].into_iter().find(|known| *known == kind)?;
        // A name that is missing may hold anything.
        let is_whole = words.next().is_none() && oid.len() >= 40 && oid.bytes().all(|byte| byte.is_ascii_hexdigit());
        if is_whole { Some(Self { git_oid: oid.to_owned(), kind, size: size.parse().ok()? }) } else { None }
    }

    /// Whether it holds the bytes of a file.
    pub(crate) fn is_blob(&self) -> bool {
        self.kind == "blob"
    }
}

impl Said {
    /// What git says of the next object; a line that says what is wrong with it is an inner none, the end an outer one.
    pub(crate) fn object_header(&mut self) -> Result<Option<Option<Header>>, GitFault> {
        let Some(line) = self.record(b'\n')? else { return Ok(None) };
        match Header::parse(&line) {
            Some(header) => Ok(Some(Some(header))),
            None if NOT_THERE.iter().any(|word| line.ends_with(word)) => Ok(Some(None)),
            None => Err(GitFault::Unreadable),
        }
    }

    /// The bytes that follow upon a header, piece by piece.
    pub(crate) fn object_body(&mut self, header: &Header, see: impl FnMut(&[u8])) -> Result<(), GitFault> {
        self.pieces(header.size, see)?;
        if self.record(b'\n')?.is_some_and(|rest| rest.is_empty()) { Ok(()) } else { Err(GitFault::Unreadable) }
    }
}

/// A question about a name: the word for a git that stays, and the option of one that is started for it.
type Question = (&'static str, &'static str);
const INFO: Question = ("info ", "--batch-check");
const CONTENTS: Question = ("contents ", "--batch");

impl Git {
    /// What git has under each of these names, in git's own words for objects: an id, `COMMIT:PATH`, `:PATH` for the
    /// index. None where there is nothing, and for a name with a line end. No name may ask for settings
    /// (`@{upstream}`): git ends when it has no answer to that.
    pub(crate) fn info<S: AsRef<str>>(&self, names: &[S]) -> Result<Vec<Option<Header>>, GitFault> {
        // One line names one object.
        let is_line = |name: &&str| !name.contains(['\n', '\0']);
        let asked: Vec<&str> = names.iter().map(AsRef::as_ref).filter(is_line).collect();
        let told = self.ask(INFO, &asked, &mut |said| {
            asked.iter().map(|_| said.object_header()?.ok_or(GitFault::Unreadable)).collect::<Result<Vec<_>, _>>()
        })?;
        let mut told = told.into_iter();
        let next = |name: &str| if is_line(&name) { told.next().flatten() } else { None };
        Ok(names.iter().map(AsRef::as_ref).map(next).collect())
    }

    /// The same, without what is no blob.
    pub(crate) fn blob_info<S: AsRef<str>>(&self, names: &[S]) -> Result<Vec<Option<Header>>, GitFault> {
        Ok(self.info(names)?.into_iter().map(|header| header.filter(Header::is_blob)).collect())
    }

    /// The commit that a name stands for; none when there is none. What [`Git::info`] says of names holds here, too.
    pub(crate) fn commit(&self, name: &str) -> Result<Option<String>, GitFault> {
        let name = format!("{name}^{{commit}}");
        match self.info(&[&name]) {
            Ok(found) => Ok(found.into_iter().flatten().next().map(|header| header.git_oid)),
            // One that cannot be read ends the reader of objects. Another command tells whether there is one at all.
            Err(GitFault::Refused(_)) => {
                let ended = self.run(&["rev-parse", "--verify", "--quiet", "--end-of-options", &name], b"")?;
                let oid = String::from_utf8_lossy(&ended.stdout).trim().to_owned();
                Ok(Some(oid).filter(|oid| ended.success() && !oid.is_empty()))
            }
            Err(fault) => Err(fault),
        }
    }

    /// Hands over the objects under these names, each with its place among them, without those that have more bytes.
    pub(crate) fn contents<S: AsRef<str>, E: From<GitFault>>(
        &self,
        names: &[S],
        bytes_max: u64,
        see: &mut dyn FnMut(usize, Header, Vec<u8>) -> Result<(), E>,
    ) -> Result<(), E> {
        let found = self.info(names)?;
        let wanted = |(place, header): (usize, &'_ Option<Header>)| {
            let header = header.as_ref().filter(|header| header.size <= bytes_max)?;
            Some((place, (header.git_oid.clone(), header.size)))
        };
        let (places, objects): (Vec<usize>, Vec<(String, u64)>) = found.iter().enumerate().filter_map(wanted).unzip();
        self.each_object(&objects, &mut |at, header, bytes| see(places[at], header, bytes))
    }

    /// Hands over the bytes of objects, each with its place among them. They are named by id and length, and read in
    /// parts that memory can hold.
    pub(crate) fn each_object<S: AsRef<str>, E: From<GitFault>>(
        &self,
        objects: &[(S, u64)],
        see: &mut dyn FnMut(usize, Header, Vec<u8>) -> Result<(), E>,
    ) -> Result<(), E> {
        let mut at = 0;
        while at < objects.len() {
            let (mut end, mut bytes) = (at, 0);
            while end < objects.len() && (end == at || bytes + objects[end].1 <= PART_BYTES_MAX) {
                bytes += objects[end].1 + FACTS_BYTES;
                end += 1;
            }
            let part = &objects[at..end];
            let names: Vec<&str> = part.iter().map(|(oid, _)| oid.as_ref()).collect();
            let read = self.ask(CONTENTS, &names, &mut |said| {
                part.iter().map(|(_, size)| object(said, *size)).collect::<Result<Vec<_>, _>>()
            })?;
            for (place, (header, bytes)) in (at..).zip(read) {
                see(place, header, bytes)?;
            }
            at = end;
        }
        Ok(())
    }

    fn ask<R: Default>(
        &self,
        (word, option): Question,
        names: &[&str],
        take: &mut dyn FnMut(&mut Said) -> Result<R, GitFault>,
    ) -> Result<R, GitFault> {
        if names.is_empty() {
            return Ok(R::default());
        }
        let asks_index = names.iter().any(|name| name.starts_with(':'));
        // It is ours while we talk: whoever asks meanwhile starts one more.
        let (mut idle, is_old) = match self.objects.swap(State::Absent) {
            State::Absent => (None, false),
            State::Idle(talk, knows_index) => (Some((talk, knows_index)), false),
            State::Old => (None, true),
            // Nobody waits for it twice.
            State::Silent => {
                self.objects.swap(State::Silent);
                return Err(GitFault::Child(ChildFault::TooSlow));
            }
        };
        if !is_old {
            idle.take_if(|(talk, knows_index)| (*knows_index && asks_index) || !talk.is_alive());
            let (mut talk, knows_index) = match idle {
                Some(idle) => idle,
                None => (Talk::start(self.command_of(&STAYS), PATIENCE)?, false),
            };
            let lines = names.iter().flat_map(|name| [word, name, "\n"]).chain(["flush\n"]);
            let answer = talk.ask(lines.collect::<String>().into_bytes(), PATIENCE, take);
            match &answer {
                Ok(_) => drop(self.objects.swap(State::Idle(talk, knows_index || asks_index))),
                Err(GitFault::Child(ChildFault::TooSlow)) => drop(self.objects.swap(State::Silent)),
                Err(_) => {}
            }
            if !matches!(answer, Err(GitFault::Usage)) {
                return answer;
            }
        }
        self.objects.swap(State::Old);
        let lines: String = names.iter().flat_map(|name| [name, "\n"]).collect();
        chain::read_fed(self, Some(lines.into_bytes()), &[&["cat-file", option, "--buffer"]], take)
    }
}

/// An object that was known to have no more bytes than this a moment ago.
fn object(said: &mut Said, size: u64) -> Result<(Header, Vec<u8>), GitFault> {
    let header = said.object_header()?.ok_or(GitFault::Unreadable)?.ok_or(GitFault::Gone)?;
    if header.size > size {
        return Err(GitFault::Unreadable);
    }
    let mut bytes = Vec::new();
    said.object_body(&header, |piece| bytes.extend_from_slice(piece))?;
    Ok((header, bytes))
}

#[cfg(test)]
mod tests;
