//! `hydrant publish`: brings a session to its server and its ledger, and says what came of it.

use std::path::PathBuf;

use clap::Args;
use hydrant_host::contract::error::{Fault, code_name};
use hydrant_host::tasks::Client;
use hydrant_host::tasks::publish::{
    AbandonReport, HeldSecret, PlanReport, PlannedStorage, PublishOptions, PublishReport, PublishedFileState,
};
use hydrant_host::text::{bytes_text, count_text, plain, quote};

use crate::cli::{LimitArgs, SecretArgs, ServerArgs};
use crate::ending::Ending;
use crate::output::{Output, Table};

/// Characters of an oid that a table shows.
const OID_SHOWN: usize = 16;

pub(crate) const HELP: &str = "\
Examples:
  hydrant publish SESSION --from DIR   files of a folder outside the repository
  hydrant publish SESSION              content in sessions/SESSION
  hydrant publish SESSION --dry-run    what would be sent, what is in the way
  hydrant publish SESSION --resume     finish an interrupted publish
  hydrant publish SESSION --abandon    give it up; what was sent stays
  hydrant publish SESSION --from DIR --exclude '*.log'
                                       all of it but the logs

The exit code is 1 when something of the folder is left out that --exclude does
not name. Whenever it is interrupted, nothing is lost, and the same command goes
on.";

/// What only a publish that takes files or fields can be told.
const OF_A_NEW_ONE: [&str; 17] = [
    "from",
    "exclude",
    "files",
    "in_git",
    "title",
    "summary",
    "agent_id",
    "agent_type",
    "model",
    "username",
    "user_id",
    "repo_id",
    "stop_reason",
    "stop_detail",
    "fields",
    "dry_run",
    "redact",
];

/// A session, its files, its manifest's fields, and the way to its server.
#[derive(Args, Debug, Default)]
pub(crate) struct PublishArgs {
    /// Name of the session, or its folder
    pub(crate) session: String,
    /// Publish the files of this folder, all but hidden ones, lock files and meta.json
    #[arg(long, value_name = "DIR")]
    pub(crate) from: Option<PathBuf>,
    /// Publish this file of sessions/SESSION, too; can be given again
    #[arg(long = "file", value_name = "NAME", conflicts_with = "from")]
    pub(crate) files: Vec<String>,
    /// Id of the agent
    #[arg(long)]
    pub(crate) agent_id: Option<String>,
    /// Kind of agent
    #[arg(long)]
    pub(crate) agent_type: Option<String>,
    /// Model
    #[arg(long)]
    pub(crate) model: Option<String>,
    /// Display name of the user
    #[arg(long)]
    pub(crate) username: Option<String>,
    /// Id of the user
    #[arg(long)]
    pub(crate) user_id: Option<String>,
    /// Id of the repository the session belongs to
    #[arg(long)]
    pub(crate) repo_id: Option<String>,
    /// Why the session stopped
    #[arg(long)]
    pub(crate) stop_reason: Option<String>,
    /// Details of why it stopped
    #[arg(long)]
    pub(crate) stop_detail: Option<String>,
    /// Only finish what an interrupted publish began
    #[arg(long, conflicts_with_all = OF_A_NEW_ONE)]
    pub(crate) resume: bool,
    /// Give an interrupted publish up. No content is removed, here or on the server
    #[arg(long, conflicts_with_all = OF_A_NEW_ONE, conflicts_with_all = ["resume", "again", "with_unpushed"])]
    pub(crate) abandon: bool,
    #[command(flatten)]
    pub(crate) content: ContentArgs,
}

/// What `publish` and `regenerate` are told alike.
#[derive(Args, Debug, Default)]
pub(crate) struct ContentArgs {
    /// Files that match this pattern (as in .gitignore) may be left out; can be given again
    #[arg(long, value_name = "PATTERN")]
    pub(crate) exclude: Vec<String>,
    /// Let git carry this small file as it is, besides summary.json; can be given again
    #[arg(long = "in-git", value_name = "NAME")]
    pub(crate) in_git: Vec<String>,
    /// Title
    #[arg(long)]
    pub(crate) title: Option<String>,
    /// Summary
    #[arg(long)]
    pub(crate) summary: Option<String>,
    /// Any other text field of the manifest; can be given again
    #[arg(long = "field", value_name = "NAME=VALUE")]
    pub(crate) fields: Vec<String>,
    /// Say what would be done and what stands in the way, and do nothing
    #[arg(long)]
    pub(crate) dry_run: bool,
    /// Ask the server and the remote even if nothing seems to have changed
    #[arg(long)]
    pub(crate) again: bool,
    /// Also push the commits of this branch that were not pushed yet
    #[arg(long)]
    pub(crate) with_unpushed: bool,
    #[command(flatten)]
    pub(crate) secrets: SecretArgs,
    #[command(flatten)]
    pub(crate) server: ServerArgs,
    #[command(flatten)]
    pub(crate) limits: LimitArgs,
}

impl ContentArgs {
    /// The fields of the manifest that are given: those with an argument of their own, then the others.
    pub(crate) fn fields(&self, more: &[(&str, &Option<String>)]) -> Result<Vec<(String, String)>, Fault> {
        let named = [("title", &self.title), ("summary", &self.summary)];
        let given = |(name, value): &(&str, &Option<String>)| Some(((*name).to_owned(), (*value).clone()?));
        let mut fields: Vec<(String, String)> = named.iter().chain(more).filter_map(given).collect();
        for field in &self.fields {
            let (name, value) =
                field.split_once('=').ok_or_else(|| Fault::misuse("--field: NAME=VALUE is expected"))?;
            fields.push((name.to_owned(), value.to_owned()));
        }
        Ok(fields)
    }
}

impl PublishArgs {
    fn options(&self) -> Result<PublishOptions, Fault> {
        let named = [
            ("agent_id", &self.agent_id),
            ("agent_type", &self.agent_type),
            ("model", &self.model),
            ("username", &self.username),
            ("user_id", &self.user_id),
            ("repo_id", &self.repo_id),
            ("stop_reason", &self.stop_reason),
            ("stop_detail", &self.stop_detail),
        ];
        let content = &self.content;
        Ok(PublishOptions {
            session: self.session.clone(),
            from: self.from.clone(),
            exclude: content.exclude.clone(),
            files: self.files.clone(),
            in_git: content.in_git.clone(),
            fields: content.fields(&named)?,
            resume: self.resume,
            again: content.again,
            with_unpushed: content.with_unpushed,
            secrets: content.secrets.options(),
            server: content.server.options(),
            object_bytes_max: content.limits.object_bytes_max,
        })
    }
}

pub(crate) fn run(arguments: &PublishArgs, client: &Client, output: &mut Output) -> Result<Ending, Fault> {
    let repository = super::repository()?;
    if arguments.abandon {
        return Ok(say_abandoned(&client.abandon_publish(&repository, &arguments.session)?, output));
    }
    let options = arguments.options()?;
    if arguments.content.dry_run {
        return Ok(say_plan(&client.plan_publish(&repository, &options)?, output));
    }
    Ok(say(&client.publish(&repository, &options)?, output))
}

/// Says what giving a publish up came to.
fn say_abandoned(report: &AbandonReport, output: &mut Output) -> Ending {
    output.report(true, report);
    if let Some(journal) = &report.journal {
        output.line(format!("the publish is given up; its journal is kept in git's folder: {journal}"));
    }
    for blob in &report.blob_list {
        output.line(format!("perhaps on the server: {} {}", blob.oid, blob.size));
    }
    for path in &report.content_list {
        output.line(format!("content stands here: {}", quote(path.as_bytes())));
    }
    output.line(&report.next);
    Ending::Done
}

/// Says what a publish or a regenerate did. The exit code comes of it.
pub(crate) fn say(report: &PublishReport, output: &mut Output) -> Ending {
    output.document(&report.document());
    if let Some(why) = report.idle {
        output.line(why);
        return if report.is_complete() { Ending::Done } else { Ending::SomeFailed };
    }
    table(report, output);
    found("held back", &report.secret_list, output);
    if report.redacted > 0 {
        output.line(format!("redacted: markers stand in {}", count_text(report.redacted, "place")));
    }
    for name in &report.kept_list {
        output.line(format!("kept: the original is hydrant/kept/{} in git's folder", quote(name.as_bytes())));
    }
    match &report.ended {
        None => output.line(summary(report)),
        Some(error) => output.warn(format!("hydrant: {}: {}", code_name(error.code.0), plain(&error.detail))),
    }
    if let Some(next) = &report.next {
        output.warn(next);
    }
    match (report.is_complete(), report.was_interrupted(), report.is_partial()) {
        (true, _, _) => Ending::Done,
        (_, true, _) => Ending::Interrupted,
        (_, _, true) => Ending::SomeFailed,
        _ => Ending::Failed,
    }
}

/// One line on a publish that ended well.
pub(crate) fn summary(report: &PublishReport) -> String {
    let id = report.session_id.as_deref().unwrap_or_default();
    let tip = report.tip.as_deref().map_or_else(String::new, |tip| format!(" at {}", short(tip)));
    let resumed = if report.resumed { ", after an interrupted publish was finished" } else { "" };
    format!("{id} is published{tip} in {:.2} s{resumed}", report.seconds)
}

/// Secrets, a line each.
pub(crate) fn found(word: &str, secrets: &[HeldSecret], output: &mut Output) {
    for one in secrets {
        let (file, fingerprint) = (quote(one.file.as_bytes()), &one.fingerprint);
        output.line(match &one.why {
            Some(why) => format!("{word}: {file}: {} [{fingerprint}]", plain(why)),
            None => format!("{word}: {file}:{}: {} [{fingerprint}]", one.line, one.kind),
        });
    }
}

/// Files and orphans.
pub(crate) fn table(report: &PublishReport, output: &mut Output) {
    let mut table = Table::new(&["file", ">size", "state", "oid", ""]);
    for file in &report.file_list {
        let why = file.error.as_ref().map_or_else(String::new, |error| plain(&error.detail));
        let (name, oid) = (quote(file.name.as_bytes()), file.oid.as_deref().unwrap_or_default());
        table.row([name, bytes_text(file.size), state_text(file.state).to_owned(), short(oid), why]);
    }
    if !report.file_list.is_empty() {
        table.print(output);
    }
    for orphan in &report.orphan_list {
        output.line(format!("orphaned: {} {}", orphan.oid, orphan.size));
    }
}

/// Says what a publish or a regenerate would do. The exit code says whether it would.
pub(crate) fn say_plan(plan: &PlanReport, output: &mut Output) -> Ending {
    output.report(plan.is_clear(), plan);
    if plan.resumes {
        output.line("an interrupted publish would be brought to its end first");
    }
    if let Some(why) = plan.idle {
        output.line(why);
        return if plan.is_clear() { Ending::Done } else { Ending::SomeFailed };
    }
    let mut table = Table::new(&["file", ">size", "goes to", "oid", "replaces"]);
    for file in &plan.file_list {
        let replaces = file.replaces.as_deref().map_or_else(String::new, short);
        let to = match file.storage {
            PlannedStorage::Git => "git",
            PlannedStorage::Lfs => "server",
        };
        table.row([quote(file.name.as_bytes()), bytes_text(file.size), to.to_owned(), short(&file.oid), replaces]);
    }
    if !plan.file_list.is_empty() {
        table.print(output);
    }
    let bytes: u64 = plan.file_list.iter().map(|file| file.size).sum();
    output.line(format!("would publish {}, {}", count_text(plan.file_list.len(), "file"), bytes_text(bytes)));
    found(if plan.redacts { "would be redacted" } else { "held back" }, &plan.secret_list, output);
    for obstacle in &plan.obstacle_list {
        output.line(format!("now it would be refused: {}", plain(obstacle)));
    }
    if plan.is_clear() { Ending::Done } else { Ending::SomeFailed }
}

fn state_text(state: PublishedFileState) -> &'static str {
    match state {
        PublishedFileState::Unpublished => "unpublished",
        PublishedFileState::Published => "published",
        PublishedFileState::Swapped => "swapped",
        PublishedFileState::Left => "left",
    }
}

fn short(oid: &str) -> String {
    let mut short: String = oid.chars().take(OID_SHOWN).collect();
    if short.len() < oid.len() {
        short.push('…');
    }
    short
}
