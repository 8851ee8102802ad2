//! The search has a name that changes with every change of it.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};

use sha2::{Digest as _, Sha256};

fn sources(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).expect("a folder of sources") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            sources(&path, found);
        } else if path.extension().is_some_and(|end| end == "rs") {
            found.push(path);
        }
    }
}

#[test]
fn the_catalog_is_named_by_its_sources() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut found = Vec::new();
    sources(&root, &mut found);
    found.sort();
    let mut digest = Sha256::new();
    for path in &found {
        let name = path.strip_prefix(&root).expect("beneath it").to_str().expect("text");
        digest.update(name.replace('\\', "/"));
        digest.update([0]);
        digest.update(fs::read_to_string(path).expect("text").replace("\r\n", "\n"));
        digest.update([0]);
    }
    let name: String = digest.finalize().iter().map(|byte| format!("{byte:02x}")).collect();
    if env::var_os("UPDATE_EXPECT").is_some() {
        fs::write(root.with_file_name("catalog.txt"), &name).expect("it can be written");
        return;
    }
    assert_eq!(hydrant_secrets::CATALOG, name, "the search changed: run this test once with UPDATE_EXPECT=1");
}
