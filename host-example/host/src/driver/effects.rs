//! Performs the effects of one operation: small ones at once, the others as tasks that answer over one channel.
//!
//! Rule: every effect is answered within the grammar of the contract, and after its last answer or its cancel nothing
//! of it reaches the engine any more.

mod has_blob;
mod ledger;
mod read_file;
mod swap_file;

use std::collections::HashMap;
use std::io;
use std::rc::Rc;
use std::time::{Duration, Instant};

use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::task::spawn_local;
use tokio::time::timeout;

use crate::contract::failure::{of_io, reply};
use crate::contract::types::{Blob, Effect, EffectId, Failure, Reply, Task};
use crate::documents::{Documents, Saved, is_journal};
use crate::driver::answers::{Answers, Event, Stop, Watched};
use crate::driver::exchange;
use crate::driver::shared::Shared;

/// Milliseconds between two looks at the open effects: so progress comes at most ten times a second.
pub const BEAT_MS: u64 = 100;
/// Milliseconds that cancelled effects get to keep what they staged.
const SETTLE_MS_MAX: u64 = 5_000;

/// The open effects of one operation.
pub(crate) struct Effects {
    shared: Rc<Shared>,
    open: HashMap<EffectId, Watched>,
    sender: UnboundedSender<Event>,
    receiver: UnboundedReceiver<Event>,
}

impl Effects {
    pub(crate) fn new(shared: Rc<Shared>) -> Self {
        let (sender, receiver) = unbounded_channel();
        Effects { shared, open: HashMap::new(), sender, receiver }
    }

    /// Performs an effect. A reply that is known at once is returned; all others come over the channel.
    pub(crate) fn begin(&mut self, task: Task) -> Option<Reply> {
        match task.effect {
            Effect::Http(exchange) => {
                let answers = self.answers(task.id);
                spawn_local(exchange::perform(Rc::clone(&self.shared), exchange, answers));
                None
            }
            Effect::ReadFile(reading) => {
                let answers = self.answers(task.id);
                read_file::begin(&self.shared, &reading, answers);
                None
            }
            Effect::HasBlob(blob) => self.has_blob(task.id, blob),
            Effect::LoadDoc(name) => Some(self.with_documents(|documents| {
                let found = documents.load(&name, self.shared.files.as_ref())?;
                Ok(found.map_or(Reply::Absent, Reply::Doc))
            })),
            Effect::SaveDoc(saving) => Some(self.with_documents(|documents| {
                // Before anything is sent: whoever goes on from a journal needs the verdicts of what it names.
                if let Some(gate) = self.shared.gate.as_ref().filter(|_| is_journal(&saving.name)) {
                    gate.remember();
                }
                Ok(match documents.save(&saving)? {
                    Saved::At(revision) => {
                        if saving.replaces.is_none() && is_journal(&saving.name) {
                            self.shared.begun.replace(Some(revision.clone()));
                        }
                        Reply::At(revision)
                    }
                    Saved::Removed => Reply::End,
                    Saved::Conflict => Reply::Conflict,
                })
            })),
            Effect::KeepBlob(it) => Some(self.with_store(|store| store.keep(&it.stage, &it.blob.oid))),
            Effect::DropStage(stage) => Some(self.with_store(|store| store.drop_stage(&stage))),
            Effect::LoadLedger(lookup) => self.ask_ledger(task.id, ledger::Ask::Load(lookup)),
            Effect::PushLedger(push) => self.ask_ledger(task.id, ledger::Ask::Push(push)),
            Effect::SettleLedger(settle) => self.ask_ledger(task.id, ledger::Ask::Settle(settle)),
            Effect::SwapFile(swap) => {
                let answers = self.answers(task.id);
                swap_file::begin(&self.shared, swap, answers);
                None
            }
            Effect::LoadPushRange => self.ask_ledger(task.id, ledger::Ask::PushRange),
            Effect::RewriteLedger(rewrite) => self.ask_ledger(task.id, ledger::Ask::Rewrite(rewrite)),
        }
    }

    fn ask_ledger(&mut self, id: EffectId, ask: ledger::Ask) -> Option<Reply> {
        let answers = self.answers(id);
        ledger::begin(&self.shared, ask, answers);
        None
    }

    fn with_documents(&self, act: impl FnOnce(&Documents) -> io::Result<Reply>) -> Reply {
        let Some(documents) = &self.shared.documents else { return reply(Failure::Io, "this command has no ledger") };
        act(documents).unwrap_or_else(|error| Reply::Failed(of_io(&error)))
    }

    fn has_blob(&mut self, id: EffectId, blob: Blob) -> Option<Reply> {
        match has_blob::look(&self.shared, &blob) {
            Ok(now) => Some(now),
            Err(later) => {
                let answers = self.answers(id);
                spawn_local(has_blob::hash(Rc::clone(&self.shared), blob, later, answers));
                None
            }
        }
    }

    fn with_store(&self, act: impl FnOnce(&mut crate::store::Store) -> io::Result<()>) -> Reply {
        let Some(store) = &self.shared.store else { return no_store() };
        match act(&mut store.borrow_mut()) {
            Ok(()) => Reply::End,
            Err(error) => Reply::Failed(of_io(&error)),
        }
    }

    fn answers(&mut self, id: EffectId) -> Answers {
        let answers = Answers::new(id, self.sender.clone());
        self.open.insert(id, Watched::new(answers.gauge.clone()));
        answers
    }

    /// Closes an effect at the engine's wish. Its task ends by itself and keeps what it staged.
    pub(crate) fn cancel(&mut self, id: EffectId) -> Option<Reply> {
        let watched = self.open.remove(&id)?;
        watched.stop(Stop::Aborted);
        Some(reply(Failure::Aborted, "stopped"))
    }

    /// An answer that is there already.
    pub(crate) fn ready(&mut self) -> Option<(EffectId, Reply)> {
        while let Ok(event) = self.receiver.try_recv() {
            if let Some(answer) = self.admit(event) {
                return Some(answer);
            }
        }
        None
    }

    /// The next answer; never comes while nothing is open.
    pub(crate) async fn next(&mut self) -> (EffectId, Reply) {
        loop {
            match self.receiver.recv().await {
                Some(event) => {
                    if let Some(answer) = self.admit(event) {
                        return answer;
                    }
                }
                None => std::future::pending().await,
            }
        }
    }

    /// Answers of effects that are closed are dropped.
    fn admit(&mut self, event: Event) -> Option<(EffectId, Reply)> {
        if !self.open.contains_key(&event.id) {
            return None;
        }
        if event.last {
            self.open.remove(&event.id);
        }
        Some((event.id, event.reply))
    }

    pub(crate) fn is_idle(&self) -> bool {
        self.open.is_empty()
    }

    /// Looks at all open effects: says how far they are, and ends those on which nothing moves.
    pub(crate) fn beat(&mut self) {
        let now = Instant::now();
        for (id, watched) in &mut self.open {
            if let Some(moved) = watched.look(now) {
                // The receiver is ours, so sending cannot fail.
                self.sender.send(Event { id: *id, reply: Reply::SoFar(moved), last: false }).ok();
            }
        }
    }

    /// Waits, for a bounded time, until every task has put its stage in order.
    pub(crate) async fn settle(mut self) {
        for watched in self.open.values() {
            watched.stop(Stop::Aborted);
        }
        drop(self.sender);
        let all = async { while self.receiver.recv().await.is_some() {} };
        // A task that does not end in time has nothing that a later run would miss.
        timeout(Duration::from_millis(SETTLE_MS_MAX), all).await.ok();
    }
}

pub(crate) fn no_store() -> Reply {
    reply(Failure::Io, "this command has no place for blobs")
}

#[cfg(test)]
mod tests;
