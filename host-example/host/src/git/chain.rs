//! git commands each of which feeds the next.
//!
//! Rule: a chain of which one command failed said nothing at all.

use std::sync::mpsc::channel;
use std::time::{Duration, Instant};

use super::Git;
use super::fault::{GIT_REMOTE_SECONDS_MAX, GitFault};
use super::stream::{Running, Said};

/// Runs the chain and reads what its last command says to the end.
pub(crate) fn read<R, E: From<GitFault>>(
    git: &Git,
    chain: &[&[&str]],
    take: impl FnMut(&mut Said) -> Result<R, E>,
) -> Result<R, E> {
    read_fed(git, None, chain, take)
}

/// The same for a chain whose first command reads what it is to do.
pub(crate) fn read_fed<R, E: From<GitFault>>(
    git: &Git,
    input: Option<Vec<u8>>,
    chain: &[&[&str]],
    mut take: impl FnMut(&mut Said) -> Result<R, E>,
) -> Result<R, E> {
    let patience = Duration::from_secs(GIT_REMOTE_SECONDS_MAX);
    let (feed, fed) = channel();
    let fed = input.map(|bytes| feed.send(bytes).map(|()| fed)).and_then(Result::ok);
    drop(feed);
    let (mut running, mut said) =
        Running::start(chain.iter().map(|arguments| git.command_of(arguments)).collect(), fed, patience)?;
    let deadline = Instant::now() + patience;
    let taken = take(&mut said);
    drop(said);
    match taken {
        Ok(taken) => Ok(running.finish(deadline).map(|()| taken)?),
        // A command that failed explains more than the answer that broke off.
        Err(why) => Err(running.finish_broken().map_or(why, E::from)),
    }
}
