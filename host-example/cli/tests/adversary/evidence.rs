//! Runs one case and looks at everything it left behind: output, files, and what each server heard.

use std::ffi::OsString;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread;
use std::time::{Duration, Instant};
use std::{env, fs, process};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hydrant_host::files::digest::blob_of;
use serde_json::Value;

use crate::case::{Case, Ends, Job, Tls};
use crate::liar::{Blob, Liar, Seen};
use crate::secure;
use crate::talk::{AWAY_SECRET, HEADER_SECRET, QUERY_SECRET};

/// The token of the environment.
pub(crate) const TOKEN: &str = "tok-5ecret-7730";
/// The password in the endpoint's URL.
pub(crate) const PASSWORD: &str = "pw-5ecret-2284";
/// The user in it.
pub(crate) const USER: &str = "me";

/// Milliseconds between two looks at a running program.
const LOOK_MS: u64 = 10;

/// How the program reports.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Voice {
    Json,
    Words,
}

/// A folder that is gone when its owner is.
pub(crate) struct Scratch(PathBuf);

impl Scratch {
    pub(crate) fn new() -> Scratch {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let name = format!("hydrant-adversary-{}-{}", process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
        let folder = env::temp_dir().join(name);
        fs::create_dir_all(folder.join("home")).expect("a fresh folder");
        Scratch(folder)
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        fs::remove_dir_all(&self.0).ok();
    }
}

/// What one run left behind.
pub(crate) struct Evidence {
    pub(crate) seen: Vec<Seen>,
    pub(crate) code: i32,
    pub(crate) out: String,
    pub(crate) err: String,
    blobs: Vec<Blob>,
    job: Job,
    voice: Voice,
    folder: PathBuf,
    _scratch: Scratch,
}

impl Evidence {
    /// Runs a case; an error when it does not end in time.
    pub(crate) fn gather(case: &Case, voice: Voice) -> Result<Evidence, String> {
        let blobs: Vec<Blob> = (1..).zip(case.sizes).map(|(seed, size)| blob(seed, *size)).collect();
        let tls = match case.tls {
            Tls::None => None,
            Tls::Trusted | Tls::Unknown => Some(secure::server("server")),
            Tls::Named(shown, _) => Some(secure::server(shown)),
        };
        let liar = Liar::start(blobs.clone(), case.script, tls);
        let scratch = Scratch::new();
        let folder = scratch.path("objects");
        if case.job == Job::Upload {
            fs::create_dir(&folder).expect("a folder");
            blobs.iter().for_each(|blob| fs::write(folder.join(&blob.oid), &blob.bytes).expect("a file"));
        }
        let home = liar.plot.home.to_string();
        let scheme = if case.tls == Tls::None { "http" } else { "https" };
        let endpoint = format!("{scheme}://{USER}:{PASSWORD}@{}", case.endpoint.replace("{home}", &home));
        let mut command = hydrant(&scratch, case.job, &blobs, &folder, &endpoint);
        command.args(case.flags).arg("-v").args((voice == Voice::Json).then_some("--json"));
        if case.proxied {
            command.env("http_proxy", format!("http://{home}"));
        }
        match case.tls {
            Tls::None | Tls::Unknown => {}
            Tls::Trusted => drop(command.env("GIT_SSL_CAINFO", secure::certificate("authority"))),
            Tls::Named(_, name) => drop(command.env("GIT_SSL_CAINFO", secure::certificate(name))),
        }
        let (code, out, err) = finish(&mut command, Duration::from_secs(case.seconds))?;
        let (seen, job) = (liar.plot.seen(), case.job);
        Ok(Evidence { seen, code, out, err, blobs, job, voice, folder, _scratch: scratch })
    }

    /// What holds after every run, however it went.
    pub(crate) fn is_clean(&self) -> Result<(), String> {
        for (text, name) in [(&self.out, "stdout"), (&self.err, "stderr")] {
            if text.contains("panicked") || text.contains("the sandbox stopped") {
                return Err(format!("{name} tells of a crash"));
            }
            if let Some(secret) = secrets().into_iter().find(|secret| text.contains(secret)) {
                return Err(format!("{name} tells {secret}"));
            }
            if text.chars().any(|letter| letter.is_control() && letter != '\n') {
                return Err(format!("{name} could steer a terminal"));
            }
        }
        let abroad = self.seen.iter().filter(|seen| seen.away);
        for seen in abroad {
            let heard = format!("{}{}", seen.head, String::from_utf8_lossy(&seen.body));
            if let Some(secret) = secrets().into_iter().find(|secret| secret != AWAY_SECRET && heard.contains(secret)) {
                return Err(format!("another origin heard {secret}"));
            }
        }
        if self.job == Job::Hydrate { only_right_files(&self.folder, &self.blobs) } else { Ok(()) }
    }

    /// Exit code, report and files say this.
    pub(crate) fn ends(&self, ends: Ends) -> Result<(), String> {
        let (code, codes) = match ends {
            Ends::Done => (0, vec![""; self.blobs.len()]),
            Ends::Codes(codes) => (1, codes.to_vec()),
            Ends::Whole(whole) => return self.ends_whole(whole),
        };
        self.exits(code)?;
        for (blob, code) in self.blobs.iter().zip(&codes) {
            if self.job == Job::Hydrate && self.folder.join(&blob.oid).exists() != code.is_empty() {
                return Err(format!("{} should end as {code:?}", blob.oid));
            }
        }
        if self.voice == Voice::Words {
            let missing = codes.iter().find(|code| !self.err.contains(&format!(": {code}")) && !code.is_empty());
            return missing.map_or(Ok(()), |code| Err(format!("the words do not say {code}")));
        }
        let report = self.report()?;
        let outcomes = report["outcomes"].as_array().ok_or("no outcomes")?;
        let found: Vec<&str> = outcomes.iter().map(|one| one["error"]["code"].as_str().unwrap_or_default()).collect();
        if found == codes { Ok(()) } else { Err(format!("{found:?} instead of {codes:?}")) }
    }

    fn ends_whole(&self, whole: &str) -> Result<(), String> {
        self.exits(3)?;
        if self.voice == Voice::Words {
            return if self.err.contains("hydrant: ") { Ok(()) } else { Err("no word of why".into()) };
        }
        let found = self.report()?["error"]["code"].as_str().unwrap_or_default().to_owned();
        if found == whole { Ok(()) } else { Err(format!("{found:?} instead of {whole:?}")) }
    }

    fn exits(&self, code: i32) -> Result<(), String> {
        if self.code == code { Ok(()) } else { Err(format!("exit code {} instead of {code}", self.code)) }
    }

    /// The JSON report.
    pub(crate) fn report(&self) -> Result<Value, String> {
        serde_json::from_str(&self.out).map_err(|error| format!("no JSON: {error}"))
    }

    /// Whether it reports in JSON.
    pub(crate) fn is_json(&self) -> bool {
        self.voice == Voice::Json
    }

    /// The reason with what it is judged by.
    pub(crate) fn with(&self, why: &str) -> String {
        let shown = |text: &str| text.chars().take(1500).collect::<String>();
        let asked: Vec<&str> = self.seen.iter().take(20).map(Seen::what).collect();
        format!("{why}\n  stdout: {}\n  stderr: {}\n  asked: {asked:?}", shown(&self.out), shown(&self.err))
    }
}

/// The program with nobody's settings and every secret it can be given.
pub(crate) fn hydrant(scratch: &Scratch, job: Job, blobs: &[Blob], folder: &Path, endpoint: &str) -> Command {
    let list: String = blobs.iter().map(|blob| format!("{} {}\n", blob.oid, blob.bytes.len())).collect();
    fs::write(scratch.path("list"), list).expect("a list");
    let (verb, place) = match job {
        Job::Hydrate => ("hydrate", "--into"),
        Job::Upload => ("upload", "--from"),
    };
    let mut command = Command::new(env!("CARGO_BIN_EXE_hydrant"));
    for (name, _) in env::vars_os() {
        let text = name.to_string_lossy().to_ascii_lowercase();
        let ours = ["git_", "hydrant_", "ox_"].iter().any(|begin| text.starts_with(begin));
        if ours || text.ends_with("_proxy") {
            command.env_remove(&name);
        }
    }
    command.env("HOME", scratch.path("home")).env_remove("XDG_CONFIG_HOME").env("GIT_CONFIG_NOSYSTEM", "1");
    command.env("GIT_TERMINAL_PROMPT", "0").env("GIT_ASKPASS", "true").env("HYDRANT_LFS_TOKEN", TOKEN);
    command.current_dir(scratch.path("home")).stdin(Stdio::null());
    let arguments: [OsString; 9] = [
        verb.into(),
        "--objects".into(),
        scratch.path("list").into(),
        place.into(),
        folder.into(),
        "--endpoint".into(),
        endpoint.into(),
        "--idle-timeout".into(),
        "2".into(),
    ];
    command.args(arguments);
    command
}

/// Runs a program to its end: exit code, standard output, standard error. One that does not end is ended.
pub(crate) fn finish(command: &mut Command, bound: Duration) -> Result<(i32, String, String), String> {
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("hydrant runs");
    let out = child.stdout.take().map(|pipe| thread::spawn(|| drained(pipe)));
    let err = child.stderr.take().map(|pipe| thread::spawn(|| drained(pipe)));
    let code = wait(&mut child, bound);
    let text = |pipe: Option<thread::JoinHandle<String>>| pipe.and_then(|pipe| pipe.join().ok()).unwrap_or_default();
    let (out, err) = (text(out), text(err));
    match code {
        Some(code) => Ok((code, out, err)),
        None => {
            Err(format!("it did not end within {bound:?}\n  stderr: {}", err.chars().take(1500).collect::<String>()))
        }
    }
}

fn wait(child: &mut Child, bound: Duration) -> Option<i32> {
    let started = Instant::now();
    while started.elapsed() < bound {
        if let Some(status) = child.try_wait().expect("a child") {
            return Some(status.code().unwrap_or(-1));
        }
        thread::sleep(Duration::from_millis(LOOK_MS));
    }
    child.kill().and_then(|()| child.wait()).expect("ended");
    None
}

fn drained(mut pipe: impl Read) -> String {
    let mut bytes = Vec::new();
    pipe.read_to_end(&mut bytes).ok();
    String::from_utf8_lossy(&bytes).into_owned()
}

/// Files named by an oid hold its bytes; everything else is the stage of an object that is not there yet.
pub(crate) fn only_right_files(folder: &Path, blobs: &[Blob]) -> Result<(), String> {
    let Ok(entries) = fs::read_dir(folder) else { return Ok(()) };
    for entry in entries.flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        let staged = |blob: &&Blob| {
            let stage = format!(".hydrant-{}.part", blob.oid);
            (name == stage || name == format!("{stage}.from")) && !folder.join(&blob.oid).exists()
        };
        if blobs.iter().any(|blob| staged(&blob)) {
            continue;
        }
        let Some(blob) = blobs.iter().find(|blob| blob.oid == name) else { return Err(format!("{name} is left")) };
        if fs::read(entry.path()).map_err(|error| error.to_string())? != blob.bytes {
            return Err(format!("{name} holds something else"));
        }
    }
    Ok(())
}

/// Bytes that look random and are always the same, and what they hash to.
pub(crate) fn blob(seed: u64, length: usize) -> Blob {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let mut bytes = Vec::with_capacity(length + 8);
    while bytes.len() < length {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        bytes.extend_from_slice(&state.to_le_bytes());
    }
    bytes.truncate(length);
    Blob { oid: blob_of(&bytes).oid, bytes }
}

/// Every secret in every form in which it could get out.
fn secrets() -> Vec<String> {
    let basic = |user: &str, password: &str| STANDARD.encode(format!("{user}:{password}"));
    [TOKEN, PASSWORD, HEADER_SECRET, QUERY_SECRET, AWAY_SECRET]
        .map(str::to_owned)
        .into_iter()
        .chain([basic("oauth2", TOKEN), basic(USER, PASSWORD)])
        .collect()
}
