//! Every input the fuzzers ever found worth keeping, and seeded mutations of them: the targets of `tests/fuzz` without
//! the fuzzer. `HYDRANT_FUZZ_MINUTES=N` goes on for so long; a failure prints the input, to be put into the corpus.

use hydrant_tests::fuzz::{TARGETS, Target};
use hydrant_tests::world::Dice;
use std::fmt::Write as _;
use std::path::Path;
use std::time::{Duration, Instant};

/// Mutations of one target.
const MUTATIONS: usize = 20_000;
/// Edits of one mutation.
const EDITS_MAX: usize = 8;
/// Bytes of an input.
const INPUT_BYTES_MAX: usize = 4096;
/// Words that the grammars know, so that mutations reach behind the first check.
const WORDS: [&str; 24] = [
    "\"oid\":",
    "\"size\":",
    "\"actions\":",
    "\"download\":",
    "\"error\":",
    "\"code\":",
    "\"href\":",
    "\"header\":",
    "{}",
    "[]",
    "null",
    "-1",
    "1e9",
    "18446744073709551616",
    "\"\\ud800\"",
    "\\u0000",
    "\n",
    " ",
    "\r\n",
    "size ",
    "version ",
    "oid sha256:",
    "ext-0-x ",
    "git-lfs",
];

fn corpus(target: &str) -> Vec<Vec<u8>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus").join(target);
    let mut paths: Vec<_> = std::fs::read_dir(&folder)
        .expect("the corpus is committed")
        .map(|entry| entry.expect("the corpus can be listed").path())
        .collect();
    paths.sort();
    paths.iter().map(|path| std::fs::read(path).expect("a corpus file can be read")).collect()
}

/// Calls a target; when it panics, prints the input first.
fn try_one(name: &str, target: Target, input: &[u8]) {
    let panicked = std::panic::catch_unwind(|| target(input)).err();
    if let Some(panic) = panicked {
        let shown = input.iter().fold(String::new(), |mut shown, byte| {
            write!(shown, "{byte:02x}").expect("a string takes all");
            shown
        });
        eprintln!("tests/fuzz/corpus/{name}: {shown}");
        std::panic::resume_unwind(panic);
    }
}

fn mutate(dice: &mut Dice, corpus: &[Vec<u8>]) -> Vec<u8> {
    let mut input = corpus[dice.roll(corpus.len())].clone();
    for _ in 0..=dice.roll(EDITS_MAX) {
        let at = dice.roll(input.len() + 1);
        let end = (at + dice.roll(16)).min(input.len());
        match dice.roll(8) {
            0 => drop(input.drain(at..end)),
            1 => input.insert(at, dice.roll(256) as u8),
            2 => drop(input.splice(at..at, WORDS[dice.roll(WORDS.len())].bytes())),
            3 => drop(input.splice(at..end, WORDS[dice.roll(WORDS.len())].bytes())),
            4 => {
                let copy = input[at..end].to_vec();
                let to = dice.roll(input.len() + 1);
                input.splice(to..to, copy);
            }
            5 => {
                let other = &corpus[dice.roll(corpus.len())];
                let from = dice.roll(other.len() + 1);
                input.splice(at.., other[from..].iter().copied());
            }
            6 => {
                let more: Vec<u8> = (0..dice.roll(24)).map(|_| dice.roll(256) as u8).collect();
                input.splice(at..end, more);
            }
            _ => {
                if let Some(byte) = input.get_mut(at) {
                    *byte ^= 1 << dice.roll(8);
                }
            }
        }
    }
    input.truncate(INPUT_BYTES_MAX);
    input
}

fn replay(name: &str) {
    let (_, target) = TARGETS.into_iter().find(|(known, _)| *known == name).expect("a target of that name");
    let corpus = corpus(name);
    assert!(!corpus.is_empty(), "{name} has a corpus");
    for input in &corpus {
        try_one(name, target, input);
    }
    let number = |name: &str| std::env::var(name).ok().and_then(|text| text.parse::<u64>().ok());
    let until = number("HYDRANT_FUZZ_MINUTES").map(|minutes| Instant::now() + Duration::from_secs(minutes * 60));
    let mut dice = Dice(number("HYDRANT_SEED").unwrap_or(0x6679));
    let mut tried = 0;
    while until.map_or(tried < MUTATIONS, |until| Instant::now() < until) {
        try_one(name, target, &mutate(&mut dice, &corpus));
        tried += 1;
    }
    eprintln!("{name}: {tried} mutations");
}

#[test]
fn batch_answers() {
    replay("batch_answer");
}

#[test]
fn manifests() {
    replay("manifest");
}

#[test]
fn pointers() {
    replay("pointer");
}

#[test]
fn replies() {
    replay("replies");
}

#[test]
fn every_target_has_its_file_and_its_corpus() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz");
    let manifest = std::fs::read_to_string(root.join("Cargo.toml")).expect("the fuzz package is there");
    for (name, _) in TARGETS {
        let source = std::fs::read_to_string(root.join("targets").join(format!("{name}.rs"))).expect("a target's file");
        assert!(source.contains(&format!("hydrant_tests::fuzz::{name}(")), "{name} calls its function");
        assert!(manifest.contains(&format!("name = \"{name}\"")), "{name} is a program of the fuzz package");
        assert!(root.join("corpus").join(name).is_dir());
    }
}
