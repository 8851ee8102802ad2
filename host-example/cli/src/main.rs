//! The `hydrant` command: reads the command line, runs one command, ends with its exit code.

mod cli;
mod commands;
mod committed;
mod content_files;
mod coverage;
mod demo;
mod destination;
mod downloaded;
mod ending;
mod gitignore;
mod in_place;
mod ledger;
mod new_session;
mod object_list;
mod operate;
mod orphaned;
mod pointer_files;
mod progress;
mod publish_report;
mod reconcile_report;
mod recording;
mod remembered;
mod replaced;
mod report;
mod repository;
mod ssh;
mod stat_cache;

use std::process::ExitCode;

use clap::Parser;

use crate::cli::{Cli, Command};
use crate::ending::{Ending, Fault};
use crate::report::Output;

fn main() -> ExitCode {
    let cli = Cli::parse();
    let mut output = Output::new(cli.voice);
    let ending = match run(&cli.command, &mut output) {
        Ok(ending) => ending,
        Err(fault) => {
            output.fault(&fault);
            fault.ending
        }
    };
    ExitCode::from(output.finish(ending) as u8)
}

fn run(command: &Command, output: &mut Output) -> Result<Ending, Fault> {
    match command {
        Command::Demo(arguments) => commands::demo::run(arguments, output),
        Command::Status(arguments) => commands::status::run(arguments, output),
        Command::Hydrate(arguments) => commands::hydrate::run(arguments, output),
        Command::Show(arguments) => commands::show::run(arguments, output),
        Command::Pointer(command) => commands::pointer::run(command, output),
        Command::Batch(arguments) => commands::batch::run(arguments, output),
        Command::Cache(command) => commands::cache::run(command, output),
        Command::Scan(arguments) => commands::scan::run(arguments, output),
        Command::Upload(arguments) => commands::upload::run(arguments, output),
        Command::Publish(arguments) => commands::publish::run(arguments, output),
        Command::Regenerate(arguments) => commands::publish::regenerate(arguments, output),
        Command::Orphans(arguments) => commands::orphans::run(arguments, output),
        Command::Reconcile(arguments) => commands::reconcile::run(arguments, output),
        Command::Verify(arguments) => commands::verify::run(arguments, output),
        Command::Doctor(arguments) => commands::doctor::run(arguments, output),
        Command::Draft(arguments) => commands::draft::run(arguments, output),
        Command::Restore(arguments) => commands::restore::run(arguments, output),
        Command::Locks(command) => commands::locks::run(command, output),
        Command::Serve(arguments) => commands::serve::run(arguments, output),
        Command::Completions(arguments) => commands::completions::run(arguments, output),
        Command::Man(arguments) => commands::man::run(arguments, output),
    }
}
