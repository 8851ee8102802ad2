//! `hydrant completions`: the script that lets a shell complete this command line.

use clap::CommandFactory;

use crate::cli::{Cli, CompletionsArgs};
use crate::ending::{Ending, Fault};
use crate::report::Output;

pub(crate) fn run(arguments: &CompletionsArgs, output: &mut Output) -> Result<Ending, Fault> {
    let mut script = Vec::new();
    clap_complete::generate(arguments.shell, &mut Cli::command(), "hydrant", &mut script);
    if output.voice.json {
        let script = String::from_utf8_lossy(&script);
        output.json(&serde_json::json!({ "ok": true, "shell": arguments.shell.to_string(), "script": script }));
    } else {
        output.bytes(&script);
    }
    Ok(Ending::Done)
}
