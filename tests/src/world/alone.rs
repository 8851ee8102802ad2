//! The simulated host without an operation: one effect after the other, each to its end.

use super::host::{Replies, perform};
use super::{Fault, Feed, Remote, Server, Store};
use hydrant_lfs::contract::{Effect, Failed, Failure, Reply};

/// A server, a store, a remote and a way to feed bytes.
#[derive(Clone, Debug)]
pub struct Alone {
    /// The far side.
    pub server: Server,
    /// The near side.
    pub store: Store,
    /// The ledger.
    pub remote: Remote,
    /// How bytes are fed.
    pub feed: Feed,
}

/// What an effect has still to say.
#[derive(Debug)]
pub struct Rest(Replies);

impl Alone {
    /// An empty store and a server that holds nothing.
    pub fn new(feed: Feed) -> Self {
        Self { server: Server::default(), store: Store::default(), remote: Remote::default(), feed }
    }

    /// Performs an effect to its end; all its replies.
    pub fn perform(&mut self, effect: &Effect, fault: Fault) -> Vec<Reply> {
        let replies = perform(effect, fault, self.feed, &mut self.server, &mut self.store, &mut self.remote);
        self.go_on(Rest(replies))
    }

    /// Performs an effect up to its head: what was said, and what comes later. A stage that is written has its name.
    pub fn begin(&mut self, effect: &Effect, fault: Fault) -> (Vec<Reply>, Rest) {
        let mut replies = perform(effect, fault, self.feed, &mut self.server, &mut self.store, &mut self.remote);
        let heads = replies.iter().position(|(reply, _)| matches!(reply, Reply::Head(_))).map_or(0, |at| at + 1);
        let rest = replies.split_off(heads);
        (replies.into_iter().map(|(reply, _)| reply).collect(), Rest(rest))
    }

    /// Lets an effect go on to its end.
    pub fn go_on(&mut self, rest: Rest) -> Vec<Reply> {
        let mut said = Vec::new();
        for (reply, deed) in rest.0 {
            if let Some(Err(detail)) = deed.map(|deed| deed.take_place(&mut self.store)) {
                said.push(Reply::Failed(Failed { why: Failure::Io, detail }));
                return said;
            }
            said.push(reply);
        }
        said
    }

    /// The user commits files here and does not push.
    pub fn commit_here(&mut self, files: Vec<(String, Option<Vec<u8>>)>) {
        self.store.commit(&self.remote.history, files);
    }

    /// Performs an effect up to its head and cancels it there.
    pub fn cancel_after_head(&mut self, effect: &Effect, fault: Fault) -> Vec<Reply> {
        let (mut said, _) = self.begin(effect, fault);
        said.push(Reply::Failed(Failed { why: Failure::Aborted, detail: String::new() }));
        said
    }
}
