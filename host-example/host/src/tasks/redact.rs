//! The secrets of files, and copies without them. Nothing of a source is ever changed, and no value is ever told.
//!
//! Two passes: the first finds what rules find, the second looks for these values wherever else they stand.

mod published;
mod report;
mod sources;

use std::collections::BTreeSet;
use std::fs::File;
use std::io::{self, Read, Seek, Write};
use std::ops::Range;
use std::path::PathBuf;

use hydrant_secrets::{Finding, Markers, Named, Piece, Redact, Rules, Scan, Secrets, TooLong};

use crate::contract::error::Fault;
use crate::contract::types::Code;
use crate::files::{Files, Opened};
use crate::gate::containers::{Look, Stopped, each_part};
use crate::gate::{self, Sought};
use crate::repository::Repository;
use crate::tasks::client::Client;
use crate::text::{io_words, quote};

pub use published::{RedactPublishedOptions, RedactPublishedReport, Revoke};
pub use report::{FINDINGS_MAX, FoundSecret, KindCount, RedactReport};
use sources::Source;
pub use sources::UncheckedFile;

/// Bytes that are read at once.
const READ_BYTES: usize = 256 * 1024;

/// Why nothing is said of a file.
const CHANGED: &str = "it changed while it was looked through";

/// What is looked through.
#[derive(Clone, Debug, Default)]
pub struct RedactOptions {
    /// Files and folders.
    pub paths: Vec<PathBuf>,
    /// Where copies without secrets are made; none: nothing is written.
    pub into: Option<PathBuf>,
}

/// A line with secrets, as it is without them.
#[derive(Debug)]
pub struct RedactedLine<'a> {
    /// Its file, as it was named.
    pub file: &'a str,
    /// Its number, from 1.
    pub line: u64,
    /// It without its secrets.
    pub text: &'a [u8],
    /// Where the markers stand in it that took their places.
    pub markers: &'a [Range<usize>],
}

impl Client {
    /// Looks through files for secrets. `show` gets each line that has some, without them.
    pub fn redact(
        &self,
        repository: Option<&Repository>,
        options: &RedactOptions,
        show: &mut dyn FnMut(&RedactedLine<'_>),
    ) -> Result<RedactReport, Fault> {
        let sought = Sought::of(repository)?;
        let rules = &sought.rules;
        let sources = sources::of(&options.paths)?;
        let into = options.into.as_deref().map(sources::into).transpose()?;
        for source in &sources.files {
            into.as_ref().map(|into| source.check_beneath(into)).transpose()?;
        }
        let given = || sought.values.iter().map(Vec::as_slice);
        let mut report = RedactReport::of(&sources);
        let mut secrets = Secrets::default();
        let looks = self.look(rules, &Named::of(given()), &sources, &mut secrets, &mut report)?;
        let named = secrets.named(given());
        let mut markers = secrets.markers(rules);
        if !secrets.is_empty() || into.is_some() {
            let mut second =
                Second { client: self, rules, named: &named, markers: &mut markers, report: &mut report, show };
            for (source, look) in sources.files.iter().zip(looks) {
                self.go_on()?;
                // What could not be read the first time is told already, and is not copied.
                look.map(|look| second.redact(source, look, into.as_ref())).transpose()?;
            }
        }
        report.secrets = markers.len();
        Ok(report)
    }

    /// The first pass. Tells what each file is; none: it could not be looked through.
    fn look(
        &self,
        rules: &Rules,
        given: &Named,
        sources: &sources::Sources,
        secrets: &mut Secrets,
        report: &mut RedactReport,
    ) -> Result<Vec<Option<Look>>, Fault> {
        let mut looks = Vec::new();
        for source in &sources.files {
            self.go_on()?;
            let Some(opened) = opened(source, report) else {
                looks.push(None);
                continue;
            };
            let mut bytes_read = 0;
            let look = each_part(&opened.file, &|ending| source.has_beside(ending), &mut |_, bytes| {
                let mut scan = Scan::new(rules, given);
                let mut note = |finding: Finding<'_>| secrets.note(&finding);
                self.each_piece(bytes, |piece| {
                    bytes_read += piece.len() as u64;
                    scan.push(piece, &mut note).map_err(too_long)
                })?;
                let marked = scan.end(&mut note);
                secrets.note_marked(&marked);
                Ok(())
            });
            self.go_on()?;
            report.bytes += bytes_read;
            report.files += u64::from(look.is_ok());
            looks.push(look.map_err(|why| report.unchecked(source, why.to_string())).ok());
        }
        Ok(looks)
    }

    /// Calls `take` with bytes, piece by piece, until one is refused or the user stops it.
    fn each_piece(
        &self,
        bytes: &mut dyn Read,
        mut take: impl FnMut(&[u8]) -> Result<(), Stopped>,
    ) -> Result<(), Stopped> {
        let mut buffer = vec![0; READ_BYTES];
        loop {
            if self.cancellation().is_cancelled() {
                return Err(Stopped("it was stopped".to_owned()));
            }
            match bytes.read(&mut buffer) {
                Ok(0) => return Ok(()),
                Ok(count) => take(&buffer[..count])?,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(Stopped(io_words(&error))),
            }
        }
    }

    fn go_on(&self) -> Result<(), Fault> {
        match self.cancellation().is_cancelled() {
            true => Err(Fault::interrupted("it was stopped; nothing of the sources was changed")),
            false => Ok(()),
        }
    }
}

/// The second pass.
struct Second<'a> {
    client: &'a Client,
    rules: &'a Rules,
    named: &'a Named,
    markers: &'a mut Markers,
    report: &'a mut RedactReport,
    show: &'a mut dyn FnMut(&RedactedLine<'_>),
}

impl Second<'_> {
    fn redact(&mut self, source: &Source, look: Look, into: Option<&Files>) -> Result<(), Fault> {
        let Some(opened) = opened(source, self.report) else { return Ok(()) };
        let is_plain = look == Look::Plain;
        // A container is copied as it is, when it was looked through.
        let copy = into.filter(|_| is_plain).map(|into| source.copy_beneath(into)).transpose()?;
        let mut copy = Copy { file: copy, written: Ok(()) };
        let before = self.report.findings;
        let mut told = BTreeSet::new();
        let read = each_part(&opened.file, &|ending| source.has_beside(ending), &mut |part, bytes| {
            if part.member.is_none() != is_plain {
                return Err(Stopped(CHANGED.to_owned()));
            }
            let file = part.member.map_or_else(|| source.shown.clone(), |member| format!("{}!{member}", source.shown));
            self.part(&file, part.is_leftover, &mut told, &mut copy, bytes)
        });
        self.client.go_on()?;
        let to = quote(source.to.as_bytes());
        copy.written.map_err(|error| Fault::local(&format!("{to}: the copy cannot be written"), &error))?;
        match (read, into) {
            // It was readable a moment ago: what stands there now is a part.
            (Err(why), Some(_)) if is_plain => {
                return Err(Fault::failed(Code::Host, format!("{to}: the copy is not whole: {why}")));
            }
            (Err(why), _) => self.report.unchecked(source, why.to_string()),
            (Ok(_), None) => {}
            (Ok(_), Some(_)) if self.report.findings > before && !is_plain => {
                self.report.uncopied(source, advice(look))
            }
            (Ok(_), Some(into)) => {
                if !is_plain {
                    copy_whole(source, opened, into)?;
                }
                self.report.written += 1;
            }
        }
        Ok(())
    }

    /// One part. What is left over in a database is told only where no value of it has the same secret.
    fn part(
        &mut self,
        file: &str,
        is_leftover: bool,
        told: &mut BTreeSet<String>,
        copy: &mut Copy,
        bytes: &mut dyn Read,
    ) -> Result<(), Stopped> {
        let mut line = Line::default();
        let mut redact = Redact::new(self.rules, self.named, self.markers);
        let (rules, report, show) = (self.rules, &mut *self.report, &mut *self.show);
        let mut give = |piece: Piece<'_>| {
            let (piece, bytes) = match piece {
                Piece::Marker(marker, _) if is_leftover && told.contains(marker) => {
                    (Piece::Kept(marker.as_bytes()), marker.as_bytes())
                }
                Piece::Marker(marker, finding) => {
                    report.found(file, finding.line, rules.name(finding.kind), marker);
                    if !is_leftover {
                        told.insert(marker.to_owned());
                    }
                    (Piece::Marker(marker, finding), marker.as_bytes())
                }
                Piece::Kept(bytes) => (Piece::Kept(bytes), bytes),
                Piece::Rest(_) => return,
            };
            copy.write(bytes);
            line.take(&piece, bytes, file, show);
        };
        self.client.each_piece(bytes, |piece| redact.push(piece, &mut give).map_err(too_long))?;
        redact.end(&mut give);
        line.end(file, show);
        Ok(())
    }
}

/// A copy that is being written, where one is wanted.
struct Copy {
    file: Option<File>,
    written: io::Result<()>,
}

impl Copy {
    fn write(&mut self, bytes: &[u8]) {
        if let Some(file) = &mut self.file
            && self.written.is_ok()
        {
            self.written = file.write_all(bytes);
        }
    }
}

/// A copy of a file in which no secret is.
fn copy_whole(source: &Source, mut opened: Opened, into: &Files) -> Result<(), Fault> {
    let to = quote(source.to.as_bytes());
    let mut copy = source.copy_beneath(into)?;
    let copied = opened.file.rewind().and_then(|()| io::copy(&mut opened.file, &mut copy));
    match copied.and_then(|_| opened.unchanged()) {
        Ok(true) => Ok(()),
        Ok(false) => {
            Err(Fault::failed(Code::Host, format!("{to}: the copy is not what was looked through: {CHANGED}")))
        }
        Err(error) => Err(Fault::local(&format!("{to}: the copy cannot be written"), &error)),
    }
}

/// What to do about a container that holds secrets.
fn advice(look: Look) -> String {
    match look {
        Look::Database => {
            "it holds secrets, and databases are not written anew: replace them in it, and VACUUM it".into()
        }
        Look::Packed(what) => {
            format!(
                "it holds secrets, and {what} is not written anew: unpack it, redact what it held, and pack that again"
            )
        }
        Look::Plain => "it holds secrets".into(),
    }
}

/// The line that is being given.
#[derive(Default)]
struct Line {
    number: u64,
    text: Vec<u8>,
    markers: Vec<Range<usize>>,
}

impl Line {
    fn take(&mut self, piece: &Piece<'_>, bytes: &[u8], file: &str, show: &mut dyn FnMut(&RedactedLine<'_>)) {
        if let Piece::Marker(_, finding) = piece {
            if self.markers.is_empty() {
                self.number = finding.line;
            }
            self.markers.push(self.text.len()..self.text.len() + bytes.len());
            return self.text.extend_from_slice(bytes);
        }
        let (Some(first), Some(last)) = (memchr::memchr(b'\n', bytes), memchr::memrchr(b'\n', bytes)) else {
            return self.text.extend_from_slice(bytes);
        };
        self.text.extend_from_slice(&bytes[..first]);
        self.end(file, show);
        self.text.extend_from_slice(&bytes[last + 1..]);
    }

    /// Shows it if it has markers, and begins the next one.
    fn end(&mut self, file: &str, show: &mut dyn FnMut(&RedactedLine<'_>)) {
        if !self.markers.is_empty() {
            show(&RedactedLine { file, line: self.number, text: &self.text, markers: &self.markers });
        }
        self.markers.clear();
        self.text.clear();
    }
}

fn opened(source: &Source, report: &mut RedactReport) -> Option<Opened> {
    match source.open() {
        Ok(opened) => Some(opened),
        Err(error) => {
            report.unchecked(source, io_words(&error));
            None
        }
    }
}

fn too_long(long: TooLong) -> Stopped {
    Stopped(io_words(&gate::too_long(long)))
}
