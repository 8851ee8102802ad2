//! `hydrant redact`: what secrets stand in files, and copies without them.

use std::ops::Range;
use std::path::PathBuf;

use clap::Args;
use hydrant_host::contract::error::Fault;
use hydrant_host::tasks::Client;
use hydrant_host::tasks::redact::{RedactOptions, RedactReport, RedactedLine};
use hydrant_host::text::{bytes_text, count_text, quote, quote_path};

use crate::ending::Ending;
use crate::output::Output;

pub(crate) const HELP: &str = "\
Examples:
  hydrant redact transcript.jsonl           what stands in it: kinds and lines
  hydrant redact --diff .                   each line that would change
  hydrant redact --into clean recordings    copies without secrets, in clean
  hydrant redact --check notes.md && git add notes.md

No file is ever changed, and no secret is ever printed. A secret is replaced by
a marker such as [REDACTED:github-token#1]; the same secret has the same marker
in all files of one run. Values of variables such as API_TOKEN, and of .env
files that git ignores, are looked for as well.";

/// Bytes that `--diff` shows before and behind each marker.
const SHOWN_AROUND: usize = 60;

#[derive(Args, Debug)]
pub(crate) struct RedactArgs {
    /// Files and folders
    #[arg(value_name = "PATH", required = true)]
    pub(crate) paths: Vec<PathBuf>,
    /// End with 1 if a secret was found
    #[arg(long)]
    pub(crate) check: bool,
    /// Show each line that has a secret, without it
    #[arg(long)]
    pub(crate) diff: bool,
    /// Write copies without secrets into this folder; a file that is there is not written over
    #[arg(long, value_name = "DIR")]
    pub(crate) into: Option<PathBuf>,
}

pub(crate) fn run(arguments: &RedactArgs, client: &Client, output: &mut Output) -> Result<Ending, Fault> {
    let repository = super::repository_if_any()?;
    let options = RedactOptions { paths: arguments.paths.clone(), into: arguments.into.clone() };
    let report = client.redact(repository.as_ref(), &options, &mut |line| {
        if arguments.diff {
            output.line(shown(line));
        }
    })?;
    if !arguments.diff {
        for one in &report.finding_list {
            output.line(format!("{}:{}: {}", quote(one.file.as_bytes()), one.line, one.marker));
        }
        if report.findings > report.finding_list.len() {
            output.warn(format!("{} more are not listed", report.findings - report.finding_list.len()));
        }
    }
    for one in &report.unchecked_list {
        output.warn(format!("{}: not looked through: {}", quote(one.file.as_bytes()), one.why));
    }
    output.note(summary(&report));
    if let Some(folder) = &arguments.into {
        let files = count_text(usize::try_from(report.written).unwrap_or(usize::MAX), "file");
        output.note(format!("{files} written without secrets, in {}", quote_path(folder)));
    }
    let ok = report.is_complete() && !(arguments.check && report.findings > 0);
    output.report(ok, &report);
    Ok(if ok { Ending::Done } else { Ending::SomeFailed })
}

fn summary(report: &RedactReport) -> String {
    let files = count_text(usize::try_from(report.files).unwrap_or(usize::MAX), "file");
    let places = match report.findings {
        0 => "no secret".to_owned(),
        count => format!("{} in {}", count_text(report.secrets, "secret"), count_text(count, "place")),
    };
    let links = match report.links {
        0 => String::new(),
        count => format!("; {} not followed", count_text(usize::try_from(count).unwrap_or(usize::MAX), "link")),
    };
    format!("{places} found in {files}, {}{links}", bytes_text(report.bytes))
}

/// A line without its secrets, as much of it as lies around the markers.
fn shown(line: &RedactedLine<'_>) -> String {
    let mut parts: Vec<Range<usize>> = Vec::new();
    for marker in line.markers {
        let part = marker.start.saturating_sub(SHOWN_AROUND)..(marker.end + SHOWN_AROUND).min(line.text.len());
        match parts.last_mut().filter(|last| part.start <= last.end) {
            Some(last) => last.end = part.end,
            None => parts.push(part),
        }
    }
    let mut text = String::new();
    for Range { start, end } in parts {
        text += if start > 0 { "…" } else { "" };
        text += &String::from_utf8_lossy(&line.text[start..end]);
        text += if end < line.text.len() { "…" } else { "" };
    }
    format!("{}:{}: {text}", quote(line.file.as_bytes()), line.line)
}
