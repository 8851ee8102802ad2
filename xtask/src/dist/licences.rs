//! What others wrote and a release contains: each crate with its terms, and every text of a licence once.

use crate::failure::{Because, Failure, Result};
use crate::workspace::{BARE_WASM, COMPONENTS, WEB, Workspace};
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// How names of files begin that hold terms, in capitals.
const BEGINNINGS: [&str; 6] = ["LICENSE", "LICENCE", "COPYING", "NOTICE", "UNLICENSE", "COPYRIGHT"];
/// What the standard library is made of, as its makers say it; from the toolchain's folder.
const STANDARD_LIBRARY: &str = "share/doc/rust/COPYRIGHT-library.html";
/// Between two texts.
const RULE: &str = "------------------------------------------------------------------------";

/// A crate of somebody else's: its name and version.
type Crate = (String, String);

/// What cargo knows of a crate.
struct Facts {
    expression: Option<String>,
    file: Option<PathBuf>,
    folder: PathBuf,
}

/// All terms as one text.
pub(super) fn third_party(workspace: &Workspace) -> Result<String> {
    let facts = facts(workspace)?;
    let mut linked = linked(workspace, "hydrant", None)?;
    for package in COMPONENTS.iter().chain(&WEB) {
        linked.extend(self::linked(workspace, package, Some(BARE_WASM))?);
    }
    let (mut list, mut texts, mut bare) = (String::new(), BTreeMap::<String, Vec<String>>::new(), Vec::new());
    for (name, version) in linked {
        let unknown = || Failure::new(format!("cargo does not say where {name} {version} is"));
        let Some(facts) = facts.get(&(name.clone(), version.clone())).ok_or_else(unknown)? else { continue };
        let files = files(facts)?;
        let terms = facts.expression.as_deref();
        if files.is_empty() && terms.is_none() {
            bare.push(format!("{name} {version}"));
        }
        let note = if files.is_empty() { " (it has no text of its own)" } else { "" };
        list += &format!("{name} {version}: {}{note}\n", terms.unwrap_or("see its text"));
        for (file, text) in files {
            texts.entry(text).or_default().push(format!("{name} {version} {file}"));
        }
    }
    if !bare.is_empty() {
        return Err(Failure::new(format!("these crates say nothing about their licence: {}", bare.join(", "))));
    }
    // In the order of the crates that have them.
    let mut texts: Vec<(Vec<String>, String)> = texts.into_iter().map(|(text, of)| (of, text)).collect();
    texts.sort();
    let mut out = "What others wrote and hydrant contains: the command, the components and the browser package.\n\
                   The standard library of Rust is beside these; COPYRIGHT-library.html is about it.\n\n"
        .to_owned();
    out += &list;
    for (of, text) in texts {
        out += &format!("\n{RULE}\n{}\n{RULE}\n\n{text}\n", of.join("\n"));
    }
    Ok(out)
}

/// What the makers of the standard library say about it.
pub(super) fn standard_library(workspace: &Workspace) -> Result<Vec<u8>> {
    let sysroot = line_of(Command::new("rustc").current_dir(&workspace.root).args(["--print", "sysroot"]))?;
    let path = Path::new(&sysroot).join(STANDARD_LIBRARY);
    fs::read(&path).because(format!("the toolchain has no {STANDARD_LIBRARY}; rustup's has it"))
}

/// The crates that a package is linked with; what only runs while it is compiled is not among them.
fn linked(workspace: &Workspace, package: &str, target: Option<&str>) -> Result<BTreeSet<Crate>> {
    let mut tree = workspace.cargo();
    tree.args(["tree", "--offline", "-p", package, "-e", "normal,no-proc-macro", "--prefix", "none", "-f", "{p}"]);
    if let Some(target) = target {
        tree.args(["--target", target]);
    }
    Ok(said(&mut tree)?.lines().filter_map(named).collect())
}

/// `name v1.2.3 (where it is)`
fn named(line: &str) -> Option<Crate> {
    let mut words = line.split_whitespace();
    Some((words.next()?.to_owned(), words.next()?.strip_prefix('v')?.to_owned()))
}

/// Every crate that this machine or a component needs; None for one of the project's own.
fn facts(workspace: &Workspace) -> Result<BTreeMap<Crate, Option<Facts>>> {
    let own = line_of(Command::new("rustc").current_dir(&workspace.root).args(["--print", "host-tuple"]))?;
    let mut metadata = workspace.cargo();
    metadata.args(["metadata", "--offline", "--format-version", "1"]);
    // Of other systems' crates nothing is here.
    metadata.args(["--filter-platform", &own, "--filter-platform", BARE_WASM]);
    let known: serde_json::Value = serde_json::from_str(&said(&mut metadata)?).because("cargo metadata is not JSON")?;
    let text = |value: &serde_json::Value| value.as_str().map(str::to_owned);
    let each = known["packages"].as_array().into_iter().flatten().filter_map(|package| {
        let folder = Path::new(package["manifest_path"].as_str()?).parent()?.to_path_buf();
        let file = package["license_file"].as_str().map(|file| folder.join(file));
        let facts = Facts { expression: text(&package["license"]), file, folder };
        Some(((text(&package["name"])?, text(&package["version"])?), package["source"].is_string().then_some(facts)))
    });
    Ok(each.collect())
}

/// The names and texts of a crate's terms, also of what it has from others in folders below.
fn files(facts: &Facts) -> Result<BTreeMap<String, String>> {
    let unreadable = "the source of a crate cannot be read";
    let mut paths: BTreeSet<PathBuf> = facts.file.clone().into_iter().collect();
    let mut folders = vec![facts.folder.clone()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).because(unreadable)? {
            let path = entry.because(unreadable)?.path();
            let name = path.file_name().unwrap_or_default().to_string_lossy().to_uppercase();
            if path.is_dir() {
                folders.push(path);
            } else if !name.ends_with(".RS") && BEGINNINGS.iter().any(|beginning| name.starts_with(beginning)) {
                // A source file may be called `license.rs`.
                paths.insert(path);
            }
        }
    }
    let mut texts = BTreeMap::new();
    for path in paths {
        let name = path.strip_prefix(&facts.folder).unwrap_or(&path).display().to_string();
        texts.insert(name, plain(&String::from_utf8_lossy(&fs::read(&path).because(unreadable)?)));
    }
    Ok(texts)
}

/// A text without what editors add: two copies of one licence are the same then.
fn plain(text: &str) -> String {
    let lines: Vec<&str> = text.trim_start_matches('\u{feff}').lines().map(str::trim_end).collect();
    lines.join("\n").trim_matches('\n').to_owned()
}

fn said(command: &mut Command) -> Result<String> {
    let output = command.output().because(format!("{} cannot be started", command.get_program().display()))?;
    if output.status.success() {
        return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
    }
    Err(Failure::new(String::from_utf8_lossy(&output.stderr).trim().to_owned()))
}

fn line_of(command: &mut Command) -> Result<String> {
    said(command).map(|text| text.trim().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_of_cargo_tree_are_read() {
        let of = |name: &str, version: &str| Some((name.to_owned(), version.to_owned()));
        assert_eq!(named("ring v0.17.14"), of("ring", "0.17.14"));
        assert_eq!(named("hydrant v0.1.0 (/somewhere/a b)"), of("hydrant", "0.1.0"));
        assert_eq!(named("libc v0.2.1 (*)"), of("libc", "0.2.1"));
        assert_eq!(named(""), None);
    }

    #[test]
    fn copies_of_one_text_are_the_same() {
        assert_eq!(plain("\u{feff}\r\n  Terms \r\n\r\nMore\r\n\r\n"), plain("\n  Terms\n\nMore"));
    }
}
