//! `cargo run -q -p hydrant-tests --bin record [-- FILE]`: takes the tour with the core and writes what was said as
//! JSON lines, to `record.jsonl` in the target folder unless a file is named. Other hosts replay it.

use hydrant_tests::engine::Native;
use hydrant_tests::record::{Recorder, default_path};
use hydrant_tests::tour;
use std::path::PathBuf;
use std::process::ExitCode;

fn main() -> ExitCode {
    let path = std::env::args_os().nth(1).map_or_else(default_path, PathBuf::from);
    let recorder = Recorder::new(Native);
    let taken = tour::take(&recorder).and_then(|()| recorder.write(&path));
    match taken {
        Ok(()) => ExitCode::SUCCESS,
        Err(sentence) => {
            eprintln!("{sentence}");
            ExitCode::FAILURE
        }
    }
}
