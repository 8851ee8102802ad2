//! The move of a branch in two steps: first nobody else can move it any more, then it moves.
//!
//! Rule: whoever dies between the two leaves the branch where it was; git lets go of it when its input ends.

use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::thread;
use std::time::Duration;

use super::{DURABLE, Place, words};
use crate::contract::types::{Failed, Failure};
use crate::process::{keep_to_ourselves, spawn};

/// Seconds that git may take for a step.
const STEP_SECONDS_MAX: u64 = 20;

/// A branch that is held in place.
pub(super) struct BranchMove {
    child: Child,
    input: Option<ChildStdin>,
    lines: Receiver<String>,
}

impl BranchMove {
    /// Holds the branch where it is expected to be; none when it is not there, or somebody else moves it.
    pub(super) fn prepare(place: &Place, old: &str, new: &str) -> Result<Option<Self>, Failed> {
        Self::prepare_for(place, old, new, "hydrant: follow the remote")
    }

    /// The same with other words for the branch's log.
    pub(super) fn prepare_for(place: &Place, old: &str, new: &str, why: &str) -> Result<Option<Self>, Failed> {
        let mut command = place.git.command();
        keep_to_ourselves(&mut command);
        command.args(DURABLE).args(["update-ref", "-m", why, "--stdin"]);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut child = spawn(&mut command).map_err(words::of_file)?;
        let (sender, lines) = channel();
        if let Some(output) = child.stdout.take() {
            thread::spawn(move || {
                // Ends with git's output, or when nobody listens any more.
                BufReader::new(output).lines().map_while(Result::ok).all(|line| sender.send(line).is_ok())
            });
        }
        let input = child.stdin.take();
        let mut held = Self { child, input, lines };
        let orders = format!("start\nupdate refs/heads/{} {new} {old}\nprepare\n", place.branch);
        Ok(held.order(&orders, "prepare: ok").then_some(held))
    }

    /// An error when a lock of git's keeps the branch from moving, and not another place of it.
    pub(super) fn is_free(place: &Place) -> Result<(), Failed> {
        let branch = format!("refs/heads/{}.lock", place.branch);
        for path in [place.git_dir.join("HEAD.lock"), place.common_dir.join(branch)] {
            if path.symlink_metadata().is_ok() {
                let name = path.strip_prefix(&place.common_dir).unwrap_or(&path).display().to_string();
                let sentence = format!(
                    "the branch is locked by {name} in git's folder: another git is at work here, or one that died \
                     left it"
                );
                return Err(words::failed(Failure::Io, &sentence));
            }
        }
        Ok(())
    }

    /// Moves it.
    pub(super) fn commit(mut self) -> Result<(), Failed> {
        if self.order("commit\n", "commit: ok") {
            return Ok(());
        }
        Err(words::failed(Failure::Io, "git did not move the branch"))
    }

    /// Gives an order and waits until git confirms it.
    fn order(&mut self, orders: &str, confirmed: &str) -> bool {
        let given = self.input.as_mut().is_some_and(|input| input.write_all(orders.as_bytes()).is_ok());
        let mut lines = std::iter::from_fn(|| self.lines.recv_timeout(Duration::from_secs(STEP_SECONDS_MAX)).ok());
        given && lines.any(|line| line == confirmed)
    }
}

impl Drop for BranchMove {
    fn drop(&mut self) {
        // The end of its input makes git let go and end.
        self.input = None;
        let ended = loop {
            match self.lines.recv_timeout(Duration::from_secs(STEP_SECONDS_MAX)) {
                Ok(_) => {}
                Err(why) => break why == RecvTimeoutError::Disconnected,
            }
        };
        if !ended {
            self.child.kill().ok();
        }
        self.child.wait().ok();
    }
}
