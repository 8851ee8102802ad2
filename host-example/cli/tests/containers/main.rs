//! `redact` on archives, compressed files and databases that other programs made.
//! needs: python3, zip, zstd

mod archives;
mod copies;
mod databases;
mod memory;

use std::path::Path;

use hydrant_kit::scene::{Ran, Scene};

/// A token in GitHub's form that GitHub never gave to anybody. It is put together so that it does not stand here.
fn token() -> String {
    ["ghp", "_", "x8Kq2LmZ", "4vTn9RbW", "6yHc1PdF", "3sJg5UeA", "7oXi"].concat()
}

/// The text of a member, with the token in its second line.
fn text() -> String {
    format!("a first line\nthe token is {}\n", token())
}

/// Runs a script in a folder of the scene: of the shell, with Python's tools at hand.
#[track_caller]
fn sh(scene: &Scene, folder: &Path, script: &str) {
    let mut command = scene.program("sh", folder);
    let ran = command.args(["-euc", script]).env("TOKEN", token()).output().expect("a shell");
    assert!(ran.status.success(), "{script}\n{}", String::from_utf8_lossy(&ran.stderr));
}

/// Runs a script of Python.
#[track_caller]
fn python(scene: &Scene, folder: &Path, script: &str) {
    let mut command = scene.program("python3", folder);
    let ran = command.args(["-c", script]).env("TOKEN", token()).output().expect("python3");
    assert!(ran.status.success(), "{script}\n{}", String::from_utf8_lossy(&ran.stderr));
}

/// Looks through one file.
fn redact(scene: &Scene, folder: &Path, file: &str) -> Ran {
    let ran = scene.hydrant(folder, &["redact", "--check", file]);
    assert!(!ran.out.contains(&token()[4..]) && !ran.err.contains(&token()[4..]), "{file}: a secret is printed");
    ran
}
