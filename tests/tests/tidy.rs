//! The project's rules as tests: what the laws forbid in the source, and which lists must agree. They read files and
//! need nothing built; each failure names the place and the rule.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Lines of a source file; a longer one holds more than one idea.
const SOURCE_LINES_MAX: usize = 600;
/// Columns of a line of Rust.
const LINE_COLUMNS_MAX: usize = 120;

/// The packages of the core, and all that each may depend on.
const CORE: [(&str, &[&str]); 3] = [
    ("core/lfs", &["sha2"]),
    ("core/ledger", &["hydrant-lfs", "sha1"]),
    ("core/secrets", &["aho-corasick", "memchr", "regex-automata"]),
];
/// What makes the compiler prove law 1: without the standard library there is no clock, no file, no socket, no thread,
/// no environment and no map whose order differs from run to run.
const NO_STD: &str = "#![cfg_attr(not(test), no_std)]";
/// What the host's code says when it asks the system for more than the standard library has for every system.
const SYSTEM_NAMES: [&str; 4] = ["rustix", "libc::", "std::os", "cfg(unix)"];
/// Where it may.
const SYSTEM_HOMES: [&str; 2] = ["host-example/host/src/files/", "host-example/server/src/platform.rs"];
/// Names that say nothing about what a file is for.
const EMPTY_NAMES: [&str; 9] = ["util", "utils", "common", "types", "helper", "helpers", "manager", "misc", "prelude"];

#[test]
fn the_core_does_without_the_standard_library() {
    let mut found = Vec::new();
    for (package, _) in CORE {
        let text = read(&format!("{package}/src/lib.rs"));
        if !text.lines().any(|line| line == NO_STD) {
            found.push(format!("{package}/src/lib.rs has no {NO_STD}"));
        }
        for (path, text) in sources(package) {
            let lines = code_lines(&text).filter(|(_, line)| line.contains("extern crate std"));
            found.extend(lines.map(|(number, _)| format!("{}:{number}", path.display())));
        }
    }
    nothing(&found, "law 1: the core does no I/O, and its order is the same on every run");
}

#[test]
fn the_core_depends_on_little() {
    for (package, allowed) in CORE {
        let manifest = read(&format!("{package}/Cargo.toml"));
        assert_eq!(keys_of(&manifest, "[dependencies]"), *allowed, "law 1: nothing else enters {package}");
        assert!(!manifest.contains("build-dependencies"), "{package} has no build script");
        assert!(!root().join(package).join("build.rs").exists(), "{package} has no build script");
    }
}

#[test]
fn the_host_is_written_as_an_outsider_would() {
    let mut found = Vec::new();
    for package in ["host", "server", "cli"] {
        let path = format!("host-example/{package}/Cargo.toml");
        let manifest = read(&path);
        let core = ["hydrant-lfs", "hydrant-ledger"].iter().filter(|name| manifest.contains(**name));
        found.extend(core.map(|name| format!("{path}: {name}")));
    }
    for (path, text) in sources("host-example") {
        let lines =
            code_lines(&text).filter(|(_, line)| line.contains("hydrant_lfs::") || line.contains("hydrant_ledger::"));
        found.extend(lines.map(|(number, _)| format!("{}:{number}", path.display())));
    }
    nothing(&found, "the host knows the component and the contract, never the core");
}

/// What differs from system to system has one home, and a file that starts processes speaks to the system itself.
#[test]
fn the_host_asks_the_system_in_one_place() {
    let asks = |text: &str| {
        let own = text.split("#[cfg(test)]\nmod tests {").next().unwrap_or_default();
        let asks = code_lines(own).any(|(_, line)| SYSTEM_NAMES.iter().any(|name| line.contains(name)));
        asks && !own.contains("process::Command")
    };
    let is_test =
        |path: &Path| path.iter().any(|part| part.to_string_lossy().trim_end_matches(".rs").ends_with("tests"));
    let is_home = |path: &Path| SYSTEM_HOMES.iter().any(|home| path.starts_with(home));
    let elsewhere: Vec<String> = ["host", "server", "cli"]
        .iter()
        .flat_map(|package| sources(&format!("host-example/{package}/src")))
        .filter(|(path, text)| !is_home(path) && !is_test(path) && asks(text))
        .map(|(path, _)| path.display().to_string())
        .collect();
    nothing(&elsewhere, &format!("only {} ask the system: use what they offer", SYSTEM_HOMES.join(" and ")));
}

#[test]
fn every_source_file_is_short_and_says_what_it_is_for() {
    let mut found = Vec::new();
    for (path, text) in tracked_texts(&["rs", "ts", "js", "mjs", "py"]) {
        let lines = text.lines().count();
        if lines > SOURCE_LINES_MAX {
            found.push(format!("{}: {lines} lines", path.display()));
        }
        let stem = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        if EMPTY_NAMES.contains(&stem.as_str()) {
            found.push(format!("{}: the name says nothing", path.display()));
        }
        if path.extension().is_some_and(|extension| extension == "rs") && !text.starts_with("//!") {
            found.push(format!("{}: does not begin with `//!`", path.display()));
        }
        let wide = text.lines().enumerate().filter(|(_, line)| line.chars().count() > LINE_COLUMNS_MAX);
        found.extend(
            wide.map(|(index, _)| format!("{}:{}: over {LINE_COLUMNS_MAX} columns", path.display(), index + 1)),
        );
    }
    nothing(&found, "one idea a file");
}

#[test]
fn nothing_is_left_open_in_the_code() {
    // Written in pieces, so that this file does not find itself.
    let holes = [concat!("to", "do!("), concat!("unimple", "mented!("), concat!("#[ig", "nore"), concat!("db", "g!(")];
    let mut found = Vec::new();
    for (path, text) in tracked_texts(&["rs"]) {
        for (index, line) in text.lines().enumerate() {
            let hole = holes.iter().find(|hole| line.contains(*hole));
            found.extend(hole.map(|hole| format!("{}:{}: {hole}", path.display(), index + 1)));
        }
    }
    nothing(&found, "what stands in the tree is finished");
}

#[test]
fn no_file_names_a_place_of_one_machine() {
    let mut found = Vec::new();
    for path in tracked() {
        if path.file_name().is_some_and(|name| name == "Cargo.lock") {
            continue;
        }
        let text = String::from_utf8_lossy(&std::fs::read(root().join(&path)).unwrap_or_default()).into_owned();
        for (index, line) in text.lines().enumerate() {
            if names_a_machine_path(line) {
                found.push(format!("{}:{}", path.display(), index + 1));
            }
        }
    }
    nothing(&found, "the tree works wherever it is checked out");
}

#[test]
fn codes_are_the_same_in_the_core_the_contract_and_the_documentation() {
    let core: Vec<String> = read("core/lfs/src/text/error.rs").lines().filter_map(code_arm).collect();
    assert!(core.len() > 5, "the names of Code::name() were not found in core/lfs/src/text/error.rs");
    assert_eq!(wit_enum("code"), core, "wit/types.wit and core/lfs/src/text/error.rs name different codes");
    let document = read("docs/limits.md");
    let section = section(&document, "Error codes").expect("docs/limits.md has a section `Error codes`");
    let explained: Vec<String> = section.lines().filter_map(first_cell_in_backticks).collect();
    assert_eq!(explained, core, "docs/limits.md explains each code once, in the order of the contract");
}

#[test]
fn every_limit_of_the_core_is_explained() {
    let explained = read("docs/limits.md") + &read("ARCHITECTURE.md");
    let limits =
        read("core/lfs/src/text/limits.rs") + &read("core/ledger/src/limits.rs") + &read("core/secrets/src/limits.rs");
    let names = limits.lines().filter_map(|line| line.strip_prefix("pub const ")?.split(':').next());
    let silent: Vec<String> = names.filter(|name| !explained.contains(name)).map(str::to_owned).collect();
    nothing(&silent, "law 9: docs/limits.md or ARCHITECTURE.md names every limit of the core");
}

#[test]
fn every_item_of_the_contract_is_documented() {
    let mut found = Vec::new();
    for (path, text) in tracked_texts(&["wit"]) {
        let bare = undocumented(&text);
        found.extend(bare.into_iter().map(|(number, line)| format!("{}:{number}: {line}", path.display())));
    }
    nothing(&found, "every item and field of the WIT files has a `///`");
}

/// A name of the contract that a language uses for something else makes generated code hide it.
#[test]
fn no_name_of_the_contract_hides_one_of_a_language() {
    // Types of JavaScript, TypeScript and the DOM; of Rust's prelude; and of the library that hosts embed.
    const TAKEN: &str = "AbortSignal Array BigInt Blob Body Boolean Buffer Cache Client Comment Component Crypto Date \
        Document Element Engine Error Event Exclude Extract File Function Headers History Image Infinity Instance \
        Iterator Linker Location Lock Map Math Module Navigator Node Number Object Omit Option Partial Pick Promise \
        Proxy Range Readonly Record Reflect RegExp Request Required Response Result Selection Set Storage Store String \
        Symbol Text Type URL Vec WeakMap Window Worker Box Some None Ok Err";
    let taken: BTreeSet<&str> = TAKEN.split_whitespace().collect();
    let mut found = Vec::new();
    for (path, text) in tracked_texts(&["wit"]) {
        for (number, line) in code_lines(&text) {
            let mut words = line.trim().split([' ', '{', ';', '=']);
            let (Some(kind), Some(name)) = (words.next(), words.next()) else { continue };
            let defines = ["record", "variant", "enum", "resource", "flags", "type", "world"].contains(&kind);
            let camel: String = name.split('-').map(capitalised).collect();
            if defines && taken.contains(camel.as_str()) {
                found.push(format!("{}:{number}: {name}", path.display()));
            }
        }
    }
    nothing(&found, "give it a word more: lfs-blob, http-request");
}

#[test]
fn the_papers_are_there() {
    let papers =
        ["README.md", "ARCHITECTURE.md", "CHANGELOG.md", "LICENSE", "LICENSE-MIT", "LICENSE-APACHE", "Cargo.lock"];
    let absent = papers.into_iter().filter(|name| read(name).trim().is_empty()).map(str::to_owned);
    nothing(&absent.collect::<Vec<_>>(), "a clone holds what a reader looks for");
    assert!(read(".ci/run").contains("cargo xtask test"), ".ci/run runs the README's test command");
    assert!(read("README.md").contains("cargo xtask test"), "README.md names the test command");
}

#[test]
fn lock_files_of_npm_hold_no_address() {
    let mut found = Vec::new();
    for (path, text) in tracked_texts(&["json"]) {
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        if ["package-lock.json", "npm-shrinkwrap.json"].contains(&name.as_str()) && text.contains("\"resolved\"") {
            found.push(path.display().to_string());
        }
    }
    nothing(&found, "a lock file fixes versions and digests; where to fetch is the user's setting");
}

#[test]
fn every_planted_bug_names_its_law_and_its_test() {
    let mut seen = BTreeSet::new();
    let mut found = Vec::new();
    for (path, text) in tracked_texts(&["patch"]) {
        let header: Vec<&str> = text.lines().take_while(|line| line.starts_with('#')).collect();
        for key in ["# law: ", "# test: "] {
            if !header.iter().any(|line| line.starts_with(key)) {
                found.push(format!("{}: no `{key}`", path.display()));
            }
        }
        if !seen.insert(path.file_stem().map(ToOwned::to_owned)) {
            found.push(format!("{}: a second bug of that name", path.display()));
        }
    }
    nothing(&found, "a planted bug names the law it breaks and the test that sees it");
}

/// A patch that fits no longer attacks nothing.
#[test]
fn every_planted_bug_fits_the_code_of_today() {
    let fits = |path: &Path| {
        let mut git = Command::new("git");
        git.current_dir(root()).args(["apply", "--check"]).arg(path);
        git.output().expect("git is installed").status.success()
    };
    let unfit = tracked_texts(&["patch"]).into_iter().filter(|(path, _)| !fits(path));
    let found: Vec<String> = unfit.map(|(path, _)| path.display().to_string()).collect();
    nothing(&found, "a planted bug is a patch of the code as it is");
}

#[test]
fn the_readers_of_this_file_see_what_they_should() {
    assert!(names_a_machine_path(&format!("see {}", concat!("/ro", "ot/x"))));
    assert!(!names_a_machine_path(concat!("src", "/ro", "ot/x")));
    let wit = "/// A.\ninterface a {\n  use b.{c};\n  record r {\n    /// F.\n    f: u8,\n    g: u8,\n  }\n}\n";
    assert_eq!(undocumented(wit).iter().map(|(number, _)| *number).collect::<Vec<_>>(), [4, 7]);
    assert_eq!(code_arm("            Code::NotFound => \"not-found\","), Some("not-found".to_owned()));
    assert_eq!(section("# A\n## B\nx\n### C\ny\n## D\n", "B"), Some("x\n### C\ny\n".to_owned()));
}

// ---- Reading the tree ----

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("this package has a folder above it").to_path_buf()
}

/// A file's text; an absent file is empty.
fn read(path: &str) -> String {
    std::fs::read_to_string(root().join(path)).unwrap_or_default()
}

/// Every file that git tracks, or would.
fn tracked() -> Vec<PathBuf> {
    let mut git = Command::new("git");
    git.current_dir(root()).args(["ls-files", "-z", "-c", "-o", "--exclude-standard"]);
    let output = git.output().expect("git is installed");
    assert!(output.status.success(), "the tree is a git work tree");
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    text.split('\0').filter(|name| !name.is_empty()).map(PathBuf::from).collect()
}

fn tracked_texts(extensions: &[&str]) -> Vec<(PathBuf, String)> {
    let wanted =
        |path: &PathBuf| path.extension().is_some_and(|ending| extensions.contains(&&*ending.to_string_lossy()));
    let paths = tracked().into_iter().filter(wanted);
    // A tracked file that was just deleted has no text to judge.
    paths.filter_map(|path| Some((path.clone(), std::fs::read_to_string(root().join(path)).ok()?))).collect()
}

fn sources(folder: &str) -> Vec<(PathBuf, String)> {
    tracked_texts(&["rs"]).into_iter().filter(|(path, _)| path.starts_with(folder)).collect()
}

fn nothing(found: &[String], rule: &str) {
    assert!(found.is_empty(), "{rule}:\n  {}", found.join("\n  "));
}

// ---- Reading Rust, TOML, WIT and Markdown, as far as the rules need ----

/// Lines with their numbers, without those that are only a comment.
fn code_lines(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let numbered = text.lines().enumerate().map(|(index, line)| (index + 1, line));
    numbered.filter(|(_, line)| !line.trim_start().starts_with("//"))
}

/// The keys of one table of a `Cargo.toml`.
fn keys_of(manifest: &str, table: &str) -> Vec<String> {
    let lines = manifest.lines().skip_while(|line| line.trim() != table).skip(1);
    let body = lines.take_while(|line| !line.starts_with('['));
    body.filter(|line| line.contains('=')).map(|line| line.split(['.', ' ', '=']).next().unwrap_or("").into()).collect()
}

fn capitalised(word: &str) -> String {
    let mut letters = word.chars();
    letters.next().map(|first| first.to_ascii_uppercase().to_string() + letters.as_str()).unwrap_or_default()
}

/// An absolute path into a folder that only some machines have.
fn names_a_machine_path(line: &str) -> bool {
    ["work", "farm", "root"].iter().any(|folder| {
        let path = format!("/{folder}/");
        line.match_indices(&path).any(|(at, _)| {
            let joins = |c: char| c.is_ascii_alphanumeric() || "_./-".contains(c);
            let starts_here = !line[..at].chars().next_back().is_some_and(joins);
            starts_here && line[at + path.len()..].starts_with(|c: char| c.is_ascii_alphabetic() || c == '.')
        })
    })
}

/// `Code::Name => "name",` gives the name.
fn code_arm(line: &str) -> Option<String> {
    let (_, name) = line.trim().strip_prefix("Code::")?.split_once(" => \"")?;
    Some(name.trim_end_matches(['"', ',']).to_owned())
}

/// The cases of one enum of the contract, in order.
fn wit_enum(name: &str) -> Vec<String> {
    let text = read("wit/types.wit");
    let head = format!("enum {name} {{");
    let body = text.split_once(&head).map_or("", |(_, rest)| rest.split('}').next().unwrap_or(""));
    let lines = body.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with("//"));
    lines.map(|line| line.trim_end_matches(',').to_owned()).collect()
}

/// Declarations without a `///` above them. One declaration a line; parameters that stand on lines of their own are
/// part of their function.
fn undocumented(wit: &str) -> Vec<(usize, String)> {
    let (mut bare, mut documented, mut depth) = (Vec::new(), false, 0_usize);
    for (index, line) in wit.lines().enumerate() {
        let line = line.trim();
        if line.starts_with("///") {
            documented = true;
            continue;
        }
        if line.is_empty() || line.starts_with("//") || line.starts_with('@') {
            continue;
        }
        let exempt = ["}", "use ", "export ", "import ", "include "].iter().any(|start| line.starts_with(start));
        if depth == 0 && !exempt && !documented {
            bare.push((index + 1, line.to_owned()));
        }
        documented = false;
        depth = (depth + line.matches('(').count()).saturating_sub(line.matches(')').count());
    }
    bare
}

/// What stands under a heading, to the next one of its level or above.
fn section(markdown: &str, title: &str) -> Option<String> {
    let level = |line: &str| line.chars().take_while(|c| *c == '#').count();
    let is_title = |line: &str| level(line) > 0 && line.trim_start_matches('#').trim() == title;
    let mut lines = markdown.lines().skip_while(|line| !is_title(line));
    let own = level(lines.next()?);
    let body = lines.take_while(|line| level(line) == 0 || level(line) > own);
    Some(body.map(|line| line.to_owned() + "\n").collect())
}

/// The first cell of a table's row, when it is a name in backticks.
fn first_cell_in_backticks(line: &str) -> Option<String> {
    let cell = line.strip_prefix('|')?.split('|').next()?.trim();
    Some(cell.strip_prefix('`')?.strip_suffix('`')?.to_owned())
}
