//! `hydrant hooks`: the checks in git's hooks.

use clap::{Args, Subcommand, ValueEnum};
use hydrant_host::contract::error::Fault;
use hydrant_host::tasks::Client;
use hydrant_host::tasks::hooks::{HookKind, HookReport, HookState, HooksReport, HooksTask};
use hydrant_host::text::{plain, quote};

use crate::ending::Ending;
use crate::output::{Output, Table};

pub(crate) const HELP: &str = "\
Examples:
  hydrant hooks list
  hydrant hooks install           check each commit and each push of this clone
  hydrant hooks install commit    only each commit
  hydrant hooks remove

The checks look for content that would go into git in full where a pointer
belongs. They ask no server. `git commit --no-verify` and `git push --no-verify`
go past them.

Exit code 1: a hook lies where hydrant does not write; the lines to add are
printed.";

#[derive(Debug, Subcommand)]
pub(crate) enum HooksCommand {
    /// Show which hooks check
    List(HooksArgs),
    /// Put the check into hooks, one marked block in each; other lines stay
    Install(HooksArgs),
    /// Take the check out of hooks; other lines stay
    Remove(HooksArgs),
}

#[derive(Args, Debug)]
pub(crate) struct HooksArgs {
    /// Which hooks [default: both]
    #[arg(value_name = "HOOK")]
    pub(crate) hooks: Vec<HookWord>,
}

/// A hook on the command line.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum HookWord {
    /// pre-commit
    Commit,
    /// pre-push
    Push,
}

pub(crate) fn run(command: &HooksCommand, client: &Client, output: &mut Output) -> Result<Ending, Fault> {
    let (task, arguments) = match command {
        HooksCommand::List(arguments) => (HooksTask::List, arguments),
        HooksCommand::Install(arguments) => (HooksTask::Install, arguments),
        HooksCommand::Remove(arguments) => (HooksTask::Remove, arguments),
    };
    let kind = |word: &HookWord| match word {
        HookWord::Commit => HookKind::Commit,
        HookWord::Push => HookKind::Push,
    };
    let kinds: Vec<HookKind> = arguments.hooks.iter().map(kind).collect();
    let repository = super::repository()?;
    let report = client.hooks(&repository, task, &kinds)?;
    output.report(report.is_complete(), &report);
    say(&report, task, output);
    Ok(if report.is_complete() { Ending::Done } else { Ending::SomeFailed })
}

fn say(report: &HooksReport, task: HooksTask, output: &mut Output) {
    let mut table = Table::new(&["hook", "state", "file"]);
    for one in &report.hook_list {
        table.row([name(one).to_owned(), state(one).to_owned(), quote(one.path.as_bytes())]);
    }
    table.print(output);
    for one in &report.hook_list {
        if let Some(reason) = &one.reason {
            output.note(format!("{}: {}", name(one), plain(reason)));
        }
        if let Some(lines) = &one.lines {
            let todo = match task {
                HooksTask::Remove => "take lines like these from it:",
                HooksTask::Install | HooksTask::List => "nothing was written; add this before its other lines:",
            };
            output.warn(format!("{}: {todo}", name(one)));
            output.line(lines.trim_end());
        }
    }
}

fn name(one: &HookReport) -> &'static str {
    match one.hook {
        HookKind::Commit => "commit",
        HookKind::Push => "push",
    }
}

fn state(one: &HookReport) -> &'static str {
    match one.state {
        HookState::Installed => "installed",
        HookState::Outdated => "outdated",
        HookState::Absent => "absent",
    }
}
