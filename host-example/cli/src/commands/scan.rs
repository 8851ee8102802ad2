//! `hydrant scan`: one line for each pointer beneath a folder.

use hydrant_host::engine::Engine;
use hydrant_host::scan::WalkOptions;
use serde_json::{Value, json};

use crate::cli::ScanArgs;
use crate::ending::{Ending, Fault};
use crate::pointer_files::{self, Met};
use crate::report::{Output, count_text, quote};

/// Broken pointers and unreadable files are named on standard error and end with 1.
pub(crate) fn run(arguments: &ScanArgs, output: &mut Output) -> Result<Ending, Fault> {
    if !arguments.dir.is_dir() {
        return Err(Fault::misuse("there is no such folder"));
    }
    let engine = Engine::load()?;
    let options = WalkOptions { nested_repositories: arguments.nested };
    let (mut listed, mut broken): (Vec<Value>, Vec<Value>) = (Vec::new(), Vec::new());
    let (mut pointers, mut bytes, mut faults) = (0usize, 0u64, 0usize);
    let walked = pointer_files::search(&engine, &arguments.dir, options, &mut |met| {
        match met {
            Met::Pointer(one) => {
                let path = quote(&one.path);
                pointers += 1;
                bytes = bytes.saturating_add(one.pointer.size);
                if output.voice.json {
                    listed.push(json!({
                        "path": path, "oid": one.pointer.oid, "size": one.pointer.size,
                        "canonical": one.pointer.canonical,
                    }));
                } else {
                    output.line(format!("{} {} {path}", one.pointer.oid, one.pointer.size));
                }
            }
            Met::Broken(one) => {
                faults += 1;
                let path = quote(&one.path);
                output.warn(format!("{path}: a broken pointer, line {}: {}", one.line, one.why));
                if output.voice.json {
                    broken.push(json!({ "path": path, "line": one.line, "detail": one.why }));
                }
            }
        }
        Ok(())
    })?;
    for path in &walked.unreadable_paths {
        output.warn(format!("{}: it cannot be read", quote(path)));
    }
    let well = faults == 0 && walked.unreadable == 0;
    output.json(&json!({
        "ok": well,
        "files": walked.files,
        "pointers": listed,
        "bytes": bytes,
        "broken": broken,
        "unreadable": walked.unreadable_paths.iter().map(|path| quote(path)).collect::<Vec<_>>(),
    }));
    if output.voice.verbose {
        let files = usize::try_from(walked.files).unwrap_or(usize::MAX);
        output.note(format!("{} in {}", count_text(pointers, "pointer"), count_text(files, "file")));
    }
    Ok(if well { Ending::Done } else { Ending::SomeFailed })
}
