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
/// The heading of how a command is called.
const SYNOPSIS: &str = ".SH SYNOPSIS\n";

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
    let (name, page) = page_of(command)?;
    fs::write(folder.join(name), page)
}

/// The name of a command's page, and its text.
fn page_of(mut command: clap::Command) -> io::Result<(String, String)> {
    let usage = command.render_usage().to_string();
    let man = Man::new(command).source(SOURCE);
    let mut page = Vec::new();
    man.render(&mut page)?;
    let page = with_lines_kept(&String::from_utf8_lossy(&page));
    Ok((man.get_filename(), with_usage(&page, usage.trim_start_matches("Usage: "))))
}

/// The synopsis that the help has: the one of clap_mangen leaves out which options take a value, and which words may
/// come again.
fn with_usage(page: &str, usage: &str) -> String {
    let Some((before, synopsis)) = page.split_once(SYNOPSIS) else { return page.to_owned() };
    let after = synopsis.find(".SH ").map_or("", |at| &synopsis[at..]);
    format!("{before}{SYNOPSIS}{}\n{after}", usage.trim().replace('-', "\\-"))
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_synopsis_is_the_usage_of_the_help() {
        let mut command = Cli::command();
        command.build();
        for (name, usage) in [
            ("batch", "hydrant batch [OPTIONS] \\-\\-objects <LIST> <DIRECTION>"),
            ("upload", "hydrant upload [OPTIONS] [FILE]..."),
            ("cache", "hydrant cache [OPTIONS] <COMMAND>"),
        ] {
            let below = command.find_subcommand(name).expect("a command").clone();
            let (file, page) = page_of(below).expect("a page");
            assert_eq!(file, format!("hydrant-{name}.1"));
            assert!(page.contains(&format!(".SH SYNOPSIS\n{usage}\n.SH DESCRIPTION\n")), "{page}");
        }
    }
}
