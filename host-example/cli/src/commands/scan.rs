//! `hydrant scan`: one line for each pointer beneath a folder.

use std::path::PathBuf;

use clap::Args;
use hydrant_host::contract::error::Fault;
use hydrant_host::tasks::Client;
use hydrant_host::tasks::hydrate::BrokenPointer;
use hydrant_host::text::{count_text, quote, quote_path};
use hydrant_host::worktree::pointer_files::{self, Met, UNREADABLE};
use hydrant_host::worktree::scan::WalkOptions;
use schemars::JsonSchema;
use serde::Serialize;

use crate::ending::Ending;
use crate::output::Output;

#[derive(Args, Debug)]
pub(crate) struct ScanArgs {
    /// The folder to look through
    #[arg(default_value = ".")]
    pub(crate) dir: PathBuf,
    /// Look into repositories inside the folder, too
    #[arg(long)]
    pub(crate) nested: bool,
}

/// The pointers beneath a folder.
#[derive(Serialize, JsonSchema)]
pub(crate) struct ScanReport {
    /// Files that were looked at.
    files: u64,
    /// Pointers.
    pointers: usize,
    /// Bytes that they stand for.
    bytes: u64,
    /// Each of them.
    pointer_list: Vec<ScannedPointer>,
    /// Files that begin like pointers and are none.
    broken_list: Vec<BrokenPointer>,
    /// Paths that cannot be read, as git prints them.
    unreadable_list: Vec<String>,
}

/// One pointer file.
#[derive(Serialize, JsonSchema)]
struct ScannedPointer {
    /// Its path beneath the folder, as git prints it.
    path: String,
    /// SHA-256 of what it stands for.
    oid: String,
    /// Bytes of what it stands for.
    size: u64,
    /// Its bytes are the ones that every client writes.
    canonical: bool,
}

/// Broken pointers and unreadable files are named on standard error and end with 1.
pub(crate) fn run(arguments: &ScanArgs, client: &Client, output: &mut Output) -> Result<Ending, Fault> {
    if !arguments.dir.is_dir() {
        return Err(Fault::misuse(format!("{}: there is no such folder", quote_path(&arguments.dir))));
    }
    let options = WalkOptions { nested_repositories: arguments.nested, ..WalkOptions::default() };
    let (mut pointer_list, mut broken_list) = (Vec::new(), Vec::new());
    let (mut pointers, mut bytes, mut broken) = (0usize, 0u64, 0usize);
    let walked = pointer_files::search(client.engine()?, &arguments.dir, options, &mut |met| {
        match met {
            Met::Pointer(one) => {
                let path = quote(&one.path);
                pointers += 1;
                bytes = bytes.saturating_add(one.pointer.size);
                if output.options.is_json() {
                    let (oid, size, canonical) = (one.pointer.oid, one.pointer.size, one.pointer.canonical);
                    pointer_list.push(ScannedPointer { path, oid, size, canonical });
                } else {
                    output.line(format!("{} {} {path}", one.pointer.oid, one.pointer.size));
                }
            }
            Met::Broken(one) => {
                broken += 1;
                output.warn(format!("{}: a broken pointer, line {}: {}", quote(&one.path), one.line, one.why));
                if output.options.is_json() {
                    broken_list.push(BrokenPointer::from(one));
                }
            }
        }
        Ok(())
    })?;
    let unreadable_list = pointer_files::unreadable(&walked, b"");
    for place in &unreadable_list {
        output.warn(format!("{place}: {UNREADABLE}"));
    }
    let ok = broken == 0 && walked.unreadable == 0;
    output.report(ok, ScanReport { files: walked.files, pointers, bytes, pointer_list, broken_list, unreadable_list });
    if pointers == 0 {
        output.note(format!("no pointer beneath {}", quote_path(&arguments.dir)));
    }
    if output.options.verbose {
        let files = usize::try_from(walked.files).unwrap_or(usize::MAX);
        output.note(format!("{} in {}", count_text(pointers, "pointer"), count_text(files, "file")));
    }
    Ok(if ok { Ending::Done } else { Ending::SomeFailed })
}
