//! A folder, a server and the programs that act in it, with nobody's settings.

use std::ffi::OsStr;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::{env, fs, process};

use hydrant_host::files::digest::blob_of;
use hydrant_server::{RunningServer, Server, ServerConfig};
use serde_json::Value;

use crate::schemas;

/// The token of every server here.
pub const TOKEN: &str = "tok-5ecret-of-the-scene";

/// What every repository here is told. Written as a file: three calls of git would take longer than most tests.
const SETTINGS: &[u8] = b"[user]\n\tname = nobody\n\temail = nobody@example.test\n[commit]\n\tgpgSign = false\n\
[maintenance]\n\tauto = false\n";

pub struct Scene {
    pub server: RunningServer,
    pub folder: PathBuf,
}

/// What a program said and how it ended.
pub struct Ran {
    pub code: i32,
    pub out: String,
    pub err: String,
}

impl Ran {
    fn new(output: &Output) -> Self {
        Self {
            code: output.status.code().unwrap_or(-1),
            out: String::from_utf8_lossy(&output.stdout).into_owned(),
            err: String::from_utf8_lossy(&output.stderr).into_owned(),
        }
    }

    /// The same, having ended with this code.
    #[track_caller]
    pub fn ends(self, code: i32) -> Self {
        assert_eq!(self.code, code, "stdout:\n{}\nstderr:\n{}", self.out, self.err);
        self
    }

    #[track_caller]
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.out).unwrap_or_else(|error| panic!("{error}: {}", self.out))
    }
}

impl Default for Scene {
    fn default() -> Self {
        Self::new()
    }
}

impl Scene {
    pub fn new() -> Self {
        Self::with(|_| {})
    }

    pub fn with(adjust: impl FnOnce(&mut ServerConfig)) -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let name = format!("hydrant-scene-{}-{}", process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
        let folder = env::temp_dir().join(name);
        fs::create_dir_all(folder.join("home")).expect("a fresh folder");
        let folder = folder.canonicalize().expect("it is there");
        let mut config = ServerConfig::new(folder.join("server"));
        config.token = Some(TOKEN.to_owned());
        adjust(&mut config);
        Self { server: Server::spawn(config).expect("the server starts"), folder }
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    /// Makes a file below the scene's folder.
    pub fn file(&self, name: &str, bytes: &[u8]) -> PathBuf {
        let path = self.path(name);
        fs::create_dir_all(path.parent().expect("it has one")).expect("folders");
        fs::write(&path, bytes).expect("a file");
        path
    }

    /// The LFS URL, with the login inside.
    pub fn url(&self) -> String {
        self.server.url().replace("http://", &format!("http://me:{TOKEN}@")) + "/team/repo.git/info/lfs"
    }

    /// The LFS URL without a login.
    pub fn bare_url(&self) -> String {
        self.server.url() + "/team/repo.git/info/lfs"
    }

    /// A program with nobody's settings.
    pub fn program(&self, program: impl AsRef<OsStr>, directory: &Path) -> Command {
        let mut command = Command::new(program);
        for (name, _) in env::vars_os() {
            let name = name.to_string_lossy();
            if name.starts_with("GIT_") || name.starts_with("HYDRANT_") || name.starts_with("OX_") {
                command.env_remove(name.as_ref());
            }
        }
        command.current_dir(directory).env("HOME", self.path("home")).env("GIT_CONFIG_NOSYSTEM", "1");
        command
            .env_remove("XDG_CONFIG_HOME")
            .env_remove("XDG_STATE_HOME")
            .env("GIT_TERMINAL_PROMPT", "0")
            .env("GIT_LFS_SKIP_SMUDGE", "1");
        command.stdin(Stdio::null());
        command
    }

    /// The program under test, ready for more.
    pub fn hydrant_command(&self, directory: &Path) -> Command {
        self.program(hydrant(), directory)
    }

    pub fn hydrant<S: AsRef<OsStr>>(&self, directory: &Path, arguments: &[S]) -> Ran {
        let ran = Ran::new(&self.hydrant_command(directory).args(arguments).output().expect("hydrant runs"));
        let words: Vec<&str> = arguments.iter().filter_map(|one| one.as_ref().to_str()).collect();
        if words.contains(&"--json") && !ran.out.is_empty() {
            schemas::check(&words, &ran.json());
        }
        ran
    }

    /// The same with more variables in its environment.
    pub fn hydrant_with<S: AsRef<OsStr>>(&self, directory: &Path, env: &[(&str, &str)], arguments: &[S]) -> Ran {
        let mut command = self.hydrant_command(directory);
        Ran::new(&command.envs(env.iter().copied()).args(arguments).output().expect("hydrant runs"))
    }

    /// Starts the program and leaves it running.
    pub fn hydrant_running<S: AsRef<OsStr>>(&self, directory: &Path, arguments: &[S]) -> Child {
        let mut command = self.hydrant_command(directory);
        command.args(arguments).stdout(Stdio::piped()).stderr(Stdio::piped());
        command.spawn().expect("hydrant runs")
    }

    #[track_caller]
    pub fn git<S: AsRef<OsStr>>(&self, directory: &Path, arguments: &[S]) -> String {
        let output = self.program("git", directory).args(arguments).output().expect("git runs");
        let ran = Ran::new(&output);
        assert_eq!(ran.code, 0, "{}{}", ran.out, ran.err);
        ran.out
    }

    /// A repository with one commit of everything that stands in its folder.
    #[track_caller]
    pub fn repository(&self, name: &str) -> PathBuf {
        let folder = self.path(name);
        fs::create_dir_all(&folder).expect("a folder");
        self.git(&folder, &["init", "--quiet", "--initial-branch=main"]);
        let mut config = fs::OpenOptions::new().append(true).open(folder.join(".git/config")).expect("git made it");
        config.write_all(SETTINGS).expect("its settings");
        self.commit(&folder);
        folder
    }

    #[track_caller]
    pub fn commit(&self, folder: &Path) {
        self.git(folder, &["add", "--all"]);
        self.git(folder, &["commit", "--quiet", "--allow-empty", "--message", "something"]);
    }

    /// Brings bytes to the server; their oid.
    #[track_caller]
    pub fn upload(&self, bytes: &[u8]) -> String {
        let oid = blob_of(bytes).oid;
        let path = self.file(&format!("up/{oid}"), bytes);
        self.hydrant(&self.folder, &["upload".as_ref(), "--endpoint".as_ref(), self.url().as_ref(), path.as_os_str()])
            .ends(0);
        oid
    }

    /// Whether the real git-lfs is installed; says so when it is not.
    pub fn has_git_lfs(&self) -> bool {
        let asked = self.program("git", &self.folder).args(["lfs", "version"]).output();
        let here = asked.is_ok_and(|output| output.status.success());
        if !here {
            writeln!(std::io::stderr(), "SKIPPED: git-lfs").ok();
        }
        here
    }

    /// What the cache of a repository holds under an oid.
    pub fn cached(&self, repository: &Path, oid: &str) -> Option<Vec<u8>> {
        fs::read(repository.join(".git/hydrant/cache").join(&oid[..2]).join(oid)).ok()
    }
}

impl Drop for Scene {
    fn drop(&mut self) {
        fs::remove_dir_all(&self.folder).ok();
    }
}

/// The command that cargo built beside the test program.
fn hydrant() -> PathBuf {
    let own = env::current_exe().expect("this program");
    let built = own.parent().and_then(Path::parent).expect("target/PROFILE/deps").join("hydrant");
    assert!(built.exists(), "{} is not built", built.display());
    built
}

/// The canonical pointer of some bytes.
pub fn pointer(bytes: &[u8]) -> String {
    let blob = blob_of(bytes);
    format!("version https://git-lfs.github.com/spec/v1\noid sha256:{}\nsize {}\n", blob.oid, blob.size)
}

/// Bytes that look random and are always the same.
pub fn noise(length: usize, seed: u64) -> Vec<u8> {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let mut bytes = Vec::with_capacity(length + 8);
    while bytes.len() < length {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        bytes.extend_from_slice(&state.to_le_bytes());
    }
    bytes.truncate(length);
    bytes
}
