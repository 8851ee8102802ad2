//! The simulated host without an operation: one effect after the other, each to its end.

use super::host::perform;
use super::{Fault, Feed, Remote, Server, Store};
use hydrant_core::contract::{Effect, Failed, Failure, Reply};

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

impl Alone {
    /// An empty store and a server that holds nothing.
    pub fn new(feed: Feed) -> Self {
        Self { server: Server::default(), store: Store::default(), remote: Remote::default(), feed }
    }

    /// Performs an effect to its end; all its replies.
    pub fn perform(&mut self, effect: &Effect, fault: Fault) -> Vec<Reply> {
        let replies = perform(effect, fault, self.feed, &mut self.server, &mut self.store, &mut self.remote);
        let mut said = Vec::new();
        for (reply, deed) in replies {
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
        let replies = perform(effect, fault, self.feed, &mut self.server, &mut self.store, &mut self.remote);
        let heads = replies.iter().position(|(reply, _)| matches!(reply, Reply::Head(_))).map_or(0, |at| at + 1);
        let mut said: Vec<Reply> = replies.into_iter().take(heads).map(|(reply, _)| reply).collect();
        said.push(Reply::Failed(Failed { why: Failure::Aborted, detail: String::new() }));
        said
    }
}
