//! `cargo xtask dist`: everything that a release has, in `target/dist`, with a `SHA256SUMS` over it. The same binaries
//! make the same bytes.
//!
//! `test` puts together the same from what the suites use anyway, elsewhere, and installs from it: [`check`].

mod bare_root;
mod check;
mod licences;
mod tar;

use crate::engine::{self, ENGINE_WASM, TRANSFERS_WASM};
use crate::failure::{Because, Failure, Result};
use crate::setup::{self, Tool};
use crate::terminal::{say, table};
use crate::web;
use crate::workspace::{Profile, Workspace, succeed, write_if_changed};
use sha2::{Digest, Sha256};
use std::collections::BTreeSet;
use std::env::consts::{ARCH, OS};
use std::fmt::Write;
use std::fs;
use std::path::Path;
use std::process::Command;
use tar::Archive;

pub(crate) use bare_root::install;
pub(crate) use check::suite;

/// Of every package here.
const VERSION: &str = env!("CARGO_PKG_VERSION");
/// What says which bytes the other files have.
const SUMS: &str = "SHA256SUMS";
/// The file with other people's terms.
const THIRD_PARTY: &str = "THIRD-PARTY-LICENSES";
/// Texts of the project that come with the command.
const TEXTS: [&str; 5] = ["README.md", "CHANGELOG.md", "LICENSE", "LICENSE-APACHE", "LICENSE-MIT"];
/// Shells, and where each looks for what completes a command.
const COMPLETIONS: [(&str, &str); 3] = [
    ("bash", "share/bash-completion/completions/hydrant"),
    ("zsh", "share/zsh/site-functions/_hydrant"),
    ("fish", "share/fish/vendor_completions.d/hydrant.fish"),
];

/// Makes a release; or, in the words of other tasks, tries one. None when the words are not understood.
pub(crate) fn dist(workspace: &Workspace, arguments: &[String]) -> Result<Option<bool>> {
    match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        [] => release(workspace).map(|()| Some(true)),
        [check::PART] => check::check(workspace).map(Some),
        [bare_root::PART, root] => bare_root::within(Path::new(root)).map(Some),
        _ => Ok(None),
    }
}

/// Builds everything and puts it together.
fn release(workspace: &Workspace) -> Result<()> {
    setup::prepare(workspace, &[Tool::Git, Tool::Node, Tool::Npm])?;
    engine::build(workspace, Profile::Release)?;
    web::build(workspace)?;
    let folder = workspace.dist();
    let mut rows = vec![["file", "bytes"].map(String::from).to_vec()];
    for name in assemble(workspace, Profile::Release, &folder)? {
        let bytes = fs::metadata(folder.join(&name)).because("what was made is gone")?.len();
        rows.push(vec![name, bytes.to_string()]);
    }
    table(&rows);
    say(&folder.display().to_string());
    Ok(())
}

/// Puts a release together in a folder, from what is built; the names of its files, without that of the sums.
fn assemble(workspace: &Workspace, profile: Profile, into: &Path) -> Result<Vec<String>> {
    fs::create_dir_all(into).because("the folder of the release cannot be made")?;
    // Nobody looks at the compressed size of what is only tried.
    let level = if profile == Profile::Release { 9 } else { 1 };
    let mut names = Vec::new();
    let mut add = |name: String| {
        names.push(name.clone());
        into.join(name)
    };
    let terms = licences::third_party(workspace)?;
    let top = top();
    command(workspace, profile, &terms)?.write(&add(format!("{top}.tar.gz")), level)?;
    let wit = format!("hydrant-wit-{VERSION}");
    let mut contract = Archive::new(wit.clone());
    contract.add_from_disk("", &workspace.root.join("wit"))?;
    contract.write(&add(format!("{wit}.tar.gz")), level)?;
    for name in [ENGINE_WASM, TRANSFERS_WASM] {
        let bytes = fs::read(workspace.dist().join(name)).because(format!("{name} is not built"))?;
        // It may be the very file.
        write_if_changed(&add(name.to_owned()), &bytes)?;
    }
    pack_browser_package(workspace, &add(format!("hydrant-npm-{VERSION}.tgz")))?;
    fs::write(add(THIRD_PARTY.to_owned()), terms).because("the licences cannot be written")?;
    names.sort();
    remove_others(into, &names)?;
    fs::write(into.join(SUMS), sums(into, &names)?).because("the sums cannot be written")?;
    Ok(names)
}

/// The folder that the command is unpacked to.
fn top() -> String {
    format!("hydrant-{VERSION}-{ARCH}-{OS}")
}

/// The command with all that belongs to it, as `/usr/local` wants it.
fn command(workspace: &Workspace, profile: Profile, terms: &str) -> Result<Archive> {
    let program = workspace.program("hydrant", profile);
    if !program.is_file() {
        return Err(Failure::new(format!("{} is not built", program.display())));
    }
    let mut archive = Archive::new(top());
    let work = workspace.target.join("dist-work");
    if work.exists() {
        fs::remove_dir_all(&work).because("what an earlier run left cannot be removed")?;
    }
    fs::create_dir_all(&work).because("a folder to work in cannot be made")?;
    let bare = work.join("hydrant");
    succeed(Command::new("strip").arg("-o").arg(&bare).arg(&program), "the command cannot be stripped")?;
    archive.add_program("bin/hydrant", fs::read(&bare).because("the stripped command cannot be read")?);
    let pages = work.join("man1");
    succeed(Command::new(&program).args(["man", "--into"]).arg(&pages), "the manual pages cannot be made")?;
    archive.add_from_disk("share/man/man1", &pages)?;
    for (shell, path) in COMPLETIONS {
        let made = Command::new(&program).args(["completions", shell]).output();
        let made = made.because("the command cannot be started")?;
        if !made.status.success() {
            return Err(Failure::new(format!("the command has no completions for {shell}")));
        }
        archive.add(path, made.stdout);
    }
    let doc = |name: &str| format!("share/doc/hydrant/{name}");
    for text in TEXTS {
        archive.add_from_disk(&doc(text), &workspace.root.join(text))?;
    }
    archive.add(doc(THIRD_PARTY), terms);
    archive.add(doc("COPYRIGHT-library.html"), licences::standard_library(workspace)?);
    Ok(archive)
}

/// What `npm install` takes, from the browser package as it is built.
fn pack_browser_package(workspace: &Workspace, to: &Path) -> Result<()> {
    let into = to.parent().unwrap_or(to);
    let mut npm = Command::new("npm");
    npm.args(["pack", "--silent", "--no-update-notifier", "--pack-destination"]).arg(into);
    let packed = npm.arg(workspace.dist().join("web")).output().because("npm cannot be started")?;
    let said = String::from_utf8_lossy(&packed.stdout);
    let name = said.lines().last().filter(|_| packed.status.success());
    let name = name.ok_or_else(|| Failure::new(String::from_utf8_lossy(&packed.stderr).trim().to_owned()))?;
    fs::rename(into.join(name), to).because("npm's archive cannot be renamed")
}

/// Removes files of an earlier release that this one does not have: they would be taken for part of it.
fn remove_others(folder: &Path, names: &[String]) -> Result<()> {
    let Ok(earlier) = fs::read_to_string(folder.join(SUMS)) else { return Ok(()) };
    let kept: BTreeSet<&str> = names.iter().map(String::as_str).collect();
    for name in earlier.lines().filter_map(|line| Some(line.split_once("  ")?.1)).filter(|name| !kept.contains(name)) {
        match fs::remove_file(folder.join(name)) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                return Err(error).because(format!("{name} of an earlier release cannot be removed"));
            }
            _ => {}
        }
    }
    Ok(())
}

/// As `sha256sum -c` reads it.
fn sums(folder: &Path, names: &[String]) -> Result<String> {
    let mut text = String::new();
    for name in names {
        let bytes = fs::read(folder.join(name)).because(format!("{name} cannot be read"))?;
        for byte in Sha256::digest(bytes) {
            // Writing to a text cannot fail.
            let _written = write!(text, "{byte:02x}").is_ok();
        }
        text += &format!("  {name}\n");
    }
    Ok(text)
}
