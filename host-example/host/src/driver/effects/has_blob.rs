//! Whether the store has a blob. Most answers are known at once; what must be hashed first is hashed by a worker.

use std::io;
use std::rc::Rc;
use std::sync::Arc;

use super::no_store;
use crate::contract::failure::of_io;
use crate::contract::types::{Beginning, Blob, Reply};
use crate::driver::answers::Answers;
use crate::driver::shared::Shared;
use crate::files::digest::Digesting;
use crate::store::{Held, MEMORY_BYTES_MAX, Proof, StageFile, Staged, hash_into, unwatched};

/// What has to be hashed before there is an answer.
pub(super) enum Later {
    Stage(StageFile),
    Proof(Proof),
}

/// The answer, or what must be hashed for it.
pub(super) fn look(shared: &Shared, blob: &Blob) -> Result<Reply, Later> {
    let Some(store) = &shared.store else { return Ok(no_store()) };
    let held = store.borrow_mut().has(blob);
    Ok(match held {
        Ok(Held::Present) => Reply::Present,
        Ok(Held::Absent) => Reply::Absent,
        Ok(Held::Partial { bytes, validator }) => Reply::Partial(beginning(blob, bytes, validator)),
        Ok(Held::Whole(stage)) => return Err(Later::Stage(stage)),
        Ok(Held::Unproved(proof)) if blob.size <= MEMORY_BYTES_MAX => prove_now(shared, blob, proof),
        Ok(Held::Unproved(proof)) => return Err(Later::Proof(proof)),
        Err(error) => Reply::Failed(of_io(&error)),
    })
}

/// A leftover has the name of its blob: there is one of each, and its lock is ours.
fn beginning(blob: &Blob, bytes: u64, validator: Option<String>) -> Beginning {
    Beginning { stage: blob.oid.clone(), bytes, validator }
}

/// A small file is hashed on the spot: a worker would cost more than the hash.
fn prove_now(shared: &Shared, blob: &Blob, mut proof: Proof) -> Reply {
    let found = proof.work().and_then(|work| work.hash(unwatched));
    settle(shared, blob, proof, found)
}

/// Hashes by a worker, then answers.
pub(super) async fn hash(shared: Rc<Shared>, blob: Blob, later: Later, answers: Answers) {
    let answer = match later {
        Later::Stage(stage) => hash_stage(&shared, &blob, stage, &answers).await,
        Later::Proof(proof) => hash_proof(&shared, &blob, proof, &answers).await,
    };
    answers.last(answer);
}

async fn hash_stage(shared: &Shared, blob: &Blob, mut stage: StageFile, answers: &Answers) -> Reply {
    answers.say(Reply::Partial(beginning(blob, blob.size, None)));
    let gauge = Arc::clone(&answers.gauge);
    let hashed = async {
        let mut file = stage.rewound()?;
        let step = move |bytes| {
            gauge.moved(bytes);
            gauge.still_wanted()
        };
        let work = move || {
            let mut digest = Digesting::new();
            hash_into(&mut digest, &mut file, step).map(|_| digest.finish())
        };
        shared.workers.pick()?.run(work).await?
    };
    match hashed.await {
        Ok(found) => {
            if let (Some(store), false) = (&shared.store, answers.gauge.is_stopped()) {
                store.borrow_mut().hold(&blob.oid, Staged::File(stage));
            }
            Reply::Received(found)
        }
        Err(error) => Reply::Failed(of_io(&error)),
    }
}

async fn hash_proof(shared: &Shared, blob: &Blob, mut proof: Proof, answers: &Answers) -> Reply {
    let gauge = Arc::clone(&answers.gauge);
    let hashed = async {
        let work = proof.work()?;
        shared.workers.pick()?.run(move || work.hash(move |_| gauge.still_wanted())).await?
    };
    let found = hashed.await;
    // Nobody wants it any more: nothing changes.
    if answers.gauge.is_stopped() { Reply::Absent } else { settle(shared, blob, proof, found) }
}

fn settle(shared: &Shared, blob: &Blob, proof: Proof, found: io::Result<Option<Blob>>) -> Reply {
    let Some(store) = &shared.store else { return no_store() };
    let settled = match found {
        Ok(Some(found)) => store.borrow_mut().settle(blob, proof, &found),
        // What cannot be read is not there.
        Ok(None) => Ok(false),
        Err(error) => Err(error),
    };
    match settled {
        Ok(true) => Reply::Present,
        Ok(false) => Reply::Absent,
        Err(error) => Reply::Failed(of_io(&error)),
    }
}
