//! A release, put together from what the suites use, then unpacked and used as somebody would who has nothing else: an
//! empty home, a `PATH` with this one command, no variable.

use crate::component;
use crate::dist::{COMPLETIONS, SUMS, THIRD_PARTY, VERSION, assemble, top};
use crate::engine::{ENGINE_WASM, TRANSFERS_WASM};
use crate::failure::{Because, Failure, Result};
use crate::suites::{Suite, count_of_task};
use crate::terminal::say;
use crate::workspace::{Profile, Workspace, succeed};
use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// The word that asks for this.
pub(super) const PART: &str = "--check";

/// What a check looks at.
struct Place {
    /// The release.
    release: PathBuf,
    /// The same, put together again.
    again: PathBuf,
    /// Where the command was unpacked.
    top: PathBuf,
    /// An empty home, and the folder that commands run in.
    home: PathBuf,
}

/// What is demanded of a place, and what shows it.
pub(super) type Check<P> = (&'static str, fn(&P) -> Result<()>);

const CHECKS: [Check<Place>; 10] = [
    ("sha256sum accepts the sums, and they name every file", sums),
    ("the same binaries make the same bytes", the_same_again),
    ("files have the modes they need and nothing else is there", modes),
    ("the command says its version", version),
    ("the command makes a pointer and knows one", pointers),
    ("every command has a manual page", pages),
    ("every shell completes every command", completions),
    ("the licences name what is inside", licences),
    ("the components import nothing and the WIT folder is whole", contract),
    ("npm's archive is the browser package", browser_package),
];

/// All of it as a suite, for when everything is built.
pub(crate) fn suite() -> Result<Suite> {
    let mut command = Command::new(std::env::current_exe().because("this program cannot be found")?);
    command.args(["dist", PART]);
    Ok(Suite { name: "dist".into(), command, count: count_of_task, is_long: false })
}

/// Puts a release together and tries it. True when all is well.
pub(super) fn check(workspace: &Workspace) -> Result<bool> {
    let ground = workspace.target.join("dist-check");
    if ground.exists() {
        fs::remove_dir_all(&ground).because("what an earlier run left cannot be removed")?;
    }
    let place = Place {
        release: ground.join("release"),
        again: ground.join("again"),
        top: ground.join(top()),
        home: ground.join("home"),
    };
    fs::create_dir_all(&place.home).because("an empty home cannot be made")?;
    assemble(workspace, Profile::Dev, &place.release)?;
    assemble(workspace, Profile::Dev, &place.again)?;
    unpack(&place.release.join(format!("{}.tar.gz", top())), &ground)?;
    Ok(run(&CHECKS, &place))
}

/// Runs checks one after the other, and says how each ended and how many ended well.
pub(super) fn run<P>(checks: &[Check<P>], place: &P) -> bool {
    let mut failed = 0;
    for (name, check) in checks {
        match check(place) {
            Ok(()) => say(&format!("ok      {name}")),
            Err(why) => {
                failed += 1;
                say(&format!("FAILED  {name}: {why}"));
            }
        }
    }
    say(&format!("{} passed, {failed} failed", checks.len() - failed));
    failed == 0
}

/// Unpacks an archive, as a user does it.
pub(super) fn unpack(archive: &Path, into: &Path) -> Result<()> {
    let mut tar = Command::new("tar");
    succeed(tar.arg("-xzf").arg(archive).arg("-C").arg(into), &format!("{} does not unpack", archive.display()))
}

/// Fails with this sentence unless something holds.
pub(super) fn demand(holds: bool, otherwise: impl Into<String>) -> Result<()> {
    if holds { Ok(()) } else { Err(Failure::new(otherwise)) }
}

impl Place {
    /// The installed command, found by its name.
    fn hydrant(&self, arguments: &[&str]) -> Result<Output> {
        let mut env = Command::new("env");
        env.args(["-i", &format!("HOME={}", self.home.display())]);
        env.arg(format!("PATH={}:/usr/bin:/bin", self.top.join("bin").display()));
        env.arg("hydrant").args(arguments).current_dir(&self.home).output().because("env cannot be started")
    }

    /// The commands below some words, as the help of these names them.
    fn commands(&self, words: &[&str]) -> Result<Vec<String>> {
        let help = self.hydrant(&[words, &["--help"]].concat())?;
        let text = String::from_utf8_lossy(&help.stdout).into_owned();
        let listed = text.lines().skip_while(|line| *line != "Commands:").skip(1);
        // A line that goes on with the words of the one before begins further to the right.
        let listed = listed.take_while(|line| !line.is_empty()).filter(|line| !line.starts_with("   "));
        let names = listed.filter_map(|line| line.split_whitespace().next());
        Ok(names.filter(|name| *name != "help").map(str::to_owned).collect())
    }

    /// The same, and those below these.
    fn every_command(&self) -> Result<Vec<Vec<String>>> {
        let mut all = Vec::new();
        for name in self.commands(&[])? {
            let below = self.commands(&[&name])?;
            all.extend(below.into_iter().map(|sub| vec![name.clone(), sub]));
            all.push(vec![name]);
        }
        demand(all.len() > 20, format!("the help names only {} commands", all.len()))?;
        Ok(all)
    }
}

fn sums(place: &Place) -> Result<()> {
    let mut sha256sum = Command::new("sha256sum");
    let said = sha256sum.current_dir(&place.release).args(["--check", "--strict", SUMS]).output();
    let said = said.because("sha256sum cannot be started")?;
    demand(said.status.success(), String::from_utf8_lossy(&said.stderr))?;
    let lines = read(&place.release.join(SUMS))?;
    let named: Vec<String> = lines.lines().filter_map(|line| Some(line.split_once("  ")?.1.to_owned())).collect();
    demand(named.is_sorted(), "the names are not sorted")?;
    let there: BTreeSet<String> = below(&place.release)?.into_iter().filter(|name| name != SUMS).collect();
    demand(there == named.into_iter().collect(), format!("the folder has {there:?}"))
}

fn the_same_again(place: &Place) -> Result<()> {
    demand(read(&place.release.join(SUMS))? == read(&place.again.join(SUMS))?, "the sums differ")
}

fn modes(place: &Place) -> Result<()> {
    use std::os::unix::fs::PermissionsExt;
    for name in below(&place.top)? {
        let mode = fs::metadata(place.top.join(&name)).because(&name)?.permissions().mode() & 0o777;
        let is_program = name.starts_with("bin/");
        // The mask of whoever unpacks may take some away.
        demand((mode & 0o100 != 0) == is_program, format!("{name} has the mode {mode:o}"))?;
        demand(name == "bin/hydrant" || name.starts_with("share/"), format!("{name} belongs nowhere"))?;
    }
    Ok(())
}

fn version(place: &Place) -> Result<()> {
    let said = place.hydrant(&["--version"])?;
    let text = String::from_utf8_lossy(&said.stdout).into_owned();
    demand(said.status.success() && text.trim() == format!("hydrant {VERSION}"), format!("it said {text:?}"))
}

fn pointers(place: &Place) -> Result<()> {
    let file = |name: &str, bytes: &[u8]| fs::write(place.home.join(name), bytes).because("a file cannot be written");
    file("content", &[b'x'; 5000])?;
    let made = place.hydrant(&["pointer", "make", "content"])?;
    demand(made.status.success(), String::from_utf8_lossy(&made.stderr))?;
    file("pointer", &made.stdout)?;
    for (name, code) in [("pointer", 0), ("content", 1)] {
        let said = place.hydrant(&["pointer", "check", name])?;
        demand(said.status.code() == Some(code), format!("`pointer check {name}` ended with {}", said.status))?;
    }
    Ok(())
}

fn pages(place: &Place) -> Result<()> {
    let mut wanted: BTreeSet<String> =
        place.every_command()?.iter().map(|words| format!("hydrant-{}.1", words.join("-"))).collect();
    wanted.insert("hydrant.1".to_owned());
    let folder = place.top.join("share/man/man1");
    let there: BTreeSet<String> = below(&folder)?.into_iter().collect();
    demand(there == wanted, format!("there are {there:?}"))?;
    for name in there {
        let page = read(&folder.join(&name))?;
        let whole = [".TH ", ".SH NAME", ".SH SYNOPSIS", ".SH DESCRIPTION"].iter().all(|part| page.contains(part));
        demand(whole, format!("{name} is not whole"))?;
    }
    Ok(())
}

fn completions(place: &Place) -> Result<()> {
    for (shell, path) in COMPLETIONS {
        let script = read(&place.top.join(path))?;
        let words: BTreeSet<&str> = script.split(|c: char| !c.is_ascii_alphanumeric() && c != '-').collect();
        let unknown = place.every_command()?.into_iter().flatten().find(|word| !words.contains(word.as_str()));
        demand(unknown.is_none(), format!("{shell} does not know {}", unknown.unwrap_or_default()))?;
    }
    Ok(())
}

fn licences(place: &Place) -> Result<()> {
    let terms = read(&place.top.join("share/doc/hydrant").join(THIRD_PARTY))?;
    // Of the host, of the components, of the browser package; the last is only there while something is compiled.
    let inside = ["\nwasmtime ", "\nring ", "\nsha2 ", "\nwasm-bindgen "];
    let absent = inside.iter().find(|name| !terms.contains(**name));
    demand(absent.is_none(), format!("{:?} is not there", absent.copied().unwrap_or_default()))?;
    demand(!terms.contains("\nsyn "), "a crate is named that only a compiler runs")?;
    let texts = ["Apache License", "Permission is hereby granted, free of charge"];
    demand(texts.iter().all(|text| terms.contains(text)), "the best known licences are not there")
}

fn contract(place: &Place) -> Result<()> {
    for name in [ENGINE_WASM, TRANSFERS_WASM] {
        let bytes = fs::read(place.release.join(name)).because(name)?;
        component::demand_no_imports(&bytes)?;
    }
    let name = format!("hydrant-wit-{VERSION}");
    unpack(&place.release.join(format!("{name}.tar.gz")), &place.home)?;
    let mut resolve = wit_parser::Resolve::default();
    resolve.push_dir(place.home.join(name)).because("the WIT files are not WIT").map(drop)
}

fn browser_package(place: &Place) -> Result<()> {
    unpack(&place.release.join(format!("hydrant-npm-{VERSION}.tgz")), &place.home)?;
    let facts: serde_json::Value = serde_json::from_str(&read(&place.home.join("package/package.json"))?)
        .because("the package's description is not JSON")?;
    demand(facts["version"] == VERSION, format!("its version is {}", facts["version"]))?;
    let names = ["index.js", "index.d.ts", "wasm/read_bg.wasm", "wasm/full_bg.wasm", "LICENSE-MIT"];
    let absent = names.iter().find(|name| !place.home.join("package").join(name).is_file());
    demand(absent.is_none(), format!("{} is not there", absent.unwrap_or(&"")))
}

fn read(path: &Path) -> Result<String> {
    fs::read_to_string(path).because(format!("{} cannot be read", path.display()))
}

/// Every file below a folder, by its path from there.
fn below(folder: &Path) -> Result<Vec<String>> {
    let (mut found, mut folders) = (Vec::new(), vec![folder.to_path_buf()]);
    while let Some(next) = folders.pop() {
        for entry in fs::read_dir(&next).because(format!("{} cannot be read", next.display()))? {
            let path = entry.because("a folder cannot be read")?.path();
            if path.is_dir() {
                folders.push(path);
            } else {
                found.push(path.strip_prefix(folder).unwrap_or(&path).display().to_string());
            }
        }
    }
    Ok(found)
}
