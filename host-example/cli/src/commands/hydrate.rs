//! `hydrant hydrate`: brings content here, verified. Decides what kind of place it was called in.

use std::env;
use std::path::Path;

use hydrant_host::engine::Engine;
use hydrant_host::store::Store;
use hydrant_host::wit::operations::Want;
use hydrant_host::wit::types::Blob;

use crate::cli::HydrateArgs;
use crate::commands::{hydrate_sessions, hydrate_tree};
use crate::destination;
use crate::ending::{Ending, Fault};
use crate::ledger::Ledger;
use crate::object_list;
use crate::operate::{self, Runner, Work};
use crate::report::{Output, TransferReport, bytes_text};
use crate::repository::Repository;

pub(crate) fn run(arguments: &HydrateArgs, output: &mut Output) -> Result<Ending, Fault> {
    if let (Some(list), Some(folder), Some(endpoint)) =
        (&arguments.objects, &arguments.into, &arguments.server.endpoint)
    {
        return objects(list, folder, endpoint, arguments, output);
    }
    let repository = Repository::around(&env::current_dir()?)?;
    in_repository(&repository, arguments, output)
}

/// Hydrates in a repository: sessions of a ledger, pointers of any other.
pub(crate) fn in_repository(
    repository: &Repository,
    arguments: &HydrateArgs,
    output: &mut Output,
) -> Result<Ending, Fault> {
    let engine = Engine::load()?;
    if !repository.is_ledger()? {
        return hydrate_tree::run(repository, &engine, arguments, output);
    }
    if arguments.in_place {
        return Err(Fault::misuse("this repository is a ledger: its pointers stay, content is read from the cache"));
    }
    let ledger = Ledger::of(repository)?;
    match hydrate_sessions::choose(&ledger, &arguments.targets, &env::current_dir()?)? {
        Some(chosen) => hydrate_sessions::run(repository, &engine, &ledger, chosen, arguments, output),
        None => hydrate_tree::run(repository, &engine, arguments, output),
    }
}

/// The plumbing: a list of objects into a plain folder. Spawns nothing unless a login is asked for.
fn objects(
    list: &Path,
    folder: &Path,
    endpoint: &str,
    arguments: &HydrateArgs,
    output: &mut Output,
) -> Result<Ending, Fault> {
    let want = |blob: Blob| Want { name: blob.oid.clone(), oid: blob.oid, size: blob.size };
    let wants: Vec<Want> = object_list::read(list)?.into_iter().map(want).collect();
    let engine = Engine::load()?;
    let limit = operate::object_bytes_max(&arguments.limits, None)?;
    let destination = destination::explicit(endpoint, &arguments.server, None)?;
    let store = Store::into_dir(folder)?;
    let voice = output.voice.clone();
    let mut runner = Runner::new(&engine, &voice, destination, &arguments.server, limit, |host| host.store(store))?;
    let report = runner.transfer(Work::Hydrate(wants))?;
    say(&report, output);
    Ok(report.ending())
}

/// Says how a hydration went, in one line and its failures.
pub(crate) fn say(report: &TransferReport, output: &mut Output) {
    if output.voice.json {
        output.json(&report.json());
    }
    report.say_failures(output);
    if !output.voice.quiet {
        output.line(summary(report, "hydrated"));
    }
    if report.ending() == Ending::Interrupted {
        output.note("interrupted: what was verified stays, the next run does the rest");
    }
}

/// `hydrated 5 of 5 objects, 20.0 MiB in 0.31 s`.
pub(crate) fn summary(report: &TransferReport, verb: &str) -> String {
    let (present, all) = (report.present(), report.outcomes.len());
    let noun = if all == 1 { "object" } else { "objects" };
    format!("{verb} {present} of {all} {noun}, {} in {:.2} s", bytes_text(report.bytes()), report.seconds)
}
