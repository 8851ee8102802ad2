//! The corpus of the tests as files, for other people's programs, and how fast the search is on a transcript.
//!
//!   corpus write FOLDER       the files, and `truth.tsv` beside them
//!   corpus transcript FOLDER  `transcript.jsonl`, 80 MB with a secret now and then
//!   corpus measure FOLDER     million bytes of it that are looked through in a second, the best of some runs

#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "what cannot be ends it; figures are printed")]

#[path = "../tests/making/mod.rs"]
mod making;

use std::env;
use std::fmt::Write;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Instant;

use hydrant_secrets::{Finding, Named, Rules, Scan};
use making::corpus::{Corpus, SEED, transcript};

/// Bytes of the transcript.
const TRANSCRIPT_BYTES: usize = 80_000_000;
const RUNS: usize = 5;

fn main() {
    let words: Vec<String> = env::args().skip(1).collect();
    let folder = words.get(1).map(PathBuf::from).expect("a folder");
    match words[0].as_str() {
        "write" => write(&folder),
        "transcript" => fs::write(folder.join("transcript.jsonl"), transcript(SEED, TRANSCRIPT_BYTES)).unwrap(),
        "measure" => measure(&folder),
        _ => panic!("write, transcript or measure"),
    }
}

/// A row of the truth is file, first and last line, class, kind, dress, and as JSON the value and what stands for it.
fn write(folder: &Path) {
    let corpus = Corpus::make(SEED).with_lines();
    for (name, text) in &corpus.files {
        let path = folder.join("files").join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    let mut truth = String::new();
    for plant in &corpus.plants {
        let (first, last) = (plant.lines.start(), plant.lines.end());
        let stands: String = plant.places.iter().map(|place| &corpus.files[plant.file][place.clone()]).collect();
        let row = [
            plant.file,
            &first.to_string(),
            &last.to_string(),
            &format!("{:?}", plant.class),
            &plant.kind,
            plant.dress,
            &serde_json::to_string(&plant.value).unwrap(),
            &serde_json::to_string(&stands).unwrap(),
        ];
        writeln!(truth, "{}", row.join("\t")).unwrap();
    }
    fs::write(folder.join("truth.tsv"), truth).unwrap();
}

fn measure(folder: &Path) {
    let text = fs::read(folder.join("transcript.jsonl")).unwrap();
    let (rules, none) = (Rules::built_in().unwrap(), Named::default());
    let run = || {
        let started = Instant::now();
        let (mut scan, mut found) = (Scan::new(&rules, &none), 0);
        let mut note = |_: Finding<'_>| found += 1;
        for part in text.chunks(256 * 1024) {
            scan.push(part, &mut note).unwrap();
        }
        scan.end(&mut note);
        assert!(found > 100, "{found}");
        started.elapsed().as_secs_f64()
    };
    let best = (0..RUNS).map(|_| run()).fold(f64::INFINITY, f64::min);
    println!("MB/s {:.1}", text.len() as f64 / 1e6 / best);
}
