//! `cargo xtask rooms`: which part of the core and of the host uses which. The order of the rooms stands in the
//! documentation of each package's `lib.rs`, as a list; the imports of its files are held against that list.
//!
//! A room is a module at the top of a package. Three things are wrong: a room that uses one after it in the list, files
//! that use each other in a circle, and a package that uses one it may not.

use crate::failure::{Because, Failure, Result};
use crate::terminal::say;
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

/// The packages with rooms, and the packages of the project that each may use.
const PACKAGES: [(&str, &[&str]); 4] = [
    ("core/lfs", &[]),
    ("core/ledger", &["hydrant_lfs"]),
    ("core/secrets", &[]),
    ("host-example/host", &["hydrant_secrets"]),
];
/// How the list of `lib.rs` begins each line.
const ENTRY: &str = "//! - ";

/// One package: its rooms in their order, and who uses whom.
struct Package {
    folder: &'static str,
    rooms: Vec<String>,
    /// For each file, the files it uses; a file is named by its path of modules.
    files: BTreeMap<String, BTreeSet<String>>,
    /// Packages of the project that it names.
    packages: BTreeSet<String>,
}

/// Prints the graph of every package. True when nothing is wrong.
pub(crate) fn rooms(root: &Path) -> Result<bool> {
    let mut is_well = true;
    for (folder, may_use) in PACKAGES {
        let package = Package::read(root, folder)?;
        let arrows = package.arrows();
        say(&format!(
            "{folder}: {} rooms, {} arrows, {} files",
            package.rooms.len(),
            arrows.len(),
            package.files.len()
        ));
        for room in &package.rooms {
            let uses: Vec<&str> = arrows.iter().filter(|(from, _)| from == room).map(|(_, to)| to.as_str()).collect();
            let files = package.files.keys().filter(|file| room_of(file) == room).count();
            say(&format!("  {room} ({files}) -> {}", if uses.is_empty() { "-".to_owned() } else { uses.join(", ") }));
        }
        for wrong in package.wrongs(may_use) {
            is_well = false;
            say(&format!("  WRONG: {wrong}"));
        }
    }
    Ok(is_well)
}

impl Package {
    fn read(root: &Path, folder: &'static str) -> Result<Self> {
        let source = root.join(folder).join("src");
        let library = fs::read_to_string(source.join("lib.rs")).because("a package has no lib.rs")?;
        let mut package =
            Package { folder, rooms: listed(&library), files: BTreeMap::new(), packages: BTreeSet::new() };
        if package.rooms.is_empty() {
            return Err(Failure::new(format!("{folder}/src/lib.rs lists no rooms")));
        }
        let mut texts = BTreeMap::new();
        read_all(&source, &source, &mut texts)?;
        let names: BTreeSet<String> = texts.keys().cloned().collect();
        for (name, text) in &texts {
            let code = without_tests(text);
            let mut uses = BTreeSet::new();
            for path in imports(&code, name) {
                match path.split_first() {
                    Some((first, rest)) if first == "crate" => uses.extend(file_of(rest, &names)),
                    Some((first, _)) if first.starts_with("hydrant_") => drop(package.packages.insert(first.clone())),
                    _ => {}
                }
            }
            uses.remove(name);
            package.files.insert(name.clone(), uses);
        }
        Ok(package)
    }

    /// Which room uses which.
    fn arrows(&self) -> BTreeSet<(String, String)> {
        let all = self.files.iter().flat_map(|(from, uses)| uses.iter().map(move |to| (room_of(from), room_of(to))));
        all.filter(|(from, to)| from != to).map(|(from, to)| (from.to_owned(), to.to_owned())).collect()
    }

    fn wrongs(&self, may_use: &[&str]) -> Vec<String> {
        let mut wrongs = Vec::new();
        let place = |room: &str| self.rooms.iter().position(|other| other == room);
        for room in self.files.keys().map(|file| room_of(file)).collect::<BTreeSet<_>>() {
            if place(room).is_none() {
                wrongs.push(format!("{}/src/lib.rs does not list {room}", self.folder));
            }
        }
        for (from, to) in self.arrows() {
            if place(&from) < place(&to) {
                wrongs.push(format!("{from} uses {to}, which comes after it"));
            }
        }
        if let Some(circle) = self.circle() {
            wrongs.push(format!("files in a circle: {}", circle.join(" -> ")));
        }
        let foreign = self.packages.iter().filter(|name| !may_use.contains(&name.as_str()));
        wrongs.extend(foreign.map(|name| format!("{} uses {name}", self.folder)));
        wrongs
    }

    /// Files that use each other, if any do.
    fn circle(&self) -> Option<Vec<String>> {
        let mut left = self.files.clone();
        loop {
            let free = left.iter().find(|(_, uses)| !uses.iter().any(|file| left.contains_key(file)));
            match free.map(|(name, _)| name.clone()) {
                Some(name) => drop(left.remove(&name)),
                None => break,
            }
        }
        let mut walk = vec![left.keys().next()?.clone()];
        loop {
            let next = left[walk.last()?].iter().find(|file| left.contains_key(*file))?;
            if let Some(at) = walk.iter().position(|file| file == next) {
                walk.push(next.clone());
                return Some(walk.split_off(at));
            }
            walk.push(next.clone());
        }
    }
}

/// The rooms that a `lib.rs` lists, in order: the names in brackets before the colon of each entry.
fn listed(library: &str) -> Vec<String> {
    let entries = library.lines().filter_map(|line| line.strip_prefix(ENTRY));
    let names = entries.flat_map(|entry| {
        let names = entry.split(':').next().unwrap_or_default();
        let names = names.replace("mod@", "");
        let named = |rest: &str| rest.split_once('`').map(|(name, _)| name.to_lowercase());
        names.split("[`").skip(1).filter_map(named).collect::<Vec<_>>()
    });
    names.collect()
}

/// Every file beneath a folder by its path of modules: `operations/upload/mod.rs` is `operations::upload`.
fn read_all(source: &Path, folder: &Path, texts: &mut BTreeMap<String, String>) -> Result<()> {
    let entries = fs::read_dir(folder).because("a folder of the core cannot be read")?;
    let mut paths: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).collect();
    paths.sort();
    for path in paths {
        if path.is_dir() {
            read_all(source, &path, texts)?;
            continue;
        }
        let relative = path.strip_prefix(source).unwrap_or(&path).with_extension("");
        let parts: Vec<String> = relative.iter().map(|part| part.to_string_lossy().into_owned()).collect();
        let name = parts.join("::");
        let name = name.strip_suffix("::mod").unwrap_or(&name).to_owned();
        let is_test = name.split("::").any(|part| part.ends_with("tests"));
        if name != "lib" && !is_test {
            texts.insert(name, fs::read_to_string(&path).because("a file of the core cannot be read")?);
        }
    }
    Ok(())
}

fn without_tests(text: &str) -> String {
    let code = text.split("\n#[cfg(test)]\nmod tests {").next().unwrap_or_default();
    let lines = code.lines().filter(|line| !line.trim_start().starts_with("//"));
    lines.map(|line| line.to_owned() + "\n").collect()
}

/// Every path that a file uses, as written from the root of its package. What a module hands on of its own children is
/// no use of them.
fn imports(code: &str, name: &str) -> Vec<Vec<String>> {
    let mut found = Vec::new();
    for statement in code.split(';') {
        let Some(at) = statement.find("use ") else { continue };
        let (before, tree) = (statement[..at].trim_end(), statement[at + 4..].trim());
        let begins = before.is_empty() || before.ends_with(['\n', '}', ')', ']', '{']) || before.ends_with("pub");
        if !begins {
            continue;
        }
        let hands_on = before.ends_with("pub") || before.ends_with("pub(crate)") || before.ends_with("pub(super)");
        for path in flattened(tree) {
            let absolute = absolute(path, name);
            let own_child = absolute.first().is_some_and(|first| first == "crate")
                && absolute.get(1..).is_some_and(|rest| rest.join("::").starts_with(&format!("{name}::")));
            if !(hands_on && own_child) {
                found.push(absolute);
            }
        }
    }
    // Paths in the code itself.
    for (marker, is_crate) in [("crate::", true), ("hydrant_", false)] {
        for (at, _) in code.match_indices(marker) {
            if code[..at].ends_with(|c: char| c.is_alphanumeric() || c == '_' || c == ':') {
                continue;
            }
            let tail: String =
                code[at..].chars().take_while(|c| c.is_alphanumeric() || *c == '_' || *c == ':').collect();
            let path: Vec<String> = tail.split("::").filter(|part| !part.is_empty()).map(str::to_owned).collect();
            if is_crate || path.len() > 1 {
                found.push(path);
            }
        }
    }
    found
}

/// `a::{b, c::d}` as `a::b` and `a::c::d`.
fn flattened(tree: &str) -> Vec<Vec<String>> {
    let tree = tree.trim();
    let Some(open) = tree.find('{') else {
        let path = tree.split(" as ").next().unwrap_or_default();
        return vec![path.split("::").map(|part| part.trim().to_owned()).filter(|part| !part.is_empty()).collect()];
    };
    let prefix: Vec<String> =
        tree[..open].split("::").map(|part| part.trim().to_owned()).filter(|part| !part.is_empty()).collect();
    let inner = tree[open + 1..].trim_end().trim_end_matches('}');
    let (mut depth, mut parts, mut part) = (0, Vec::new(), String::new());
    for c in inner.chars() {
        match c {
            '{' => depth += 1,
            '}' => depth -= 1,
            _ => {}
        }
        if c == ',' && depth == 0 {
            parts.push(std::mem::take(&mut part));
        } else {
            part.push(c);
        }
    }
    parts.push(part);
    let parts = parts.iter().filter(|part| !part.trim().is_empty());
    parts.flat_map(|part| flattened(part)).map(|rest| [prefix.clone(), rest].concat()).collect()
}

/// A path from the root of its package; a name that is neither is taken for a child of the module itself.
fn absolute(path: Vec<String>, name: &str) -> Vec<String> {
    let own: Vec<String> = name.split("::").map(str::to_owned).collect();
    let root = || vec!["crate".to_owned()];
    match path.first().map(String::as_str) {
        Some("crate") => path,
        Some("super") => [root(), own[..own.len() - 1].to_vec(), path[1..].to_vec()].concat(),
        Some("self") => [root(), own, path[1..].to_vec()].concat(),
        Some("core" | "alloc" | "std") | None => path,
        Some(first) if first.starts_with("hydrant_") || first.starts_with("sha") => path,
        Some(_) => [root(), own, path].concat(),
    }
}

/// The file that holds what a path names: the longest beginning of it that is one.
fn file_of(path: &[String], names: &BTreeSet<String>) -> Option<String> {
    (1..=path.len()).rev().map(|length| path[..length].join("::")).find(|name| names.contains(name))
}

fn room_of(file: &str) -> &str {
    file.split("::").next().unwrap_or(file)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rooms_of_the_core_stand_in_their_order() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
        for (folder, may_use) in PACKAGES {
            let package = Package::read(&root, folder).expect("the core is there");
            assert_eq!(package.wrongs(may_use), Vec::<String>::new(), "{folder}");
            assert!(package.files.len() > 15 && package.arrows().len() > 5, "{folder}: the reader saw the imports");
        }
    }

    #[test]
    fn wrong_arrows_and_circles_are_seen() {
        let package = |files: &[(&str, &[&str])]| {
            let uses = |uses: &[&str]| uses.iter().map(|file| (*file).to_owned()).collect();
            let files = files.iter().map(|(file, used)| ((*file).to_owned(), uses(used)));
            let rooms = vec!["a".to_owned(), "b".to_owned()];
            Package { folder: "x", rooms, files: files.collect(), packages: ["hydrant_y".to_owned()].into() }
        };
        assert_eq!(package(&[("a", &[]), ("b", &["a"])]).wrongs(&["hydrant_y"]), Vec::<String>::new());
        let wrong = package(&[("a::one", &["b"]), ("b", &[]), ("c", &[])]).wrongs(&[]);
        assert_eq!(wrong.len(), 3, "{wrong:?}");
        let circle = package(&[("b::one", &["b::two"]), ("b::two", &["b::one"])]).wrongs(&["hydrant_y"]);
        assert_eq!(circle, ["files in a circle: b::one -> b::two -> b::one"]);
    }

    #[test]
    fn imports_are_read_as_they_are_written() {
        let code = "use super::Machine;\nuse crate::text::{error::Error, oid};\npub use own::Thing;\nuse own::Other;\n\
                    fn f() -> crate::order::X { hydrant_lfs::Blob }\n";
        let found: BTreeSet<String> = imports(code, "operations::batch").iter().map(|path| path.join("::")).collect();
        let expected = [
            "crate::operations::Machine",
            "crate::operations::batch::own::Other",
            "crate::order::X",
            "crate::text::error::Error",
            "crate::text::oid",
            "hydrant_lfs::Blob",
        ];
        let missing: Vec<&str> = expected.into_iter().filter(|path| !found.contains(*path)).collect();
        assert!(missing.is_empty(), "{missing:?} of {found:?}");
        assert!(!found.contains("crate::operations::batch::own::Thing"));
        assert_eq!(listed("//! - [`text`]: a\n//! - [`One`], [`two`]: b\n//! other\n"), ["text", "one", "two"]);
    }
}
