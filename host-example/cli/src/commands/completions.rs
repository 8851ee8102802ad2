//! `hydrant completions`: the script that lets a shell complete this command line.

use clap::{Args, CommandFactory};
use hydrant_host::contract::error::Fault;
use schemars::JsonSchema;
use serde::Serialize;

use crate::cli::Cli;
use crate::ending::Ending;
use crate::output::Output;

#[derive(Args, Debug)]
pub(crate) struct CompletionsArgs {
    /// The shell
    pub(crate) shell: clap_complete::Shell,
}

/// A completion script.
#[derive(Serialize, JsonSchema)]
pub(crate) struct CompletionsReport {
    /// The shell.
    shell: String,
    /// The script.
    script: String,
}

pub(crate) fn run(arguments: &CompletionsArgs, output: &mut Output) -> Result<Ending, Fault> {
    let mut script = Vec::new();
    clap_complete::generate(arguments.shell, &mut Cli::command(), "hydrant", &mut script);
    if output.options.is_json() {
        let script = String::from_utf8_lossy(&script).into_owned();
        output.report(true, CompletionsReport { shell: arguments.shell.to_string(), script });
    } else {
        output.bytes(&script);
    }
    Ok(Ending::Done)
}
