//! The ground that every workload of our own stands on: where its files are, which core whom belongs to, and a world
//! in which no setting of the user's or of this machine reaches a client.

use crate::child;
use crate::failure::{Because, Failure, Result};
use crate::memory::Scratch;
use crate::terminal::remark;
use crate::workspace::Workspace;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

/// Minutes for one command that prepares or checks.
const COMMAND_MINUTES_MAX: u64 = 15;
/// The core of servers and of the delay.
const SERVER_CORE: u8 = 0;
/// The core of clients.
const CLIENT_CORE: u8 = 1;
/// Variables by which git would act on another repository than the one it is called in.
const GIT_PLACES: [&str; 5] = ["GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_COMMON_DIR", "GIT_PREFIX"];

/// Where and how things run.
pub(super) struct Ground {
    /// The program under test.
    pub(super) hydrant: PathBuf,
    /// `target/bench`.
    pub(super) home: PathBuf,
    /// Two cores and a program that binds to them.
    pinned: bool,
    /// This program, which measures clients as a child of its own.
    pub(super) xtask: PathBuf,
}

impl Ground {
    pub(super) fn prepare(workspace: &Workspace, hydrant: PathBuf) -> Result<Self> {
        let home = workspace.target.join("bench");
        fs::create_dir_all(home.join("data")).because("the folder of the benchmark cannot be made")?;
        fs::write(home.join("gitconfig"), "").because("an empty git configuration cannot be written")?;
        let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
        let pinned = cores > 1 && is_installed("taskset");
        let xtask = std::env::current_exe().because("this program cannot find itself")?;
        Ok(Self { hydrant, home, pinned, xtask })
    }

    /// What a reader of the figures must know.
    pub(super) fn remarks(&self) {
        if !self.pinned {
            remark("taskset or a second core is missing: clients and servers share their cores");
        }
    }

    /// A program for a client, bound to its core.
    pub(super) fn on_client_core(&self, program: &Path) -> Command {
        self.on_core(CLIENT_CORE, program)
    }

    /// A program for a server, bound to its core. Its process id is that of the returned command's child.
    pub(super) fn on_server_core(&self, program: &Path) -> Command {
        self.on_core(SERVER_CORE, program)
    }

    /// A program of a client that no server runs beside: it has both cores.
    pub(super) fn on_both_cores(&self, program: &Path) -> Command {
        self.on_cores(&format!("{CLIENT_CORE},{SERVER_CORE}"), program)
    }

    fn on_core(&self, core: u8, program: &Path) -> Command {
        let mut command = self.on_cores(&core.to_string(), program);
        self.isolate(&mut command);
        command
    }

    fn on_cores(&self, cores: &str, program: &Path) -> Command {
        if !self.pinned {
            return Command::new(program);
        }
        let mut taskset = Command::new("taskset");
        taskset.args(["-c", cores]).arg(program);
        taskset
    }

    /// Takes the user's and the machine's git settings away, and the repository around the target folder.
    pub(super) fn isolate(&self, command: &mut Command) {
        for name in GIT_PLACES {
            command.env_remove(name);
        }
        command.env("GIT_CONFIG_NOSYSTEM", "1").env("GIT_CONFIG_GLOBAL", self.home.join("gitconfig"));
        command.env("GIT_CEILING_DIRECTORIES", &self.home).env("GIT_TERMINAL_PROMPT", "0");
        command.env("GIT_CONFIG_COUNT", "0").stdin(Stdio::null());
    }

    /// An empty folder of this name.
    pub(super) fn fresh(&self, name: &str) -> Result<PathBuf> {
        let folder = self.home.join("work").join(name);
        if folder.exists() {
            fs::remove_dir_all(&folder).because("the folder of an earlier run cannot be removed")?;
        }
        fs::create_dir_all(&folder).because("a folder cannot be made")?;
        Ok(folder)
    }

    /// An empty folder for the store of a server that is written to while the clock runs: in memory, where the system
    /// has such a folder. A server that syncs every object to a disk would hide its clients.
    pub(super) fn store(&self) -> Result<Scratch> {
        if let Some(memory) = Scratch::in_memory("bench", &self.home, 0)? {
            return Ok(memory);
        }
        remark("there is no folder in memory: the server's disk is part of every upload");
        Ok(Scratch { folder: self.fresh("store")? })
    }

    /// Runs a command that prepares or checks; its lines, or its failure.
    pub(super) fn succeed(&self, command: &mut Command) -> Result<Vec<String>> {
        self.isolate(command);
        let said = self.home.join("last-words.txt");
        let words = fs::File::create(&said).because("the words of a command cannot be kept")?;
        let ended = child::run(command.stderr(words), Duration::from_secs(COMMAND_MINUTES_MAX * 60), false)?;
        if ended.ok { Ok(ended.lines.into()) } else { Err(self.failure(command)) }
    }

    /// Git in a folder.
    pub(super) fn git(&self, folder: &Path, arguments: &[&str]) -> Result<Vec<String>> {
        self.succeed(Command::new("git").current_dir(folder).args(arguments))
    }

    /// A failure with the command's last words. They are kept in `last-words.txt`.
    pub(super) fn failure(&self, command: &Command) -> Failure {
        let said = fs::read(self.home.join("last-words.txt")).unwrap_or_default();
        let said = String::from_utf8_lossy(&said).into_owned();
        let lines: Vec<&str> = said.lines().filter(|line| !line.trim().is_empty()).collect();
        // A measured client's own words come before those of its stopwatch.
        let last =
            if lines.is_empty() { "nothing".to_owned() } else { lines[lines.len().saturating_sub(2)..].join("; ") };
        let name = command.get_program().to_string_lossy().into_owned();
        let first: Vec<_> = command.get_args().take(4).map(|word| word.to_string_lossy().into_owned()).collect();
        Failure::new(format!("`{name} {}` failed; it said last: {last}", first.join(" ")))
    }
}

/// Whether a program can be started.
pub(super) fn is_installed(program: &str) -> bool {
    let status = Command::new(program).arg("--version").stdout(Stdio::null()).stderr(Stdio::null()).status();
    status.is_ok_and(|status| status.success())
}

/// A path as an argument of git and of a list; the target folder's own name is the only part that could be odd.
pub(super) fn text(path: &Path) -> Result<&str> {
    path.to_str().ok_or_else(|| Failure::new("the path of the target folder is not UTF-8"))
}
