//! `hydrant man`: the manual pages, one for each command. A release carries them, so nobody needs to call it.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use clap::{Args, CommandFactory};
use clap_mangen::Man;
use hydrant_host::contract::error::Fault;
use schemars::JsonSchema;
use serde::Serialize;

use crate::cli::Cli;
use crate::ending::Ending;
use crate::output::Output;

/// What stands at the foot of each page.
const SOURCE: &str = concat!("hydrant ", env!("CARGO_PKG_VERSION"));
/// The heading of examples and exit codes, as clap_mangen has it.
const EXTRA: &str = ".SH EXTRA\n";

#[derive(Args, Debug)]
pub(crate) struct ManArgs {
    /// Folder that takes the pages
    #[arg(long, value_name = "DIR")]
    pub(crate) into: PathBuf,
}

/// Where the pages are.
#[derive(Serialize, JsonSchema)]
pub(crate) struct ManReport {
    /// The folder.
    into: String,
}

pub(crate) fn run(arguments: &ManArgs, output: &mut Output) -> Result<Ending, Fault> {
    let folder = &arguments.into;
    let mut command = Cli::command().disable_help_subcommand(true);
    command.build();
    fs::create_dir_all(folder)
        .and_then(|()| write(command, folder))
        .map_err(|error| Fault::local("the manual pages cannot be written", &error))?;
    output.report(true, ManReport { into: folder.to_string_lossy().into_owned() });
    Ok(Ending::Done)
}

/// The page of a command, and those of the commands below it.
fn write(command: clap::Command, folder: &Path) -> io::Result<()> {
    for below in command.get_subcommands().filter(|it| !it.is_hide_set()) {
        write(below.clone(), folder)?;
    }
    let man = Man::new(command).source(SOURCE);
    let mut page = Vec::new();
    man.render(&mut page)?;
    fs::write(folder.join(man.get_filename()), with_lines_kept(&String::from_utf8_lossy(&page)))
}

/// Examples stand in columns: without this, they would be filled like a paragraph.
fn with_lines_kept(page: &str) -> String {
    match page.split_once(EXTRA) {
        Some((before, extra)) => {
            let (extra, after) = extra.split_at(extra.find(".SH ").unwrap_or(extra.len()));
            format!("{before}.SH NOTES\n.nf\n{extra}.fi\n{after}")
        }
        None => page.to_owned(),
    }
}
