//! `hydrant upload`: brings files to the server. Each is hashed first, and what is sent is what was hashed.

use std::collections::HashMap;
use std::env;
use std::path::Path;

use hydrant_host::engine::Engine;
use hydrant_host::files::Files;
use hydrant_host::wit::operations::Source;
use hydrant_host::wit::types::Direction;

use crate::cli::UploadArgs;
use crate::commands::hydrate;
use crate::destination;
use crate::ending::{Ending, Fault};
use crate::object_list;
use crate::operate::{self, Runner, Work};
use crate::report::{Output, quote};
use crate::repository::Repository;

pub(crate) fn run(arguments: &UploadArgs, output: &mut Output) -> Result<Ending, Fault> {
    let (files, sources, bytes) = match (&arguments.objects, &arguments.from) {
        (Some(list), Some(folder)) => listed_objects(list, folder)?,
        _ => named_files(arguments)?,
    };
    let engine = Engine::load()?;
    let server = &arguments.server;
    let (destination, limit) = match &server.endpoint {
        Some(url) => (destination::explicit(url, server, None)?, operate::object_bytes_max(&arguments.limits, None)?),
        None => {
            let repository = Repository::around(&env::current_dir()?)?;
            let limit = operate::object_bytes_max(&arguments.limits, Some(&repository))?;
            (destination::of_repository(&repository, &engine, Direction::Upload, server, true)?, limit)
        }
    };
    let voice = output.voice.clone();
    let mut runner = Runner::new(&engine, &voice, destination, server, limit, |host| host.files(files))?;
    let report = runner.transfer(Work::Upload { sources, bytes })?;
    output.json(&report.json());
    // One line for each file that is there now: what a pointer needs. A list was known before.
    if arguments.objects.is_none() {
        for outcome in report.outcomes.iter().filter(|outcome| outcome.ended.is_ok()) {
            output.line(format!("{} {} {}", outcome.oid, outcome.size, outcome.name));
        }
    }
    report.say_failures(output);
    output.note(hydrate::summary(&report, "uploaded"));
    if report.ending() == Ending::Interrupted {
        output.note("interrupted: what the server has stays there, the next run does the rest");
    }
    Ok(report.ending())
}

/// Files named by their oid in one folder.
fn listed_objects(list: &Path, folder: &Path) -> Result<(Files, Vec<Source>, u64), Fault> {
    let objects = object_list::read(list)?;
    let bytes = objects.iter().fold(0u64, |sum, blob| sum.saturating_add(blob.size));
    let sources = objects.into_iter().map(|blob| Source { name: blob.oid.clone(), expects: Some(blob.oid) }).collect();
    Ok((Files::beneath(folder)?, sources, bytes))
}

/// Files that the user named.
fn named_files(arguments: &UploadArgs) -> Result<(Files, Vec<Source>, u64), Fault> {
    use std::os::unix::ffi::OsStrExt;
    let mut paths = HashMap::new();
    let mut sources = Vec::new();
    let mut bytes = 0u64;
    for path in &arguments.files {
        let name = quote(path.as_os_str().as_bytes());
        bytes = bytes.saturating_add(path.metadata().map_or(0, |facts| facts.len()));
        if paths.insert(name.clone(), path.clone()).is_none() {
            sources.push(Source { name, expects: None });
        }
    }
    Ok((Files::listed(paths.into_iter().collect()), sources, bytes))
}
