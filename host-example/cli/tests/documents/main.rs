//! README.md and docs: every block of `sh` runs as it stands, and every link leads somewhere.
//! needs: jq
//!
//! The blocks of one document run from top to bottom in one `bash -euo pipefail`, in a fresh folder, with an empty home
//! folder and nobody's settings. HTML comments hold what readers need not see:
//!
//! - `<!-- run: COMMANDS -->` prepares something;
//! - `<!-- expect: CODE -->` right before a block of one command says that it ends with this code; it runs in a
//!   subshell;
//! - `<!-- end: COMMANDS -->` cleans up.
//!
//! A comment may span lines.

use std::collections::BTreeSet;
use std::os::unix::fs::symlink;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};
use std::{env, fs, process, thread};

use rustix::process::{Pid, Signal, kill_process_group};

/// Seconds that one document may take.
const DOCUMENT_SECONDS_MAX: u64 = 120;
/// Columns of a line of text.
const LINE_COLUMNS_MAX: usize = 120;
/// How often a running document is looked at.
const PAUSE: Duration = Duration::from_millis(20);
/// Bytes of output that a failure shows, from its end.
const OUTPUT_BYTES_SHOWN: usize = 6000;
/// Begins the line that says which block is next.
const MARK: &str = "== ";

#[test]
fn every_command_runs() {
    let documents = documents();
    let failed: Vec<String> = thread::scope(|scope| {
        let running: Vec<_> = documents.iter().map(|name| scope.spawn(move || run(name).err())).collect();
        running.into_iter().filter_map(|one| one.join().expect("no panic")).collect()
    });
    assert!(failed.is_empty(), "{}", failed.join("\n\n"));
}

#[test]
fn every_link_leads_somewhere() {
    let mut found = Vec::new();
    for name in documents() {
        let text = read(&name);
        let folder = Path::new(&name).parent().unwrap_or(Path::new(""));
        for link in links(&text) {
            if link.contains("://") {
                continue;
            }
            let (path, anchor) = link.split_once('#').unwrap_or((&link, ""));
            let target = if path.is_empty() { PathBuf::from(&name) } else { folder.join(path) };
            if !root().join(&target).exists() {
                found.push(format!("{name}: {link}"));
            } else if !anchor.is_empty() && !anchors(&read(&target.to_string_lossy())).contains(anchor) {
                found.push(format!("{name}: {link}: no such heading"));
            }
        }
        // A row of a table cannot be broken, and an address is as long as it is.
        let may_be_wide = |line: &str| line.starts_with('|') && line.contains("](https://");
        let is_wide = |line: &str| line.chars().count() > LINE_COLUMNS_MAX && !may_be_wide(line);
        let wide = text.lines().enumerate().filter(|(_, line)| is_wide(line));
        found.extend(wide.map(|(at, _)| format!("{name}:{}: over {LINE_COLUMNS_MAX} columns", at + 1)));
    }
    assert!(found.is_empty(), "{}", found.join("\n"));
}

#[test]
fn documents_are_read_as_they_are_meant() {
    let text = "<!-- run: a\nb -->\n\n```sh\nc\n```\n\n```text\nd\n```\n<!-- expect: 3 -->\n```sh\ne\n```\n\
                <!-- end: f -->\n";
    let parts = parts_of(text).expect("well formed");
    let read: Vec<_> = parts.iter().map(|part| (part.line, part.shown, part.expect, part.commands.trim())).collect();
    let meant = [(1, false, None, "a\nb"), (5, true, None, "c"), (13, true, Some(3), "e"), (15, false, None, "f")];
    assert_eq!(read, meant);
    for broken in ["```sh\na\n", "<!-- run: a\n", "<!-- expect: 1 -->\n```sh\na\nb\n```\n", "<!-- expect: x -->\n"] {
        assert!(parts_of(broken).is_err(), "{broken}");
    }
    assert_eq!(links("[a](b.md#c) `[x](y)` ![d](e)\n```\n[f](g)\n```\n"), ["b.md#c", "e"]);
    assert!(anchors("# One\n## What is `not` there, yet\n").contains("what-is-not-there-yet"));
}

/// Commands of a document.
struct Part {
    /// The line where they begin, counted from 1.
    line: usize,
    /// Readers see them.
    shown: bool,
    /// The exit code that they end with, when it is another one than 0.
    expect: Option<i32>,
    commands: String,
}

fn parts_of(text: &str) -> Result<Vec<Part>, String> {
    let mut parts = Vec::new();
    let mut expect: Option<i32> = None;
    let mut lines = text.lines().enumerate().map(|(at, line)| (at + 1, line));
    while let Some((number, line)) = lines.next() {
        if let Some(language) = line.strip_prefix("```") {
            let mut commands = String::new();
            loop {
                let Some((_, line)) = lines.next() else { return Err(format!("{number}: the block has no end")) };
                if line.trim_end() == "```" {
                    break;
                }
                commands += line;
                commands.push('\n');
            }
            if language.trim() == "sh" {
                let count = commands.lines().filter(|line| !line.ends_with('\\')).count();
                if expect.is_some() && count != 1 {
                    return Err(format!("{number}: `expect` belongs to one command"));
                }
                parts.push(Part { line: number + 1, shown: true, expect: expect.take(), commands });
            } else if expect.is_some() {
                return Err(format!("{number}: `expect` belongs to a block of sh"));
            }
        } else if let Some(comment) = line.strip_prefix("<!--") {
            let mut comment = comment.to_owned();
            while !comment.contains("-->") {
                let Some((_, line)) = lines.next() else { return Err(format!("{number}: the comment has no end")) };
                comment.push('\n');
                comment += line;
            }
            let comment = comment.split("-->").next().unwrap_or_default().trim();
            if let Some(code) = comment.strip_prefix("expect:") {
                let code = code.trim().parse().map_err(|_| format!("{number}: {code:?} is no exit code"))?;
                expect = Some(code);
            } else if let Some(commands) = comment.strip_prefix("run:").or_else(|| comment.strip_prefix("end:")) {
                parts.push(Part { line: number, shown: false, expect: None, commands: format!("{commands}\n") });
            }
        } else if expect.is_some() && !line.trim().is_empty() {
            return Err(format!("{number}: `expect` stands right before its block"));
        }
    }
    match expect {
        Some(_) => Err("the last `expect` has no block".to_owned()),
        None => Ok(parts),
    }
}

/// One script of all parts, which says what it comes to.
fn script(name: &str, parts: &[Part]) -> String {
    let mut script = String::new();
    for Part { line, expect, commands, .. } in parts {
        script += &format!("echo '{MARK}{name}:{line}'\n");
        match expect {
            None => script += commands,
            Some(code) => {
                script += &format!("set +e\n(\nset -e\n{commands})\nended_with=$?\nset -e\n");
                let wrong = format!("echo \"ended with $ended_with, not {code}\"; exit 1");
                script += &format!("[ $ended_with = {code} ] || {{ {wrong}; }}\n");
            }
        }
    }
    script + &format!("echo '{MARK}{name}:end'\n")
}

/// Runs a document; what went wrong.
fn run(name: &str) -> Result<(), String> {
    let parts = parts_of(&read(name)).map_err(|why| format!("{name}:{why}"))?;
    if !parts.iter().any(|part| part.shown) {
        // The README's quick starts are the first commands that anybody types.
        return if name == "README.md" { Err("README.md has no block of sh".to_owned()) } else { Ok(()) };
    }
    let scratch = Scratch::new(name);
    let place = |part: &str| scratch.0.join(part);
    for folder in ["bin", "home", "here", "tmp"] {
        fs::create_dir_all(place(folder)).expect("a fresh folder");
    }
    symlink(env!("CARGO_BIN_EXE_hydrant"), place("bin/hydrant")).expect("a link");
    fs::write(place("script"), script(name, &parts)).expect("the script");
    let output = fs::File::create(place("output")).expect("a file");
    let errors = output.try_clone().expect("the same file");
    let path = env::var_os("PATH").unwrap_or_default();
    let path = env::join_paths([place("bin")].into_iter().chain(env::split_paths(&path))).expect("a PATH");
    let mut bash = Command::new("bash");
    bash.args(["-euo", "pipefail"]).arg(place("script")).current_dir(place("here"));
    bash.env_clear().env("PATH", path).env("HOME", place("home")).env("TMPDIR", place("tmp")).env("LANG", "C.UTF-8");
    bash.env("GIT_CONFIG_NOSYSTEM", "1").env("GIT_TERMINAL_PROMPT", "0");
    bash.stdin(Stdio::null()).stdout(output).stderr(errors).process_group(0);
    let mut group = Group(bash.spawn().expect("bash runs"));
    let ended = group.wait();
    drop(group);
    let said = String::from_utf8_lossy(&fs::read(place("output")).unwrap_or_default()).into_owned();
    let last = said.lines().rev().find_map(|line| line.strip_prefix(MARK)).unwrap_or(name);
    match ended {
        Some(status) if status.success() && last == format!("{name}:end") => Ok(()),
        ended => {
            let how = ended.map_or(format!("not over after {DOCUMENT_SECONDS_MAX} s"), |status| status.to_string());
            let begin = said.ceil_char_boundary(said.len().saturating_sub(OUTPUT_BYTES_SHOWN));
            Err(format!("{last}: {how}\n{}", &said[begin..]))
        }
    }
}

/// A shell with everything that it started.
struct Group(Child);

impl Group {
    /// How it ended; none when it took too long.
    fn wait(&mut self) -> Option<ExitStatus> {
        let deadline = Instant::now() + Duration::from_secs(DOCUMENT_SECONDS_MAX);
        loop {
            if let Some(status) = self.0.try_wait().expect("it is ours") {
                return Some(status);
            }
            if Instant::now() > deadline {
                return None;
            }
            thread::sleep(PAUSE);
        }
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        // A group without processes is no fault.
        kill_process_group(Pid::from_child(&self.0), Signal::KILL).ok();
        self.0.wait().ok();
    }
}

struct Scratch(PathBuf);

impl Scratch {
    fn new(document: &str) -> Self {
        let name = format!("hydrant-documents-{}-{}", process::id(), document.replace('/', "-"));
        let folder = env::temp_dir().join(name);
        fs::create_dir_all(&folder).expect("a fresh folder");
        Self(folder.canonicalize().expect("it is there"))
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        fs::remove_dir_all(&self.0).ok();
    }
}

// ---- Reading the documents ----

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn read(path: &str) -> String {
    fs::read_to_string(root().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// README.md and what lies in docs.
fn documents() -> Vec<String> {
    let listed = fs::read_dir(root().join("docs")).expect("the folder docs").flatten();
    let names = listed.map(|entry| format!("docs/{}", entry.file_name().to_string_lossy()));
    let mut names: Vec<String> = names.filter(|name| name.ends_with(".md")).collect();
    names.sort();
    names.insert(0, "README.md".to_owned());
    assert!(names.len() > 1, "docs has documents");
    names
}

/// Lines that are neither in a block nor a comment of one line.
fn prose(text: &str) -> impl Iterator<Item = &str> {
    let mut in_block = false;
    text.lines().filter(move |line| {
        let is_fence = line.starts_with("```");
        in_block ^= is_fence;
        !in_block && !is_fence && !line.starts_with("<!--")
    })
}

/// Targets of `[text](target)`.
fn links(text: &str) -> Vec<String> {
    let mut links = Vec::new();
    for line in prose(text) {
        // What stands in backticks is no link.
        let bare: String = line.split('`').step_by(2).collect::<Vec<_>>().join("code");
        let mut rest = bare.as_str();
        while let Some((_, after)) = rest.split_once("](") {
            let (target, after) = after.split_once(')').unwrap_or((after, ""));
            links.push(target.to_owned());
            rest = after;
        }
    }
    links
}

/// What a heading is called in an address.
fn anchors(text: &str) -> BTreeSet<String> {
    let titles = prose(text).filter(|line| line.starts_with('#')).map(|line| line.trim_start_matches('#').trim());
    let kept = |c: &char| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_');
    titles.map(|title| title.to_lowercase().chars().filter(kept).collect::<String>().replace(' ', "-")).collect()
}
