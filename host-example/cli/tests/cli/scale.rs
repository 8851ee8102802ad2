//! Ten thousand sessions in one ledger: all of them are told, one of them is hydrated without a look at the others, and
//! memory does not grow with their number.

use std::fs::{self, File, FileTimes};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::{Duration, SystemTime};

use hydrant_host::files::digest::blob_of;

use hydrant_kit::scene::{Scene, noise, pointer};

const FEW: usize = 1_000;
const MANY: usize = 10_000;
/// The peak of memory with many sessions over that with few, at most. There are ten times as many.
const MEMORY_FACTOR_MAX: f64 = 2.0;
/// Seconds that make a file look old.
const LONG_AGO_SECONDS: u64 = 86_400;

/// Name of a session.
fn name(number: usize) -> String {
    format!("2026-05-04T09-30-mina-Ox{number:05}")
}

/// Content of a session's only file.
fn content(number: usize) -> Vec<u8> {
    noise(64, number as u64)
}

/// A ledger of so many sessions of one file each. They are imported: to add twenty thousand files takes a minute.
fn ledger(scene: &Scene, folder: &str, sessions: usize) -> PathBuf {
    let mut stream = b"commit refs/heads/main\ncommitter n <n@example.test> 0 +0000\ndata 0\n".to_vec();
    let mut add = |path: String, bytes: &[u8]| {
        stream.extend_from_slice(format!("M 100644 inline {path}\ndata {}\n", bytes.len()).as_bytes());
        stream.extend_from_slice(bytes);
        stream.push(b'\n');
    };
    for number in 0..sessions {
        let (name, bytes) = (name(number), content(number));
        let blob = blob_of(&bytes);
        let manifest = format!(
            "{{\n  \"version\": \"1.0\",\n  \"session_name\": \"{name}\",\n  \"username\": \"mina\",\n  \
             \"agent_id\": \"Ox\",\n  \"session_id\": \"ses_0196a3f0-5b40-7c11-9d22-{number:012x}\",\n  \
             \"agent_type\": \"claude-code\",\n  \"title\": \"Session {number}\",\n  \
             \"created_at\": \"2026-05-04T09:30:00Z\",\n  \"files\": {{\n    \"raw.jsonl\": {{\n      \
             \"storage\": \"lfs\",\n      \"oid\": \"sha256:{}\",\n      \"size\": {}\n    }}\n  }}\n}}",
            blob.oid, blob.size
        );
        add(format!("sessions/{name}/meta.json"), manifest.as_bytes());
        add(format!("sessions/{name}/raw.jsonl"), pointer(&bytes).as_bytes());
    }
    let ledger = scene.path(folder);
    scene.git(&scene.folder, &["init", "--quiet", "--initial-branch=main", folder]);
    let mut import = scene.program("git", &ledger);
    let mut import = import.args(["fast-import", "--quiet"]).stdin(Stdio::piped()).spawn().expect("git runs");
    import.stdin.take().expect("its input").write_all(&stream).expect("it listens");
    assert!(import.wait().expect("it ends").success());
    scene.git(&ledger, &["reset", "--quiet", "--hard"]);
    scene.git(&ledger, &["config", "lfs.url", &scene.url()]);
    ledger
}

/// Bytes of memory that `hydrant status --json` holds at its peak, and what it says.
fn status(scene: &Scene, ledger: &Path) -> (Option<u64>, serde_json::Value) {
    let said = scene.path("said.json");
    let mut command = scene.hydrant_command(ledger);
    command.args(["status", "--json"]).stdout(File::create(&said).expect("a file")).stderr(Stdio::inherit());
    let mut child = command.spawn().expect("it runs");
    let facts = format!("/proc/{}/status", child.id());
    let mut peak = None;
    let ended = loop {
        // The high-water mark only rises, so the last one that can be read is the peak but for its last moments.
        let text = fs::read_to_string(&facts).unwrap_or_default();
        let line = text.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        let kib = line.and_then(|line| line.trim().trim_end_matches(" kB").parse::<u64>().ok());
        peak = kib.map(|kib| kib * 1024).or(peak);
        if let Some(ended) = child.try_wait().expect("it can be asked") {
            break ended;
        }
        std::thread::sleep(Duration::from_millis(1));
    };
    assert_eq!(ended.code(), Some(0));
    (peak, serde_json::from_slice(&fs::read(said).expect("its words")).expect("JSON"))
}

#[test]
fn ten_thousand_sessions() {
    let scene = Scene::new();
    let few = ledger(&scene, "few", FEW);
    let many = ledger(&scene, "many", MANY);
    let (low, _) = status(&scene, &few);
    let (high, told) = status(&scene, &many);
    let sessions = told["sessions"].as_array().expect("a list");
    assert_eq!(sessions.len(), MANY);
    assert!(sessions.iter().all(|one| one["hydration"] == "dehydrated"));
    one_is_hydrated_alone(&scene, &many);
    match (low, high) {
        (Some(low), Some(high)) => {
            let line = format!("status holds {} MB of {FEW} sessions, {} MB of {MANY}", low >> 20, high >> 20);
            writeln!(std::io::stderr(), "{line}").ok();
            assert!(high as f64 <= low as f64 * MEMORY_FACTOR_MAX, "{line}");
        }
        _ => drop(writeln!(std::io::stderr(), "SKIPPED: this system does not tell how much memory a program holds")),
    }
}

/// Hydrates one session while every other manifest is broken and has a time that shows who reads it.
fn one_is_hydrated_alone(scene: &Scene, ledger: &Path) {
    let wanted = MANY / 2;
    scene.upload(&content(wanted));
    let manifest = |number: usize| ledger.join("sessions").join(name(number)).join("meta.json");
    let long_ago = SystemTime::now() - Duration::from_secs(LONG_AGO_SECONDS);
    for number in (0..MANY).filter(|number| *number != wanted) {
        fs::write(manifest(number), b"<<<<<<< poison\n").expect("written");
        let times = FileTimes::new().set_accessed(long_ago).set_modified(long_ago + Duration::from_secs(9));
        File::options().write(true).open(manifest(number)).and_then(|file| file.set_times(times)).expect("its times");
    }
    let read_since = |number: usize| {
        fs::metadata(manifest(number)).and_then(|facts| facts.accessed()).is_ok_and(|at| at != long_ago)
    };
    let json = scene.hydrant(ledger, &["hydrate", &name(wanted), "--json"]).ends(0).json();
    assert_eq!(json["objects"], 1, "{json}");
    assert_eq!(scene.cached(ledger, &blob_of(&content(wanted)).oid), Some(content(wanted)));
    let read: Vec<usize> = (0..MANY).filter(|number| *number != wanted && read_since(*number)).collect();
    assert!(read.is_empty(), "to hydrate one session it read {} other manifests", read.len());
    // Where reading leaves no trace, broken manifests alone have shown that nobody cares for them.
    fs::read(manifest(0)).expect("readable");
    if !read_since(0) {
        writeln!(std::io::stderr(), "times of access are not kept here: the broken manifests are the only witness")
            .ok();
    }
}
