//! The smallest whole program: fetches the content of a repository's pointers. `hydrate FOLDER`

#![allow(clippy::print_stdout, reason = "what it does is to print")]

use hydrant_host::{Client, Fault, HydrateOptions, Repository};
use std::process::ExitCode;

fn main() -> Result<ExitCode, Fault> {
    let folder = std::env::args_os().nth(1).unwrap_or_else(|| ".".into());
    let repository = Repository::around(folder)?;
    let report = Client::new().hydrate(&repository, &HydrateOptions::default())?;
    for object in &report.transfer.outcomes {
        match &object.error {
            None => println!("{}: {} bytes", object.name, object.size),
            Some(error) => println!("{}: {}", object.name, error.detail),
        }
    }
    Ok(if report.is_complete() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
