//! A server that another program runs for a while: started on a free loopback port, awaited, and ended with its owner.

use crate::child;
use crate::failure::{Because, Failure, Result};
use std::fs::File;
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

/// Seconds until a server must accept connections.
const START_SECONDS_MAX: u64 = 60;
/// Minutes for an installer.
const INSTALL_MINUTES_MAX: u64 = 30;
/// Minutes for any other command.
const COMMAND_MINUTES_MAX: u64 = 10;

/// A running server.
pub(crate) struct Peer {
    child: Child,
}

impl Peer {
    /// Starts `command`, whose words go to a log, and waits until its port accepts connections.
    pub(crate) fn start(command: &mut Command, port: u16, log: &Path) -> Result<Self> {
        let words = File::create(log).because("the log cannot be written")?;
        let copy = words.try_clone().because("the log cannot be shared")?;
        let name = command.get_program().display().to_string();
        command.stdin(Stdio::null()).stdout(words).stderr(copy);
        let mut peer = Self { child: command.spawn().because(format!("{name} cannot be started"))? };
        let deadline = Instant::now() + Duration::from_secs(START_SECONDS_MAX);
        while TcpStream::connect(("127.0.0.1", port)).is_err() {
            let gone = peer.child.try_wait().because("the server cannot be watched")?.is_some();
            if gone || Instant::now() > deadline {
                let said = std::fs::read_to_string(log).unwrap_or_default();
                let last = said.lines().next_back().unwrap_or("nothing").to_owned();
                return Err(Failure::new(format!("the server did not come up; it said last: {last}")));
            }
            thread::sleep(Duration::from_millis(50));
        }
        Ok(peer)
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        // It may have ended by itself; then there is nothing to kill.
        let _ended = self.child.kill().and_then(|()| self.child.wait()).is_err();
    }
}

/// A port that was free a moment ago.
pub(crate) fn free_port() -> Result<u16> {
    let listener = TcpListener::bind(("127.0.0.1", 0)).because("no loopback port is free")?;
    Ok(listener.local_addr().because("the port cannot be read")?.port())
}

/// Runs a command to its end; its last words are part of the failure.
pub(crate) fn finish(command: &mut Command) -> Result<Vec<String>> {
    bounded(command, COMMAND_MINUTES_MAX)
}

/// The same with the patience that installers need.
pub(crate) fn install(command: &mut Command) -> Result<Vec<String>> {
    bounded(command, INSTALL_MINUTES_MAX)
}

/// Runs a command that must end without success, by itself.
pub(crate) fn refused(command: &mut Command) -> Result<()> {
    let ended = child::run(command, Duration::from_secs(COMMAND_MINUTES_MAX * 60), false)?;
    if ended.ok || ended.timed_out {
        let how = if ended.ok { "it went well" } else { "it did not end" };
        return Err(Failure::new(format!("it had to be refused, and {how}")));
    }
    Ok(())
}

fn bounded(command: &mut Command, minutes: u64) -> Result<Vec<String>> {
    let name = command.get_program().display().to_string();
    let ended = child::run(command, Duration::from_secs(minutes * 60), false)?;
    if ended.ok {
        return Ok(ended.lines.into());
    }
    let last = ended.lines.back().map_or("nothing", String::as_str);
    let arguments: Vec<_> = command.get_args().map(|argument| argument.to_string_lossy().into_owned()).collect();
    Err(Failure::new(format!("`{name} {}` failed; it said last: {last}", arguments.join(" "))))
}
