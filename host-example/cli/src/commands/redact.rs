//! `hydrant redact`: what secrets stand in files, and copies without them.

use std::ops::Range;
use std::path::PathBuf;

use clap::Args;
use hydrant_host::contract::error::{Fault, code_name};
use hydrant_host::tasks::Client;
use hydrant_host::tasks::redact::{RedactOptions, RedactPublishedOptions, RedactReport, RedactedLine};
use hydrant_host::text::{bytes_text, count_text, plain, quote, quote_path};

use crate::cli::{LimitArgs, ServerArgs};
use crate::ending::Ending;
use crate::output::Output;

pub(crate) const HELP: &str = "\
Examples:
  hydrant redact transcript.jsonl           what stands in it: kinds and lines
  hydrant redact --diff .                   each line that would change
  hydrant redact --into clean recordings    copies without secrets, in clean
  hydrant redact --check notes.md && git add notes.md
  hydrant redact --published SESSION        publish it anew without its secrets

No file is ever changed, and no secret is ever printed. A secret is replaced by
a marker such as [REDACTED:github-token#1]; the same secret has the same marker
in all files of one run. Values of variables such as API_TOKEN, and of .env
files that git ignores, are looked for as well. Archives, compressed files and
SQLite databases are looked into; what cannot be opened is told.";

/// What no command can do.
const STILL_THERE: &str = "\
Revoke first: whoever could read the ledger may have a copy. Then ask who runs
the LFS server to remove these blobs, and rewrite the history without these
commits (git filter-repo) where that is worth it. `hydrant cache prune` clears
caches.";

/// Bytes that `--diff` shows before and behind each marker.
const SHOWN_AROUND: usize = 60;

#[derive(Args, Debug)]
pub(crate) struct RedactArgs {
    /// Files and folders; with --published, the session
    #[arg(value_name = "PATH", required = true)]
    pub(crate) paths: Vec<PathBuf>,
    /// Publish this session anew without its secrets, and say what still holds them
    #[arg(long, conflicts_with_all = ["check", "diff", "into"])]
    pub(crate) published: bool,
    /// Say what --published would do, and do nothing
    #[arg(long, requires = "published")]
    pub(crate) dry_run: bool,
    /// With --published: also push the commits of this branch that were not pushed yet
    #[arg(long, requires = "published")]
    pub(crate) with_unpushed: bool,
    /// End with 1 if a secret was found
    #[arg(long)]
    pub(crate) check: bool,
    /// Show each line that has a secret, without it
    #[arg(long)]
    pub(crate) diff: bool,
    /// Write copies without secrets into this folder; a file that is there is not written over
    #[arg(long, value_name = "DIR")]
    pub(crate) into: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) server: ServerArgs,
    #[command(flatten)]
    pub(crate) limits: LimitArgs,
}

pub(crate) fn run(arguments: &RedactArgs, client: &Client, output: &mut Output) -> Result<Ending, Fault> {
    if arguments.published {
        return published(arguments, client, output);
    }
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
    for one in &report.uncopied_list {
        output.warn(format!("{}: not copied: {}", quote(one.file.as_bytes()), one.why));
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

fn published(arguments: &RedactArgs, client: &Client, output: &mut Output) -> Result<Ending, Fault> {
    let [session] = arguments.paths.as_slice() else { return Err(Fault::misuse("--published takes one session")) };
    let options = RedactPublishedOptions {
        session: session.to_string_lossy().trim_end_matches('/').trim_start_matches("sessions/").to_owned(),
        dry_run: arguments.dry_run,
        with_unpushed: arguments.with_unpushed,
        server: arguments.server.options(),
        object_bytes_max: arguments.limits.object_bytes_max,
    };
    let report = client.redact_published(&super::repository()?, &options)?;
    if report.secret_list.is_empty() {
        output.line("no secret is found in what is published");
    }
    super::publish::found("found", &report.secret_list, output);
    if let Some(regenerated) = &report.regenerated {
        super::publish::table(regenerated, output);
        match &regenerated.ended {
            None => output.line(super::publish::summary(regenerated)),
            Some(error) => output.warn(format!("hydrant: {}: {}", code_name(error.code.0), plain(&error.detail))),
        }
    }
    for one in &report.revoke_list {
        let source = one.source.as_deref().map_or_else(String::new, |source| format!(" ({source})"));
        output.line(format!("revoke: {}: {}{source}", one.kind, one.what));
    }
    for blob in &report.blob_list {
        output.line(format!("still on the server: {} {}", blob.oid, blob.size));
    }
    for commit in &report.commit_list {
        output.line(format!("still in the history: {commit}"));
    }
    if !report.secret_list.is_empty() {
        output.note(STILL_THERE);
    }
    output.report(report.is_complete() || report.dry_run, &report);
    let clean = report.secret_list.is_empty() || report.is_complete();
    Ok(if clean { Ending::Done } else { Ending::SomeFailed })
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
