//! The secrets of files, and copies without them. Nothing of a source is ever changed, and no value is ever told.
//!
//! Two passes: the first finds what rules find, the second looks for these values wherever else they stand.

mod published;
mod report;
mod sources;

use std::fs::File;
use std::io::{self, Read, Write};
use std::ops::Range;
use std::path::PathBuf;

use hydrant_secrets::{Finding, Markers, Named, Piece, Redact, Rules, RulesError, Scan, Secrets, TooLong};

use crate::contract::error::Fault;
use crate::contract::types::Code;
use crate::files::Files;
use crate::gate::named_values;
use crate::repository::Repository;
use crate::tasks::client::Client;
use crate::text::{io_words, quote};

pub use published::{RedactPublishedOptions, RedactPublishedReport, Revoke};
pub use report::{FINDINGS_MAX, FoundSecret, KindCount, RedactReport};
use sources::Source;
pub use sources::UncheckedFile;

/// Bytes that are read at once.
const READ_BYTES: usize = 256 * 1024;

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
        let rules = Rules::built_in().map_err(broken)?;
        let sources = sources::of(&options.paths)?;
        let into = options.into.as_deref().map(sources::into).transpose()?;
        for source in &sources.files {
            into.as_ref().map(|into| source.check_beneath(into)).transpose()?;
        }
        let given = named_values::of(repository)?;
        let given = || given.iter().map(Vec::as_slice);
        let mut report = RedactReport::of(&sources);
        let mut secrets = Secrets::default();
        self.look(&rules, &Named::of(given()), &sources, &mut secrets, &mut report)?;
        let named = secrets.named(given());
        let mut markers = secrets.markers(&rules);
        if !secrets.is_empty() || into.is_some() {
            let mut second = Second { rules: &rules, named: &named, markers: &mut markers, report: &mut report, show };
            for source in &sources.files {
                self.go_on()?;
                second.redact(source, into.as_ref())?;
            }
        }
        report.secrets = markers.len();
        Ok(report)
    }

    /// The first pass.
    fn look(
        &self,
        rules: &Rules,
        given: &Named,
        sources: &sources::Sources,
        secrets: &mut Secrets,
        report: &mut RedactReport,
    ) -> Result<(), Fault> {
        for source in &sources.files {
            self.go_on()?;
            let Some(mut file) = opened(source, report) else { continue };
            let mut scan = Scan::new(rules, given);
            let mut note = |finding: Finding<'_>| secrets.note(&finding);
            let read = each_piece(&mut file, |bytes| {
                report.bytes += bytes.len() as u64;
                scan.push(bytes, &mut note).map_err(too_long)
            });
            match read {
                Ok(()) => {
                    let marked = scan.end(&mut note);
                    secrets.note_marked(&marked);
                    report.files += 1;
                }
                Err(why) => report.unchecked(source, why),
            }
        }
        Ok(())
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
    rules: &'a Rules,
    named: &'a Named,
    markers: &'a mut Markers,
    report: &'a mut RedactReport,
    show: &'a mut dyn FnMut(&RedactedLine<'_>),
}

impl Second<'_> {
    fn redact(&mut self, source: &Source, into: Option<&Files>) -> Result<(), Fault> {
        // What could not be read the first time is told already, and is not copied.
        if self.report.is_unchecked(source) {
            return Ok(());
        }
        let Some(mut file) = opened(source, self.report) else { return Ok(()) };
        let mut copy = into.map(|into| source.copy_beneath(into)).transpose()?;
        let mut written = Ok(());
        let mut line = Line::default();
        let mut redact = Redact::new(self.rules, self.named, self.markers);
        let (rules, report, show) = (self.rules, &mut *self.report, &mut *self.show);
        let mut give = |piece: Piece<'_>| {
            let bytes = match &piece {
                Piece::Kept(bytes) => *bytes,
                Piece::Marker(marker, finding) => {
                    report.found(&source.shown, finding.line, rules.name(finding.kind), marker);
                    marker.as_bytes()
                }
            };
            if let Some(copy) = &mut copy
                && written.is_ok()
            {
                written = copy.write_all(bytes);
            }
            line.take(&piece, bytes, &source.shown, show);
        };
        let read = each_piece(&mut file, |bytes| redact.push(bytes, &mut give).map_err(too_long));
        if read.is_ok() {
            redact.end(&mut give);
        }
        line.end(&source.shown, show);
        let to = quote(source.to.as_bytes());
        written.map_err(|error| Fault::local(&format!("{to}: the copy cannot be written"), &error))?;
        match read {
            // It was readable a moment ago: what stands there now is a part.
            Err(why) if copy.is_some() => {
                return Err(Fault::failed(Code::Host, format!("{to}: the copy is not whole: {why}")));
            }
            Err(why) => report.unchecked(source, why),
            Ok(()) => report.written += u64::from(copy.is_some()),
        }
        Ok(())
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

fn opened(source: &Source, report: &mut RedactReport) -> Option<File> {
    match source.open() {
        Ok(file) => Some(file),
        Err(error) => {
            report.unchecked(source, io_words(&error));
            None
        }
    }
}

/// Calls `take` with a file's bytes, piece by piece, until one is refused.
fn each_piece(file: &mut File, mut take: impl FnMut(&[u8]) -> Result<(), String>) -> Result<(), String> {
    let mut buffer = vec![0; READ_BYTES];
    loop {
        match file.read(&mut buffer) {
            Ok(0) => return Ok(()),
            Ok(count) => take(&buffer[..count])?,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(io_words(&error)),
        }
    }
}

fn too_long(long: TooLong) -> String {
    let limit = hydrant_secrets::limits::LINE_BYTES_MAX;
    format!("line {} is longer than {limit} bytes, so it cannot be looked through", long.line)
}

fn broken(RulesError(why): RulesError) -> Fault {
    Fault::failed(Code::Host, format!("the rules for secrets cannot be used: {why}"))
}
