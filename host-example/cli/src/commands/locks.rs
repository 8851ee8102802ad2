//! `hydrant locks`: the server's lock API: list, create, unlock, verify.

use clap::{Args, Subcommand};
use hydrant_host::contract::error::{Fault, code_name};
use hydrant_host::contract::report::Document;
use hydrant_host::tasks::Client;
use hydrant_host::tasks::locks::{Holder, ListLocksOptions, Lock, LocksReport, UnlockOptions};
use hydrant_host::text::{plain, quote};

use crate::cli::ServerArgs;
use crate::ending::Ending;
use crate::output::{Output, Table};

const NO_LOCKS: &str = "this server has no locks";
const YOURS: &str = "yours";
const THEIRS: &str = "theirs";
/// Of a lock of which the server did not say whose it is, but by its owner's name.
const HELD: &str = "held";

/// What to do about locks.
#[derive(Debug, Subcommand)]
pub(crate) enum LocksCommand {
    /// List the locks on the server, of one path or all
    #[command(after_help = "Example: hydrant locks list media/intro.psd")]
    List(LocksListArgs),
    /// Lock a path; exit code 1 if it is locked already, and by whom
    #[command(after_help = "Example: hydrant locks create media/intro.psd")]
    Create(LocksCreateArgs),
    /// Unlock a path
    #[command(after_help = "Example: hydrant locks unlock media/intro.psd")]
    Unlock(LocksUnlockArgs),
    /// List your own locks and those of others apart
    #[command(after_help = "Example: hydrant locks verify --json")]
    Verify(LocksVerifyArgs),
}

#[derive(Args, Debug)]
pub(crate) struct LocksListArgs {
    /// Only the locks on this path
    #[arg(value_name = "PATH")]
    pub(crate) path: Option<String>,
    #[command(flatten)]
    pub(crate) server: ServerArgs,
}

#[derive(Args, Debug)]
pub(crate) struct LocksCreateArgs {
    /// A file of the work tree; it need not be there yet
    #[arg(value_name = "PATH")]
    pub(crate) path: String,
    #[command(flatten)]
    pub(crate) server: ServerArgs,
}

#[derive(Args, Debug)]
pub(crate) struct LocksUnlockArgs {
    /// The locked path
    #[arg(value_name = "PATH", required_unless_present = "id", conflicts_with = "id")]
    pub(crate) path: Option<String>,
    /// The id that the server gave the lock
    #[arg(long, value_name = "ID")]
    pub(crate) id: Option<String>,
    /// Unlock it even if it is somebody else's
    #[arg(long)]
    pub(crate) force: bool,
    #[command(flatten)]
    pub(crate) server: ServerArgs,
}

#[derive(Args, Debug)]
pub(crate) struct LocksVerifyArgs {
    #[command(flatten)]
    pub(crate) server: ServerArgs,
}

pub(crate) fn run(command: &LocksCommand, client: &Client, output: &mut Output) -> Result<Ending, Fault> {
    let repository = super::repository()?;
    let report = match command {
        LocksCommand::List(arguments) => {
            let options = ListLocksOptions { path: arguments.path.clone(), server: arguments.server.options() };
            client.list_locks(&repository, &options)?
        }
        LocksCommand::Create(arguments) => {
            client.create_lock(&repository, &arguments.path, &arguments.server.options())?
        }
        LocksCommand::Unlock(arguments) => {
            let LocksUnlockArgs { path, id, force, server } = arguments;
            let (path, id) = (path.clone(), id.clone());
            client.unlock(&repository, &UnlockOptions { path, id, force: *force, server: server.options() })?
        }
        LocksCommand::Verify(arguments) => client.verify_locks(&repository, &arguments.server.options())?,
    };
    output.document(&Document::ended(report.error.clone(), report.is_done(), &report));
    if !report.is_done() {
        say_why(&report, output);
        return Ok(if report.is_in_the_way() { Ending::SomeFailed } else { Ending::Failed });
    }
    match command {
        LocksCommand::List(_) if !report.supported => output.line(NO_LOCKS),
        LocksCommand::Verify(_) if !report.supported => output.line(NO_LOCKS),
        LocksCommand::List(arguments) => listed(&report, arguments, output),
        LocksCommand::Create(_) => created(&report, output),
        LocksCommand::Unlock(arguments) => unlocked(&report, arguments.force, output),
        LocksCommand::Verify(_) => verified(&report, output),
    }
    Ok(Ending::Done)
}

fn listed(report: &LocksReport, arguments: &LocksListArgs, output: &mut Output) {
    if report.lock_list.is_empty() {
        return output.note(match &arguments.path {
            Some(path) => format!("{} is not locked", quote(path.as_bytes())),
            None => "nothing is locked".to_owned(),
        });
    }
    let mut table = Table::new(&["path", "owner", "id", "since"]);
    report.lock_list.iter().for_each(|lock| table.row(cells(lock)));
    table.print(output);
}

fn created(report: &LocksReport, output: &mut Output) {
    for lock in &report.lock_list {
        output.line(format!("locked {} as {}", quote(lock.path.as_bytes()), quote(lock.id.as_bytes())));
    }
}

fn unlocked(report: &LocksReport, force: bool, output: &mut Output) {
    for lock in &report.lock_list {
        let whose = lock.owner.as_deref().filter(|_| force);
        let whose = whose.map_or_else(String::new, |owner| format!("; it was {}'s", plain(owner)));
        output.line(format!("unlocked {}{whose}", quote(lock.path.as_bytes())));
    }
}

fn verified(report: &LocksReport, output: &mut Output) {
    if report.lock_list.is_empty() && report.theirs.is_empty() {
        return output.note("nothing is locked");
    }
    whose(&[(YOURS, &report.lock_list), (THEIRS, &report.theirs)], output);
}

/// What did not go well, and the locks that are in the way.
fn say_why(report: &LocksReport, output: &mut Output) {
    if !report.supported {
        return output.warn(format!("hydrant: {NO_LOCKS}"));
    }
    if let Some(error) = &report.error {
        output.warn(format!("hydrant: {}: {}", code_name(error.code.0), plain(&error.detail)));
    }
    if !report.held.is_empty() {
        let holder = match report.holder() {
            Holder::Me => YOURS,
            Holder::Others => THEIRS,
            Holder::Unknown => HELD,
        };
        whose(&[(holder, &report.held)], output);
    }
}

/// Locks, with a word on whose they are.
fn whose(all: &[(&str, &[Lock])], output: &mut Output) {
    let mut table = Table::new(&["whose", "path", "owner", "id", "since"]);
    for (whose, locks) in all {
        for lock in *locks {
            let [path, owner, id, since] = cells(lock);
            table.row([(*whose).to_owned(), path, owner, id, since]);
        }
    }
    table.print(output);
}

fn cells(lock: &Lock) -> [String; 4] {
    let owner = lock.owner.as_deref().map_or_else(String::new, plain);
    [quote(lock.path.as_bytes()), owner, quote(lock.id.as_bytes()), plain(&lock.locked_at)]
}
