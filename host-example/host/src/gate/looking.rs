//! One look through the bytes of a file, while they are hashed.

use std::fs::File;
use std::io::{self, Read};

use hydrant_secrets::{AddedToken, Finding, Named, Rules, Scan, TooLong, limits, rules_with};
use sha2::{Digest as _, Sha256};

use super::{named_values, own_rules};
use crate::contract::error::Fault;
use crate::contract::types::Blob;
use crate::files::digest::{Digesting, blob_of};
use crate::gate::containers::{self, Stopped};
use crate::repository::Repository;
use crate::text::io_words;

/// Bytes that are read at once.
const READ_BYTES: usize = 256 * 1024;
/// The kind of a file that cannot be looked through.
const UNCHECKED: &str = "unchecked";

/// What is looked for.
pub(crate) struct Sought {
    pub(crate) rules: Rules,
    added: Vec<AddedToken>,
    /// Values of this machine, and they made ready.
    pub(crate) values: Vec<Vec<u8>>,
    named: Named,
}

impl Sought {
    /// The rules, and the values of this machine and of a repository.
    pub(crate) fn of(repository: Option<&Repository>) -> Result<Self, Fault> {
        let added = repository.map(own_rules::of).transpose()?.unwrap_or_default();
        let rules = rules_with(&added).map_err(own_rules::broken)?;
        let values = named_values::of(repository)?;
        let named = Named::of(values.iter().map(Vec::as_slice));
        Ok(Self { rules, added, values, named })
    }

    /// Names the rules: two that have one name find the same.
    pub(crate) fn catalog(&self) -> String {
        match self.added.is_empty() {
            true => hydrant_secrets::CATALOG.to_owned(),
            false => blob_of(format!("{}{:?}", hydrant_secrets::CATALOG, self.added).as_bytes()).oid,
        }
    }

    /// Tells apart what is looked for: two that have one look for the same.
    pub(crate) fn identity(&self) -> [u8; 32] {
        let mut digest = Sha256::new();
        digest.update(self.catalog());
        for value in &self.values {
            digest.update((value.len() as u64).to_le_bytes());
            digest.update(value);
        }
        digest.finalize().into()
    }

    /// Looks through a text that lies here.
    pub(crate) fn in_text(&self, text: &[u8]) -> Looked {
        let mut looker = Looker::new(self);
        looker.push(text);
        looker.end()
    }

    /// The same of a file whose bytes were read.
    pub(crate) fn in_bytes(&self, file: &File, bytes: &[u8]) -> io::Result<Looked> {
        self.in_parts(file, self.in_text(bytes))
    }

    /// What a look through a file came to, with what is in it where it is made of others.
    pub(crate) fn in_parts(&self, file: &File, mut looked: Looked) -> io::Result<Looked> {
        if !containers::is_container(file)? {
            return Ok(looked);
        }
        looked.found.clear();
        let nothing_beside = |_: &str| false;
        let read = containers::each_part(file, &nothing_beside, &mut |part, bytes| {
            let mut looker = Looker::new(self);
            each_piece(bytes, |piece| {
                looker.push(piece);
                Ok::<_, io::Error>(())
            })
            .map_err(|error| Stopped(io_words(&error)))?;
            let within = looker.end();
            let member = part.member.map(str::to_owned);
            looked.found.extend(within.found.into_iter().map(|found| Found { member: member.clone(), ..found }));
            within.why.map_or(Ok(()), |why| Err(Stopped(why)))
        });
        looked.why = read.err().map(|why| why.to_string());
        Ok(looked)
    }

    /// Looks through a file, from where it stands to its end. `step` hears of every piece, and ends it with an error.
    pub(crate) fn in_file(&self, file: &mut File, mut step: impl FnMut(u64) -> io::Result<()>) -> io::Result<Looked> {
        let mut looker = Looker::new(self);
        let read = each_piece(file, |bytes: &[u8]| {
            looker.push(bytes);
            step(bytes.len() as u64)
        });
        read?;
        self.in_parts(file, looker.end())
    }
}

/// Calls `take` with bytes, piece by piece, until one is refused.
pub(crate) fn each_piece<E: From<io::Error>>(
    from: &mut (impl Read + ?Sized),
    mut take: impl FnMut(&[u8]) -> Result<(), E>,
) -> Result<(), E> {
    let mut buffer = vec![0; READ_BYTES];
    loop {
        match from.read(&mut buffer) {
            Ok(0) => return Ok(()),
            Ok(count) => take(&buffer[..count])?,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error.into()),
        }
    }
}

/// A look that goes on.
pub(super) struct Looker<'s> {
    sought: &'s Sought,
    scan: Scan<'s>,
    digest: Digesting,
    found: Vec<Found>,
    too_long: Option<TooLong>,
}

/// A secret and where it stands. It prints nothing.
struct Found {
    /// Its name within the file, where that is made of others.
    member: Option<String>,
    line: u64,
    kind: String,
    value: Vec<u8>,
}

/// What a look came to.
pub(crate) struct Looked {
    /// What was looked through.
    pub(crate) blob: Blob,
    found: Vec<Found>,
    why: Option<String>,
}

/// A finding as the gate judges it.
pub(super) struct Judged<'a> {
    pub(super) member: Option<&'a str>,
    pub(super) line: u64,
    pub(super) kind: &'a str,
    pub(super) value: &'a [u8],
    pub(super) why: Option<&'a str>,
}

impl<'s> Looker<'s> {
    pub(super) fn new(sought: &'s Sought) -> Self {
        let scan = Scan::new(&sought.rules, &sought.named);
        Self { sought, scan, digest: Digesting::new(), found: Vec::new(), too_long: None }
    }

    pub(super) fn push(&mut self, bytes: &[u8]) {
        self.digest.update(bytes);
        if self.too_long.is_none() {
            let (rules, found) = (&self.sought.rules, &mut self.found);
            self.too_long = self.scan.push(bytes, &mut |finding| found.push(Found::of(rules, &finding))).err();
        }
    }

    pub(super) fn end(self) -> Looked {
        let Self { sought, scan, digest, mut found, too_long } = self;
        if too_long.is_none() {
            scan.end(&mut |finding| found.push(Found::of(&sought.rules, &finding)));
        }
        Looked { blob: digest.finish(), found, why: too_long.map(too_long_text) }
    }
}

impl Found {
    fn of(rules: &Rules, finding: &Finding<'_>) -> Self {
        Self {
            member: None,
            line: finding.line,
            kind: rules.name(finding.kind).to_owned(),
            value: finding.value.to_vec(),
        }
    }
}

impl Looked {
    /// Nothing was found, and all of it was looked through.
    pub(crate) fn is_clean(&self) -> bool {
        self.found.is_empty() && self.why.is_none()
    }

    /// What was found. What cannot be looked through is a finding, too: its bytes are the value.
    pub(super) fn findings(&self) -> impl Iterator<Item = Judged<'_>> {
        let found = self.found.iter().map(|found| Judged {
            member: found.member.as_deref(),
            line: found.line,
            kind: &found.kind,
            value: &found.value,
            why: None,
        });
        let unchecked = self.why.as_deref().map(|why| Judged {
            member: None,
            line: 0,
            kind: UNCHECKED,
            value: self.blob.oid.as_bytes(),
            why: Some(why),
        });
        found.chain(unchecked)
    }
}

/// A line that is not looked through, as an error.
pub(crate) fn too_long(long: TooLong) -> io::Error {
    io::Error::other(too_long_text(long))
}

/// Why a line is not looked through.
fn too_long_text(long: TooLong) -> String {
    format!("line {} is longer than {} bytes, so it cannot be looked through", long.line, limits::LINE_BYTES_MAX)
}
