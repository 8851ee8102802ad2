//! Telling the state of a ledger of many sessions, and the floor under it.
//!
//! The floor is what no telling can do without: list the sessions, read every manifest and understand it as JSON, and
//! nothing else, on one core. No server runs beside it, so `hydrant` has both cores, as it has for its users; what it
//! takes on one is shown, too.

use super::data::once;
use super::figures::Found;
use super::ground::{Ground, text};
use super::part::PART;
use super::stopwatch::{Client, Ready, race};
use super::transfer::pointer;
use super::workload::{MANIFESTS, ON_ONE_CORE, OURS};
use crate::failure::{Because, Failure, Result};
use crate::terminal::say;
use sha2::{Digest, Sha256};
use std::fs;
use std::path::Path;
use std::process::Command;

const SESSIONS: u64 = 10_000;
/// Files that each session's manifest names; the pointers of all of them are there.
const FILES: [&str; 3] = ["plan.md", "raw.jsonl", "session.md"];

/// `hydrant status` beside its floor, on a ledger that is in memory.
pub(super) fn measure(ground: &Ground, runs: usize) -> Result<Found> {
    let what = format!("a ledger of {SESSIONS} sessions of {} files", FILES.len());
    let ledger = once(ground, "ledger", &what, |folder| make(ground, folder))?;
    let told = ground.succeed(Command::new(&ground.hydrant).current_dir(&ledger).args(["status"]))?;
    let sessions = told.iter().filter(|line| line.contains(" dehydrated ")).count();
    if sessions as u64 != SESSIONS {
        return Err(Failure::new(format!("the status tells of {sessions} sessions")));
    }
    let floor = ground.succeed(Command::new(&ground.xtask).args([PART, "manifests", text(&ledger)?]))?;
    if floor != [format!("{SESSIONS} manifests, {} files", SESSIONS * FILES.len() as u64)] {
        return Err(Failure::new(format!("the floor says {floor:?}")));
    }
    let ready = |mut command: Command, words: &[&str]| {
        command.current_dir(&ledger).args(words);
        Ok(Ready { command, check: Box::new(|| Ok(())) })
    };
    let mut clients = [
        Client { name: OURS, prepare: Box::new(|| ready(ground.on_both_cores(&ground.hydrant), &["status"])) },
        Client { name: ON_ONE_CORE, prepare: Box::new(|| ready(Command::new(&ground.hydrant), &["status"])) },
        Client { name: MANIFESTS, prepare: Box::new(|| ready(Command::new(&ground.xtask), &[PART, "manifests", "."])) },
    ];
    Ok(Found { measured: race(ground, &mut clients, runs)?, absent: Vec::new() })
}

fn make(ground: &Ground, folder: &Path) -> Result<()> {
    let unwritable = "the ledger cannot be written";
    for number in 0..SESSIONS {
        let name = format!("2026-05-04T09-30-mina-Ox{number:05}");
        let session = folder.join("sessions").join(&name);
        fs::create_dir_all(&session).because(unwritable)?;
        let mut files = Vec::new();
        for file in FILES {
            let digest = Sha256::digest(format!("{name}/{file}"));
            let oid: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
            let size = 1_000 + number;
            fs::write(session.join(file), pointer(&oid, size)).because(unwritable)?;
            files.push(format!(
                "    \"{file}\": {{\n      \"storage\": \"lfs\",\n      \"oid\": \"sha256:{oid}\",\n      \
                 \"size\": {size}\n    }}"
            ));
        }
        let manifest = format!(
            "{{\n  \"version\": \"1.0\",\n  \"session_name\": \"{name}\",\n  \"username\": \"mina\",\n  \
             \"agent_id\": \"Ox{number:05}\",\n  \"session_id\": \"ses_0196a3f0-5b40-7c11-9d22-{number:012x}\",\n  \
             \"agent_type\": \"claude-code\",\n  \"title\": \"Session {number}\",\n  \
             \"created_at\": \"2026-05-04T09:30:00Z\",\n  \"entry_count\": 40,\n  \"files\": {{\n{}\n  }}\n}}",
            files.join(",\n")
        );
        fs::write(session.join("meta.json"), manifest).because(unwritable)?;
    }
    ground.git(folder, &["init", "-q", "--initial-branch=main"])?;
    for (key, value) in [("user.name", "bench"), ("user.email", "bench@example.test"), ("commit.gpgSign", "false")] {
        ground.git(folder, &["config", key, value])?;
    }
    ground.git(folder, &["add", "."])?;
    ground.git(folder, &["commit", "-q", "-m", "sessions"])?;
    Ok(())
}

/// Reads every manifest of a ledger and prints how many there are and how many files they name.
pub(super) fn floor(folder: &Path) -> Result<()> {
    let unreadable = "the ledger cannot be read";
    let (mut count, mut files) = (0_u64, 0_usize);
    for session in fs::read_dir(folder.join("sessions")).because(unreadable)? {
        let path = session.because(unreadable)?.path().join("meta.json");
        let manifest: serde_json::Value =
            serde_json::from_slice(&fs::read(path).because(unreadable)?).because(unreadable)?;
        files += manifest["files"].as_object().map_or(0, serde_json::Map::len);
        count += 1;
    }
    say(&format!("{count} manifests, {files} files"));
    Ok(())
}
