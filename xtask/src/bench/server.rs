//! `hydrant serve` as the server of a workload, and the relay that makes it far away. Both end with their owner.

use super::ground::{Ground, text};
use super::part::PART;
use crate::failure::{Because, Failure, Result};
use crate::memory::Scratch;
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

/// Seconds until a server must have said where it listens.
const START_SECONDS_MAX: u64 = 30;
/// What stands before the address in the server's first line.
const SERVING: &str = "serving ";

/// A running server.
pub(super) struct Server {
    /// Ends before the relay does: fields are dropped in order.
    _process: Process,
    _relay: Option<Relay>,
    /// Removed when the server has ended.
    _store: Option<Scratch>,
    /// The address of one repository on it, for clients.
    pub(super) endpoint: String,
}

impl Server {
    /// Starts a server of this store on a free loopback port, with `delay_ms` before every answer.
    pub(super) fn start(ground: &Ground, store: &Path, delay_ms: u64) -> Result<Self> {
        let relay = if delay_ms == 0 { None } else { Some(Relay::start(ground, delay_ms)?) };
        let mut command = ground.on_server_core(&ground.hydrant);
        command.args(["serve", "--open", "--quiet", "--listen", "127.0.0.1:0", "--store", text(store)?]);
        if let Some(relay) = &relay {
            // The server hands out addresses that lead through the relay, too.
            command.args(["--public-host", &relay.address]);
        }
        let (process, line) = Process::start(&mut command)?;
        let address = line.strip_prefix(SERVING).ok_or_else(|| Failure::new("the server said no address"))?;
        let own = address.strip_prefix("http://").unwrap_or(address).to_owned();
        let base = match &relay {
            Some(relay) => format!("http://{}", relay.address),
            None => format!("http://{own}"),
        };
        let relay = relay.map(|relay| relay.lead_to(&own)).transpose()?;
        Ok(Self { _process: process, _relay: relay, _store: None, endpoint: format!("{base}/bench") })
    }

    /// Starts an empty server, whose store goes with it.
    pub(super) fn start_empty(ground: &Ground) -> Result<Self> {
        let store = ground.store()?;
        let server = Self::start(ground, &store.folder, 0)?;
        Ok(Self { _store: Some(store), ..server })
    }
}

/// A process of our own that delays answers.
struct Relay {
    _process: Process,
    /// Open as long as the relay shall run.
    input: ChildStdin,
    address: String,
}

impl Relay {
    fn start(ground: &Ground, delay_ms: u64) -> Result<Self> {
        let mut command = ground.on_server_core(&ground.xtask);
        command.args([PART, "delay", &delay_ms.to_string()]).stdin(Stdio::piped());
        let (mut process, address) = Process::start(&mut command)?;
        let input = process.child.stdin.take().ok_or_else(|| Failure::new("the relay has no input"))?;
        Ok(Self { _process: process, input, address })
    }

    fn lead_to(mut self, server: &str) -> Result<Self> {
        writeln!(self.input, "{server}").because("the relay cannot be told where the server is")?;
        Ok(self)
    }
}

/// A child that ends with its owner.
struct Process {
    child: Child,
}

impl Process {
    /// Starts the command and waits for its first line.
    fn start(command: &mut Command) -> Result<(Self, String)> {
        let mut child = command.stdout(Stdio::piped()).spawn().because("the server cannot be started")?;
        let stdout = child.stdout.take();
        let process = Self { child };
        let stdout = stdout.ok_or_else(|| Failure::new("the server has no output"))?;
        let (told, first) = mpsc::channel();
        // The reader goes on to the end, so that the server can never block on what it prints.
        thread::spawn(move || {
            for line in BufReader::new(stdout).lines() {
                let Ok(line) = line else { return };
                let _nobody_waits = told.send(line).is_err();
            }
        });
        let line = first.recv_timeout(Duration::from_secs(START_SECONDS_MAX));
        Ok((process, line.because("the server did not come up")?))
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // It may have ended by itself; then there is nothing to kill.
        let _ended = self.child.kill().and_then(|()| self.child.wait()).is_err();
    }
}
