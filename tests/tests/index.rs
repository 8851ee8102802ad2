//! The tables of `tests/README.md`: every item of the documented interface that this project answers, and every
//! invariant, has a row, and what a row points at exists.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The names of that interface, one a line.
const ITEMS: &str = "tests/index/ox-lfs-0.7.1.txt";
/// Where the rows stand.
const TABLES: &str = "tests/README.md";
/// How many invariants there are.
const INVARIANTS: usize = 22;
/// Lines above a test in which its documentation and attributes stand.
const LINES_ABOVE: usize = 8;

#[test]
fn every_item_has_a_row_and_every_row_an_item() {
    let tree = Tree::read();
    let text = tree.text(TABLES);
    let rows = rows(section(&text, "The documented interface of ox internal/lfs 0.7.1"));
    let items: Vec<String> = tree.text(ITEMS).lines().map(str::to_owned).collect();
    assert!(items.len() > 100, "{ITEMS} names the whole interface");
    assert_eq!(items.iter().collect::<BTreeSet<_>>().len(), items.len(), "an item stands in {ITEMS} twice");
    let named: Vec<String> = rows.iter().map(|row| row[0].trim_matches('`').to_owned()).collect();
    assert_eq!(named, items, "the rows are the items, in their order");
    let mut found = Vec::new();
    for row in &rows {
        let [item, counterpart, shown] = &row[..] else { panic!("a row of three cells: {row:?}") };
        let places = ticked(counterpart);
        if places.is_empty() && counterpart != "—" {
            found.push(format!("{item}: a counterpart is a name in backticks, or —"));
        }
        found.extend(places.iter().filter_map(|place| Some(format!("{item}: {}", tree.lacks(place)?))));
        let tests: Vec<String> = ticked(shown).into_iter().filter(|name| name.contains("::")).collect();
        if tests.is_empty() && shown.len() < 20 {
            found.push(format!("{item}: neither a test nor a reason"));
        }
        found.extend(tests.iter().filter_map(|test| Some(format!("{item}: {}", tree.test(test).err()?))));
    }
    nothing(&found);
}

#[test]
fn every_invariant_is_named_by_a_test_and_attacked() {
    let tree = Tree::read();
    let text = tree.text(TABLES);
    let entries: Vec<String> =
        section(&text, "Invariants").split("\n- ").skip(1).map(|entry| entry.replace('\n', " ")).collect();
    let mut found = Vec::new();
    for number in 1..=INVARIANTS {
        let name = format!("I{number}");
        let head = format!("**{name}** ");
        let own: Vec<&String> = entries.iter().filter(|entry| entry.starts_with(&head)).collect();
        let [entry] = own[..] else {
            found.push(format!("{name} has {} entries", own.len()));
            continue;
        };
        let (shown, attacked) = entry.split_once("ttacked").unwrap_or((entry, ""));
        let tests = ticked(shown);
        if tests.is_empty() {
            found.push(format!("{name}: no test shows it"));
        }
        for test in tests {
            match tree.test(&test) {
                Err(why) => found.push(format!("{name}: {why}")),
                Ok(text) if !has_word(&text, &name) => found.push(format!("{test} does not say that it shows {name}")),
                Ok(_) => {}
            }
        }
        let bugs = ticked(attacked);
        let absent = bugs.iter().filter(|bug| !tree.holds(&format!("tests/mutants/{bug}.patch")));
        found.extend(absent.map(|bug| format!("{name}: there is no planted bug {bug}")));
        if bugs.is_empty() && !attacked.starts_with(": ") {
            found.push(format!("{name}: neither a planted bug nor a reason"));
        }
    }
    assert_eq!(entries.len(), INVARIANTS, "an entry for each, and no other");
    nothing(&found);
}

#[test]
fn what_the_readers_of_this_file_see() {
    assert_eq!(ticked("by `a::b` and `c`."), ["a::b", "c"]);
    assert_eq!(rows("| a | b |\n| --- | --- |\n| `x` | — |\n"), [["`x`", "—"]]);
    assert!(has_word("(I4, I7)", "I7") && !has_word("I17", "I7") && !has_word("I17", "I1"));
    let wit = "interface a {\n  record r {\n    deep-one: u8,\n  }\n  f: func();\n}\ninterface b {\n}\n";
    let tree = Tree { paths: Vec::new(), wit: wit.to_owned(), commands: "    Locks(LocksCommand),\n".to_owned() };
    for (name, lacks) in
        [("a.r", false), ("a.f", false), ("a.deep-one", false), ("a.deep", true), ("b.f", true), ("c.f", true)]
    {
        assert_eq!(tree.lacks(name).is_some(), lacks, "{name}");
    }
    assert!(tree.lacks("hydrant locks list").is_none() && tree.lacks("hydrant lock").is_some());
    let tree = Tree::read();
    assert!(tree.test("tests/index::what_the_readers_of_this_file_see").is_ok());
    assert!(tree.test("tests/index::ticked").is_err(), "a function is no test");
    assert!(tree.test("tests/index::no_such").is_err() && tree.test("no/such::file").is_err());
}

// ---- What exists ----

/// The tree, as far as rows point at it.
struct Tree {
    /// Files that git tracks, or would.
    paths: Vec<PathBuf>,
    wit: String,
    /// Where the commands are listed.
    commands: String,
}

impl Tree {
    fn read() -> Self {
        let mut git = Command::new("git");
        git.current_dir(root()).args(["ls-files", "-z", "-c", "-o", "--exclude-standard"]);
        let output = git.output().expect("git is installed");
        assert!(output.status.success(), "the tree is a git work tree");
        let listed = String::from_utf8_lossy(&output.stdout).into_owned();
        let paths: Vec<PathBuf> = listed.split('\0').filter(|name| !name.is_empty()).map(PathBuf::from).collect();
        let contract = paths.clone().into_iter().filter(|path| path.starts_with("wit"));
        let text = |path: &str| std::fs::read_to_string(root().join(path)).unwrap_or_default();
        Self {
            paths,
            wit: contract.map(|path| text(&path.to_string_lossy())).collect(),
            commands: text("host-example/cli/src/cli.rs"),
        }
    }

    fn text(&self, path: &str) -> String {
        std::fs::read_to_string(root().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
    }

    fn holds(&self, path: &str) -> bool {
        root().join(path).is_file()
    }

    /// The one source file whose path ends so.
    fn source(&self, ending: &str) -> Result<String, String> {
        let ending = format!("{ending}.rs");
        let fits = |path: &&PathBuf| path.ends_with(&ending) && root().join(path).is_file();
        let fitting: Vec<&PathBuf> = self.paths.iter().filter(fits).collect();
        match fitting[..] {
            [path] => Ok(self.text(&path.to_string_lossy())),
            [] => Err(format!("there is no {ending}")),
            _ => Err(format!("{} files are called {ending}", fitting.len())),
        }
    }

    /// What a test says, with what stands just above it.
    fn test(&self, name: &str) -> Result<String, String> {
        let (file, function) = name.split_once("::").ok_or_else(|| format!("{name} names no function"))?;
        let text = self.source(file)?;
        let lines: Vec<&str> = text.lines().collect();
        let head = format!("fn {function}(");
        let at = lines.iter().position(|line| line.trim_start().starts_with(&head));
        let at = at.ok_or_else(|| format!("{file}.rs has no {function}"))?;
        // Attributes and documentation reach up to the end of whatever stands before.
        let above = lines[at.saturating_sub(LINES_ABOVE)..at].iter().rev();
        let above = above.take_while(|line| line.trim_start().starts_with("//") || line.trim_start().starts_with('#'));
        let above = above.count();
        if !lines[at - above..at].iter().any(|line| line.trim() == "#[test]") {
            return Err(format!("{name} is no test"));
        }
        let indent = lines[at].len() - lines[at].trim_start().len();
        let end = format!("{}}}", " ".repeat(indent));
        let length = lines[at..].iter().position(|line| **line == end).unwrap_or(lines.len() - at - 1);
        Ok(lines[at - above..=at + length].join("\n"))
    }

    /// Why a counterpart does not exist; none when it does.
    fn lacks(&self, place: &str) -> Option<String> {
        if let Some(words) = place.strip_prefix("hydrant ") {
            let command = words.split(' ').next().unwrap_or_default();
            let variant: String = command.split('-').map(capitalised).collect();
            let is_there = self.commands.lines().any(|line| line.starts_with(&format!("    {variant}(")));
            return (!is_there).then(|| format!("there is no command `hydrant {command}`"));
        }
        if let Some((file, name)) = place.split_once("::") {
            return match self.source(file) {
                Err(why) => Some(why),
                Ok(text) => (!has_word(&text, name)).then(|| format!("{file}.rs has no {name}")),
            };
        }
        let Some((interface, item)) = place.split_once('.') else {
            return Some(format!("{place} is neither a command nor a place nor an item of the contract"));
        };
        let head = format!("interface {interface} {{\n");
        let body = self.wit.split_once(&head).map(|(_, rest)| rest.split_once("\n}").map_or(rest, |(body, _)| body));
        let Some(body) = body else { return Some(format!("the contract has no interface {interface}")) };
        let code = body.lines().map(str::trim).filter(|line| !line.starts_with("//"));
        let mut words = code.flat_map(|line| line.split(|c: char| !(c.is_ascii_alphanumeric() || c == '-')));
        (!words.any(|word| word == item)).then(|| format!("{interface} has no {item}"))
    }
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("this package has a folder above it").to_path_buf()
}

// ---- Reading Markdown, as far as the tables need ----

/// What stands under a heading of the second level.
fn section<'a>(text: &'a str, title: &str) -> &'a str {
    let (_, rest) = text.split_once(&format!("\n## {title}\n")).unwrap_or_else(|| panic!("{TABLES} has no {title:?}"));
    rest.split_once("\n## ").map_or(rest, |(section, _)| section)
}

/// The cells of a table, without its head.
fn rows(text: &str) -> Vec<Vec<String>> {
    let lines = text.lines().filter(|line| line.starts_with("| "));
    let cells = |line: &str| line.trim_matches('|').split(" | ").map(|cell| cell.trim().to_owned()).collect();
    lines.skip(2).map(cells).collect()
}

/// Everything between backticks.
fn ticked(text: &str) -> Vec<String> {
    text.split('`').skip(1).step_by(2).map(str::to_owned).collect()
}

fn has_word(text: &str, word: &str) -> bool {
    text.split(|c: char| !(c.is_ascii_alphanumeric() || c == '_')).any(|one| one == word)
}

fn capitalised(word: &str) -> String {
    let mut letters = word.chars();
    letters.next().map(|first| first.to_ascii_uppercase().to_string() + letters.as_str()).unwrap_or_default()
}

fn nothing(found: &[String]) {
    assert!(found.is_empty(), "{TABLES}:\n  {}", found.join("\n  "));
}
