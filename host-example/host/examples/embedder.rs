//! Hydration inside a larger program. `embedder FOLDER STORE` fetches what the repository in FOLDER names into STORE.
//! A line on standard input ends it. `EMBEDDER_TOKEN` is its login, `EMBEDDER_TRUSTS` a server that it trusts.

#![allow(clippy::print_stdout, clippy::print_stderr, reason = "what it does is to print")]

use std::process::ExitCode;
use std::{env, io, thread};

use hydrant_host::{Cancel, Client, Fault, FaultKind, HydrateOptions, HydrateReport, Question};
use hydrant_host::{Repository, Secret, Tally, Watch};

/// PROGRESS: whatever implements `Watch`. Every method of it may be left out.
#[derive(Default)]
struct Bar {
    tally: Tally,
    shown: (usize, usize),
}

impl Watch for Bar {
    fn began(&mut self, _verb: &'static str, objects: usize, bytes: u64) {
        *self = Self { tally: Tally::of(objects, bytes), shown: (0, 0) };
    }

    fn progress(&mut self, name: &str, done: u64, total: u64) {
        self.tally.add(name, done, total);
        let Tally { objects_done, objects, bytes_done, bytes, .. } = self.tally;
        let width = (bytes_done * 20 / bytes.max(1)) as usize;
        if self.shown != (objects_done, width) {
            self.shown = (objects_done, width);
            eprintln!("[{:<20}] {objects_done} of {objects} objects", "#".repeat(width));
        }
    }
}

/// CANCEL: a clone of the token, in another thread or in a handler of signals.
fn cancel_on_input(cancel: Cancel) {
    thread::spawn(move || {
        if io::stdin().read_line(&mut String::new()).is_ok_and(|bytes| bytes > 0) {
            cancel.cancel();
        }
    });
}

/// LOGIN: user and password for a URL; none leaves the question to git's credential helpers.
fn login(url: &str) -> Option<(String, Secret)> {
    eprintln!("a login for {url}");
    let token = env::var("EMBEDDER_TOKEN").ok()?;
    Some(("embedder".to_owned(), Secret::new(token)))
}

/// TRUST: asked only where nothing but a commit names the server.
fn approve(place: &str, question: Question) -> bool {
    eprintln!("{question:?} at {place}?");
    env::var("EMBEDDER_TRUSTS").is_ok_and(|trusted| place.starts_with(&trusted))
}

fn hydrate(folder: &str, store: &str) -> Result<HydrateReport, Fault> {
    let cancel = Cancel::new();
    cancel_on_input(cancel.clone());
    let client = Client::new().watch(Bar::default()).cancel(cancel).login_source(login).approver(approve);
    // STORE PLACE: without this line, `hydrant` in git's own folder.
    let repository = Repository::around(folder)?.with_store_dir(store);
    client.hydrate(&repository, &HydrateOptions::default())
}

fn main() -> ExitCode {
    let words: Vec<String> = env::args().skip(1).collect();
    let [folder, store] = &words[..] else {
        eprintln!("embedder FOLDER STORE");
        return ExitCode::from(2);
    };
    match hydrate(folder, store) {
        Ok(report) => {
            for object in &report.transfer.outcomes {
                println!("{} {:?}", object.name, object.state);
            }
            match (report.was_interrupted(), report.is_complete()) {
                (true, _) => ExitCode::from(130),
                (false, complete) => ExitCode::from(u8::from(!complete)),
            }
        }
        Err(fault) => {
            eprintln!("{fault}");
            ExitCode::from(if fault.kind == FaultKind::Interrupted { 130 } else { 3 })
        }
    }
}
