//! The ledger's effects: git is waited for in threads of its own, never in the loop.

use std::rc::Rc;
use std::sync::Arc;

use tokio::task::{spawn_blocking, spawn_local};

use crate::contract::failure::{failed, reply};
use crate::contract::types::{Failed, Failure, Lookup, Push, Reply, Rewrite, Settle};
use crate::driver::answers::Answers;
use crate::driver::shared::{CACHED, Shared};
use crate::remote::{Pushed, RemoteLedger, Rewritten, Settled};

/// One look at the ledger or one step of it.
pub(super) enum Ask {
    Load(Lookup),
    Push(Push),
    Settle(Settle),
    PushRange,
    Rewrite(Rewrite),
}

pub(super) fn begin(shared: &Rc<Shared>, ask: Ask, answers: Answers) {
    // The contract knows no progress of these.
    answers.gauge.hush();
    let Some(ledger) = shared.ledger.clone() else {
        return answers.last(reply(Failure::Io, "this command has no ledger"));
    };
    let mut refusal = None;
    if let (Some(gate), Ask::Push(push)) = (&shared.gate, &ask) {
        let open = |name: &str, oid: &str| match shared.open(&format!("{CACHED}{oid}"))? {
            Some(cached) => Ok(Some(cached)),
            None => shared.open(name),
        };
        refusal = gate.check_push(&push.files, open).err();
    }
    let gauge = Arc::clone(&answers.gauge);
    let gate = shared.gate.clone().filter(|_| refusal.is_some());
    let work = spawn_blocking(move || match (ask, refusal) {
        (Ask::Push(push), Some(why)) => held(&ledger, &push, &why).map(|reply| (reply, push.files)),
        (ask, _) => perform(&ledger, &ask, &|| !gauge.is_stopped()).map(|reply| (reply, Vec::new())),
    });
    spawn_local(async move {
        let done = work.await.unwrap_or_else(|_| Err(failed(Failure::Io, "a worker thread ended")));
        if let (Some(gate), Ok((Reply::At(_), files))) = (&gate, &done) {
            gate.forget(files);
        }
        answers.last(done.map_or_else(Reply::Failed, |(reply, _)| reply));
    });
}

/// A push that the gate refuses. What the remote has already does not go out once more.
fn held(ledger: &RemoteLedger, push: &Push, why: &str) -> Result<Reply, Failed> {
    Ok(match ledger.held(push)? {
        Some(tip) => Reply::At(tip),
        None => reply(Failure::Refused, why),
    })
}

/// Only the look at the remote is ended early: everything else runs to its end.
fn perform(ledger: &RemoteLedger, ask: &Ask, wanted: &dyn Fn() -> bool) -> Result<Reply, Failed> {
    Ok(match ask {
        Ask::Load(lookup) => Reply::Ledger(ledger.load(lookup, wanted)?),
        Ask::Push(push) => match ledger.push(push)? {
            Pushed::At(tip) => Reply::At(tip),
            Pushed::Conflict => Reply::Conflict,
        },
        Ask::Settle(settle) => match ledger.settle(settle)? {
            Settled::Done => Reply::End,
            Settled::Conflict => Reply::Conflict,
        },
        Ask::PushRange => Reply::PushRange(ledger.push_range()?),
        Ask::Rewrite(rewrite) => match ledger.rewrite(rewrite)? {
            Rewritten::At(tip) => Reply::At(tip),
            Rewritten::Conflict => Reply::Conflict,
        },
    })
}
