//! The `hydrant` command: reads the command line, runs one command, ends with its exit code.

mod approval;
mod cli;
mod commands;
mod demo;
mod ending;
mod output;
mod progress;
#[cfg(test)]
mod schemas;
mod signals;

use std::process::ExitCode;

use clap::Parser;
use clap::error::ErrorKind;
use hydrant_host::contract::cancel::Cancel;
use hydrant_host::contract::error::Fault;
use hydrant_host::tasks::Client;
use hydrant_host::text::steers;

use crate::approval::Terminal;
use crate::cli::{Cli, Command};
use crate::ending::Ending;
use crate::output::{Output, OutputOptions, say};
use crate::progress::Meter;

fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => return misread(&error),
    };
    let mut output = Output::new(cli.output);
    let client = Client::new()
        .watch(Meter::new(&output.options))
        .cancel(Cancel::armed_by(signals::take_over))
        .approver(Terminal::default());
    let ending = match run(&cli.command, &client, &mut output) {
        Ok(ending) => ending,
        Err(fault) => {
            output.fault(&fault);
            Ending::of(&fault)
        }
    };
    ExitCode::from(output.finish(ending) as u8)
}

/// The command line makes no sense, or asks for help. A program gets its document.
fn misread(error: &clap::Error) -> ExitCode {
    let asks = |option: &str| {
        std::env::args_os()
            .skip(1)
            .take_while(|word| word != "--")
            .any(|word| word.to_string_lossy().split('=').next() == Some(option))
    };
    let options = OutputOptions { json: asks("--json"), json_lines: asks("--json-lines"), ..OutputOptions::default() };
    let is_fault = !matches!(error.kind(), ErrorKind::DisplayHelp | ErrorKind::DisplayVersion);
    if is_fault && options.is_json() {
        let mut output = Output::new(options);
        let text = error.render().to_string();
        // The first paragraph is the reason, what follows is help.
        let reason = text.split("\n\n").next().unwrap_or_default().trim_start_matches("error: ");
        output.fault(&Fault::misuse(reason.split_whitespace().collect::<Vec<_>>().join(" ")));
        return ExitCode::from(output.finish(Ending::Misuse) as u8);
    }
    // A hook or a script may hand on a name that somebody else chose.
    let text = error.render().to_string();
    if is_fault && text.lines().any(|line| line.contains(steers)) {
        text.lines().for_each(say);
        return ExitCode::from(Ending::Misuse as u8);
    }
    error.exit()
}

fn run(command: &Command, client: &Client, output: &mut Output) -> Result<Ending, Fault> {
    match command {
        Command::Demo(arguments) => commands::demo::run(arguments, client, output),
        Command::Status(arguments) => commands::status::run(arguments, client, output),
        Command::Hydrate(arguments) => commands::hydrate::run(arguments, client, output),
        Command::Show(arguments) => commands::show::run(arguments, client, output),
        Command::Pointer(command) => commands::pointer::run(command, client, output),
        Command::Batch(arguments) => commands::batch::run(arguments, client, output),
        Command::Cache(command) => commands::cache::run(command, output),
        Command::Redact(arguments) => commands::redact::run(arguments, client, output),
        Command::Scan(arguments) => commands::scan::run(arguments, client, output),
        Command::Upload(arguments) => commands::upload::run(arguments, client, output),
        Command::Publish(arguments) => commands::publish::run(arguments, client, output),
        Command::Regenerate(arguments) => commands::regenerate::run(arguments, client, output),
        Command::Orphans(arguments) => commands::orphans::run(arguments, client, output),
        Command::Reconcile(arguments) => commands::reconcile::run(arguments, client, output),
        Command::Verify(arguments) => commands::verify::run(arguments, client, output),
        Command::Doctor(arguments) => commands::doctor::run(arguments, client, output),
        Command::Draft(arguments) => commands::draft::run(arguments, client, output),
        Command::Restore(arguments) => commands::restore::run(arguments, client, output),
        Command::Hooks(command) => commands::hooks::run(command, client, output),
        Command::Locks(command) => commands::locks::run(command, client, output),
        Command::Serve(arguments) => commands::serve::run(arguments, client, output),
        Command::Completions(arguments) => commands::completions::run(arguments, output),
        Command::Man(arguments) => commands::man::run(arguments, output),
    }
}
