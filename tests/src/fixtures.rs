//! The fixtures under `tests/fixtures`, judged: files as hydrant's ancestors and peers write them, and files that are
//! broken on purpose.

mod batches;
mod identity;
mod manifests;
mod pointers;

use crate::engine::Engine;
use std::path::Path;

/// Judges every fixture: what differs, with its name. The second part is how many were judged.
pub fn judge(engine: &dyn Engine) -> Result<(Vec<String>, usize), String> {
    let judges = [pointers::judge, manifests::judge, batches::judge, identity::judge];
    let mut differences = Vec::new();
    let mut judged = 0;
    for judge in judges {
        for (name, verdict) in judge(engine)? {
            judged += 1;
            differences.extend(verdict.err().map(|why| format!("{name}: {why}")));
        }
    }
    Ok((differences, judged))
}

/// A fixture's name and what is wrong with it.
type Judged = Vec<(String, Result<(), String>)>;

/// The bytes of a fixture.
pub fn bytes(name: &str) -> Result<Vec<u8>, String> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures").join(name);
    std::fs::read(path).map_err(|error| format!("the fixture {name} cannot be read: {}", error.kind()))
}

/// The names of the fixtures in a folder, sorted.
fn names(folder: &str) -> Result<Vec<String>, String> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures").join(folder);
    let entries =
        std::fs::read_dir(path).map_err(|error| format!("the fixtures {folder} cannot be read: {}", error.kind()))?;
    let files = entries.flatten().filter(|entry| entry.path().is_file());
    let mut names: Vec<String> =
        files.map(|entry| format!("{folder}/{}", entry.file_name().to_string_lossy())).collect();
    names.sort();
    Ok(names)
}

/// Equal, or a sentence that shows both.
fn same<T: PartialEq + std::fmt::Debug>(what: &str, expected: T, got: T) -> Result<(), String> {
    if expected == got { Ok(()) } else { Err(format!("{what}: expected {expected:?}, got {got:?}")) }
}
