//! `hydrant status`: how much can be read here, of one session, or of all sessions and the pointers beside them.

use clap::Args;
use hydrant_host::contract::error::Fault;
use hydrant_host::contract::report::{Document, ErrorReport};
use hydrant_host::repository::Repository;
use hydrant_host::tasks::Client;
use hydrant_host::tasks::status::{
    BegunStatus, LedgerStatus, PointerCounts, SessionLine, SessionStatus, SessionSummary, StatusOptions, StatusReport,
    Stopped,
};
use hydrant_host::text::{bytes_text, count_text, plain, quote};
use hydrant_host::worktree::pointer_files::UNREADABLE;

use crate::cli::LimitArgs;
use crate::ending::Ending;
use crate::output::{Output, Table};

#[derive(Args, Debug, Default)]
pub(crate) struct StatusArgs {
    /// Name of a session, or its folder
    pub(crate) session: Option<String>,
    #[command(flatten)]
    pub(crate) limits: LimitArgs,
}

pub(crate) fn run(arguments: &StatusArgs, client: &Client, output: &mut Output) -> Result<Ending, Fault> {
    let repository = match super::repository() {
        Ok(repository) => repository,
        Err(fault) => return stopped(Stopped::outside(fault), client, None, arguments, output),
    };
    let options = StatusOptions {
        session: arguments.session.clone(),
        object_bytes_max: arguments.limits.object_bytes_max,
        // The table shows nothing of the rest.
        sessions_only: !output.options.is_json(),
    };
    match client.status(&repository, &options) {
        Ok(report) => {
            output.report(report.is_readable(), &report);
            say(&report, output);
            Ok(if report.is_readable() { Ending::Done } else { Ending::SomeFailed })
        }
        Err(why) => stopped(*why, client, Some(&repository), arguments, output),
    }
}

/// Ends the command: with the sentence, or with the one document that was asked for.
fn stopped(
    why: Stopped,
    client: &Client,
    repository: Option<&Repository>,
    arguments: &StatusArgs,
    output: &mut Output,
) -> Result<Ending, Fault> {
    let Some(report) =
        why.report(client, repository, arguments.session.as_deref()).filter(|_| output.options.is_json())
    else {
        return Err(why.fault);
    };
    output.document(&Document::ended(Some(ErrorReport::from(&why.fault)), false, report));
    Ok(Ending::of(&why.fault))
}

/// Says it to people.
pub(crate) fn say(report: &StatusReport, output: &mut Output) {
    match report {
        StatusReport::Session(one) => one_session(one, output),
        StatusReport::Begun(begun) => only_begun(begun, output),
        StatusReport::Sessions(all) => all_sessions(all, output),
        StatusReport::Pointers(pointers) => {
            wrong_pointers(&pointers.counts, output);
            count_pointers(&pointers.counts, "in the work tree", output);
        }
    }
}

fn one_session(one: &SessionStatus, output: &mut Output) {
    let summary = &one.summary;
    output.line(format!("{}  {}", quote(summary.session.as_bytes()), state_of(summary)));
    if !summary.title.is_empty() {
        output.line(&summary.title);
    }
    let mut table = Table::new(&["file", ">size", "state", ""]);
    for file in &one.file_list {
        let size = file.size.map_or_else(String::new, bytes_text);
        let detail = plain(file.detail.as_deref().unwrap_or_default());
        table.row([quote(file.name.as_bytes()), size, file.state.to_owned(), detail]);
    }
    table.print(output);
    one.unfinished.iter().for_each(|line| output.line(line));
    if summary.downloaded {
        output.line("content of it was fetched from the server, not recorded here");
    }
    one.kept_out.iter().for_each(|line| output.line(line));
    for kept in &one.kept {
        output.line(format!("grew after it was published, and is kept in git's folder: hydrant/kept/{kept}"));
    }
}

fn only_begun(begun: &BegunStatus, output: &mut Output) {
    output.line(format!("{}  not here yet", quote(begun.session.as_bytes())));
    output.line(&begun.unfinished);
    begun.kept_out.iter().for_each(|line| output.line(line));
}

fn all_sessions(all: &LedgerStatus, output: &mut Output) {
    let mut table = Table::new(&["session", ">files", ">size", "state", "title"]);
    for line in &all.sessions {
        match line {
            SessionLine::Summary(one) => {
                let more = if one.unfinished_publish == Some(true) { ", publish unfinished" } else { "" };
                let state = format!("{}{more}", state_of(one));
                let (files, bytes) = (one.files.to_string(), bytes_text(one.bytes));
                table.row([quote(one.session.as_bytes()), files, bytes, state, one.title.clone()]);
            }
            SessionLine::Unreadable(one) => {
                output.warn(plain(&one.error.detail));
                let nothing = String::new;
                table.row([quote(one.session.as_bytes()), nothing(), nothing(), "unreadable".into(), nothing()]);
            }
        }
    }
    if !all.sessions.is_empty() {
        table.print(output);
    } else if all.kept_out.is_none() {
        output.line("no sessions");
    }
    all.kept_out.iter().for_each(|line| output.line(line));
    for (counts, place) in
        [(&all.assets, "beside the sessions"), (&all.unnamed, "in folders of sessions without a manifest")]
    {
        wrong_pointers(counts, output);
        if counts.pointers + counts.broken > 0 {
            count_pointers(counts, place, output);
        }
    }
}

/// What is no pointer and begins like one, and what could not be looked at.
fn wrong_pointers(counts: &PointerCounts, output: &mut Output) {
    for one in &counts.broken_list {
        output.warn(format!("{}: a broken pointer, line {}: {}", one.path, one.line, one.detail));
    }
    for place in &counts.unreadable_list {
        output.warn(format!("{place}: {UNREADABLE}"));
    }
}

fn count_pointers(counts: &PointerCounts, place: &str, output: &mut Output) {
    output.line(format!("{} {place}, {}", count_text(counts.pointers, "pointer"), bytes_text(counts.bytes)));
    output.line(format!("content here for {} of them, {}", counts.present, bytes_text(counts.present_bytes)));
}

/// A session's state in one word. Of a recording there is nothing to read yet.
fn state_of(summary: &SessionSummary) -> &'static str {
    if summary.draft { "draft" } else { summary.hydration }
}
