//! Which of some blobs the commits here still mention: at the ends of all branches and tags, in stashes and in what is
//! staged, in every small file and every manifest; in history, in every manifest that ever was.
//!
//! The rules it keeps: texts are read in a stream, one after the other, and searched for digests before anybody looks
//! closer; what cannot be read is a failure, never silence, because whoever asks may be about to delete.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::io::{self, Read};
use std::sync::Arc;

use super::{Refusal, words};
use crate::contract::names::{MANIFESTS, SMALL_FILES};
use crate::contract::types::{Failed, Failure};
use crate::files::digest::OID_DIGITS;
use crate::git::Git;
use crate::git::chain;
use crate::git::stream::Said;
use crate::git::tree::{self, Change};

/// Bytes of a text that are handed over; a longer one is searched all the same.
const TEXT_BYTES_MAX: usize = 4 << 20;
/// Bytes read at once.
const PIECE_BYTES: usize = 64 << 10;
/// Branches, tags and stashes looked at, at most.
const TIPS_MAX: usize = 16_384;
/// Manifests read, at most: every version of each counts.
const MANIFESTS_MAX: usize = 262_144;

/// A text that mentions some of the blobs, or may.
pub struct Mention {
    /// Those whose digits stand in it.
    pub oids: BTreeSet<String>,
    /// The text; none when it is longer than anybody would read.
    pub text: Option<Vec<u8>>,
    /// Sessions whose manifest it is or was; of small files none.
    pub sessions: Vec<Arc<str>>,
}

/// Those of the wanted oids whose digits stand in a text of any length.
pub fn mentioned_in(wanted: &HashSet<String>, mut text: impl Read) -> io::Result<BTreeSet<String>> {
    let (mut search, mut piece) = (Search::new(wanted), vec![0; PIECE_BYTES]);
    loop {
        match text.read(&mut piece)? {
            0 => return Ok(search.end().oids),
            length => search.feed(&piece[..length]),
        }
    }
}

/// The blobs that branches, tags and stashes mention now, here and as the remotes were last seen, in every small file
/// of theirs and in every manifest; and those that a staged change mentions.
pub fn of_tips(git: &Git, wanted: &HashSet<String>, see: &mut dyn FnMut(Mention)) -> Result<(), Refusal> {
    let git = git.as_it_is();
    let tips = tips(&git)?;
    if !tips.is_empty() {
        of_commits(&git, &tips, wanted, see)?;
    }
    Ok(of_index(&git, wanted, see)?)
}

/// Those of some commits.
fn of_commits(
    git: &Git,
    tips: &BTreeSet<String>,
    wanted: &HashSet<String>,
    see: &mut dyn FnMut(Mention),
) -> Result<(), Failed> {
    let list = [
        "rev-list",
        "--objects",
        "--no-walk",
        "--no-object-names",
        "--filter=object:type=blob",
        SMALL_FILES,
        "--stdin",
    ];
    chain::read_fed(git, Some(lines(tips)), &[&list, &["cat-file", "--batch", "--buffer"]], |said| {
        while let Some((_, found)) = text(said, wanted)? {
            see_one(found, &[], see);
        }
        Ok::<_, Failed>(())
    })?;
    let mut manifests = Manifests::default();
    for tip in tips {
        manifests.of_commit(git, tip)?;
    }
    manifests.read(git, wanted, see)
}

/// Those that stand in what is staged.
fn of_index(git: &Git, wanted: &HashSet<String>, see: &mut dyn FnMut(Mention)) -> Result<(), Failed> {
    let head = match git.commit("HEAD")? {
        Some(head) => head,
        // All that is staged is new on a branch without a commit.
        None => empty_tree(git)?,
    };
    let mut staged = BTreeSet::new();
    let changes = ["diff-index", "--cached", "--raw", "-z", "--no-renames", "--no-abbrev", &head, "--"];
    chain::read(git, &[&changes], |said| {
        while let Some((Change { after: new, .. }, _)) = said.change()? {
            if new.is_file() {
                staged.insert(new.oid);
            }
        }
        Ok::<_, Failed>(())
    })?;
    if staged.is_empty() {
        return Ok(());
    }
    chain::read_fed(git, Some(lines(&staged)), &[&["cat-file", "--batch", "--buffer"]], |said| {
        while let Some((_, found)) = text(said, wanted)? {
            see_one(found, &[], see);
        }
        Ok::<_, Failed>(())
    })
}

/// The id of the tree that holds nothing, which git knows without an object.
fn empty_tree(git: &Git) -> Result<String, Failed> {
    let id = git.read(&["hash-object", "-t", "tree", "--stdin"], b"")?;
    Ok(String::from_utf8_lossy(&id).trim().to_owned())
}

/// The blobs that manifests of sessions mention, or mentioned, in any commit here.
pub fn of_history(git: &Git, wanted: &HashSet<String>, see: &mut dyn FnMut(Mention)) -> Result<(), Refusal> {
    let git = git.as_it_is();
    let tips = tips(&git)?;
    if tips.is_empty() {
        return Ok(());
    }
    Ok(Manifests::ever(&git, &tips, &["rev-list", "--all", "--stdin"])?.read(&git, wanted, see)?)
}

/// The manifests that commits of this branch, and of the remotes' branches as they were last seen, have or ever had.
pub fn manifests_ever(git: &Git, see: &mut dyn FnMut(Vec<u8>)) -> Result<(), Refusal> {
    let git = git.as_it_is();
    // A branch that has no commit yet names nothing; those of the remotes count all the same.
    let head = BTreeSet::from_iter(git.commit("HEAD")?);
    let manifests = Manifests::ever(&git, &head, &["rev-list", "--remotes", "--stdin"])?;
    Ok(manifests.each(&git, &HashSet::new(), &mut |found, _| see(found.text.unwrap_or_default()))?)
}

/// The last commit, those of all branches here and of the remotes as they were last seen, those of tags, and what is
/// stashed, with its index.
fn tips(git: &Git) -> Result<BTreeSet<String>, Failed> {
    let mut tips = BTreeSet::from_iter(git.commit("HEAD")?);
    // A tag of something that is no commit has no tip.
    let listed = ["rev-list", "--no-walk=unsorted", "--branches", "--remotes", "--tags"];
    let named = git.read(&listed, b"")?;
    // Without a stash there is no such ref.
    let stashed = ["log", "--walk-reflogs", "--no-show-signature", "--format=%H %P", "refs/stash", "--"];
    let stashed = git.run(&stashed, b"")?;
    let stashed: &[u8] = if stashed.success() { &stashed.stdout } else { b"" };
    for said in [&*named, stashed] {
        tips.extend(String::from_utf8_lossy(said).split_whitespace().map(str::to_owned));
    }
    if tips.len() > TIPS_MAX {
        return Err(words::failed(Failure::Io, &format!("there are more than {TIPS_MAX} branches, tags and stashes")));
    }
    Ok(tips)
}

/// Manifests by their ids in git, with the sessions they were of.
#[derive(Default)]
struct Manifests {
    texts: BTreeMap<String, Vec<Arc<str>>>,
    names: BTreeSet<Arc<str>>,
}

impl Manifests {
    /// Adds those of a commit.
    fn of_commit(&mut self, git: &Git, commit: &str) -> Result<(), Failed> {
        tree::each_entry(
            git,
            commit,
            &["sessions/"],
            |path, entry| {
                if entry.is_file() { self.add(entry.oid, path) } else { Ok(()) }
            },
        )
    }

    /// Those that the commits above some tips, as git lists them, have or ever had.
    fn ever(git: &Git, tips: &BTreeSet<String>, list: &[&str]) -> Result<Self, Failed> {
        let mut manifests = Self::default();
        let changes = ["diff-tree", "--stdin", "-r", "-c", "-z", "--root", "--raw", "--no-renames", "--no-abbrev"];
        let changes = [&changes[..], &["--no-commit-id", "--", MANIFESTS]].concat();
        chain::read_fed(git, Some(lines(tips)), &[list, &changes], |said| {
            while let Some((Change { after: new, .. }, path)) = said.change()? {
                if new.is_file() {
                    manifests.add(new.oid, &path)?;
                }
            }
            Ok::<_, Failed>(())
        })?;
        Ok(manifests)
    }

    /// Adds one if this is the path of a manifest.
    fn add(&mut self, oid: String, path: &[u8]) -> Result<(), Failed> {
        let session = path.strip_prefix(b"sessions/").and_then(|path| path.strip_suffix(b"/meta.json"));
        let Some(session) = session.filter(|session| !session.contains(&b'/')) else { return Ok(()) };
        let session = String::from_utf8_lossy(session);
        let session = match self.names.get(session.as_ref()) {
            Some(known) => Arc::clone(known),
            None => {
                let new: Arc<str> = session.into();
                self.names.insert(Arc::clone(&new));
                new
            }
        };
        let sessions = self.texts.entry(oid).or_default();
        if !sessions.contains(&session) {
            sessions.push(session);
        }
        if self.texts.len() <= MANIFESTS_MAX {
            return Ok(());
        }
        Err(words::failed(Failure::Io, &format!("there are more than {MANIFESTS_MAX} manifests; too many to be read")))
    }

    fn read(&self, git: &Git, wanted: &HashSet<String>, see: &mut dyn FnMut(Mention)) -> Result<(), Failed> {
        self.each(git, wanted, &mut |found, sessions| see_one(found, sessions, see))
    }

    fn each(&self, git: &Git, wanted: &HashSet<String>, see: &mut dyn FnMut(Found, &[Arc<str>])) -> Result<(), Failed> {
        if self.texts.is_empty() {
            return Ok(());
        }
        chain::read_fed(git, Some(lines(self.texts.keys())), &[&["cat-file", "--batch", "--buffer"]], |said| {
            while let Some((oid, found)) = text(said, wanted)? {
                see(found, self.texts.get(&oid).map_or(&[], Vec::as_slice));
            }
            Ok::<_, Failed>(())
        })
    }
}

fn lines<'a>(words: impl IntoIterator<Item = &'a String>) -> Vec<u8> {
    words.into_iter().flat_map(|word| [word.as_bytes(), b"\n"].concat()).collect()
}

fn see_one(found: Found, sessions: &[Arc<str>], see: &mut dyn FnMut(Mention)) {
    // Digits can be spelled in another way in JSON; then only a reader of JSON knows.
    if !found.oids.is_empty() || found.text.as_deref().is_some_and(spells_digits_otherwise) {
        see(Mention { oids: found.oids, text: found.text, sessions: sessions.to_vec() });
    }
}

/// Whether a hexadecimal digit may stand in a text as an escape of JSON.
fn spells_digits_otherwise(text: &[u8]) -> bool {
    text.windows(6)
        .any(|six| six.starts_with(b"\\u00") && matches!((six[4], six[5]), (b'3', b'0'..=b'9') | (b'6', b'1'..=b'6')))
}

/// The next text that git says, searched. Commits come along and are passed over.
fn text(said: &mut Said, wanted: &HashSet<String>) -> Result<Option<(String, Found)>, Failed> {
    while let Some(header) = said.object_header()? {
        let sentence = "git does not have all objects of its commits; `git fetch` them first";
        let header = header.ok_or_else(|| words::failed(Failure::Io, sentence))?;
        let mut search = Search::new(wanted);
        said.object_body(&header, |piece| search.feed(piece))?;
        if header.is_blob() {
            return Ok(Some((header.git_oid, search.end())));
        }
    }
    Ok(None)
}

/// What a search came to.
struct Found {
    oids: BTreeSet<String>,
    text: Option<Vec<u8>>,
}

/// Looks for words of exactly as many hexadecimal digits as an oid has.
struct Search<'a> {
    wanted: &'a HashSet<String>,
    /// The digits read last, one more than an oid has at most.
    digits: Vec<u8>,
    found: BTreeSet<String>,
    text: Option<Vec<u8>>,
}

impl<'a> Search<'a> {
    fn new(wanted: &'a HashSet<String>) -> Self {
        let digits = Vec::with_capacity(OID_DIGITS + 1);
        Self { wanted, digits, found: BTreeSet::new(), text: Some(Vec::new()) }
    }

    fn feed(&mut self, piece: &[u8]) {
        for byte in piece {
            match byte {
                b'0'..=b'9' | b'a'..=b'f' if self.digits.len() <= OID_DIGITS => self.digits.push(*byte),
                b'0'..=b'9' | b'a'..=b'f' => {}
                _ => self.word_ends(),
            }
        }
        self.text = self.text.take().filter(|text| text.len() + piece.len() <= TEXT_BYTES_MAX);
        if let Some(text) = &mut self.text {
            text.extend_from_slice(piece);
        }
    }

    fn word_ends(&mut self) {
        if self.digits.len() == OID_DIGITS
            && let Ok(oid) = std::str::from_utf8(&self.digits)
            && self.wanted.contains(oid)
        {
            self.found.insert(oid.to_owned());
        }
        self.digits.clear();
    }

    fn end(mut self) -> Found {
        self.word_ends();
        Found { oids: self.found, text: self.text }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digits_are_found_wherever_the_pieces_end() {
        let (one, other) = ("a1".repeat(32), "b2".repeat(32));
        let wanted = HashSet::from([one.clone(), other.clone()]);
        for (text, found) in [
            (format!("oid sha256:{one}\n"), vec![&one]),
            (format!("{one} {other}"), vec![&one, &other]),
            (format!("{one}{other}"), vec![]),
            (format!("{one}0"), vec![]),
            (one.to_ascii_uppercase(), vec![]),
            ("c3".repeat(32), vec![]),
        ] {
            for length in [1, 7, 64, 1000] {
                let mut search = Search::new(&wanted);
                text.as_bytes().chunks(length).for_each(|piece| search.feed(piece));
                assert_eq!(search.end().oids.iter().collect::<Vec<_>>(), found, "{text} by {length}");
            }
        }
        let long = [vec![b' '; TEXT_BYTES_MAX], one.clone().into_bytes()].concat();
        let mut search = Search::new(&wanted);
        search.feed(&long);
        let found = search.end();
        assert!(found.text.is_none() && found.oids.contains(&one));
    }

    #[test]
    fn escaped_digits_call_for_a_reader() {
        assert!(spells_digits_otherwise(br#""sha256:\u0061b""#) && spells_digits_otherwise(br"\u0030"));
        assert!(!spells_digits_otherwise(br#""\u003c\u003e\u0026\u0041 \u00""#));
    }
}
