//! Whether the store has a blob. Most answers are known at once; what must be hashed first is hashed in a lane.

use std::rc::Rc;

use super::{Answers, no_store};
use crate::digest::Digesting;
use crate::failure::of_io;
use crate::host::Shared;
use crate::store::{Held, MEMORY_BYTES_MAX, Proof, StageFile, Staged, hash_into};
use crate::wit::types::{Blob, Partial, Reply};

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
        Ok(Held::Partial { bytes, validator }) => Reply::Partial(Partial { bytes, validator }),
        Ok(Held::Whole(stage)) => return Err(Later::Stage(stage)),
        Ok(Held::Unproved(proof)) if blob.size <= MEMORY_BYTES_MAX => prove_now(shared, blob, proof),
        Ok(Held::Unproved(proof)) => return Err(Later::Proof(proof)),
        Err(error) => Reply::Failed(of_io(&error)),
    })
}

/// A small file is hashed on the spot: a lane would cost more than the hash.
fn prove_now(shared: &Shared, blob: &Blob, mut proof: Proof) -> Reply {
    let found = proof.work().and_then(|work| work.hash());
    settle(shared, blob, proof, found)
}

/// Hashes in a lane, then answers.
pub(super) async fn hash(shared: Rc<Shared>, blob: Blob, later: Later, answers: Answers) {
    let answer = match later {
        Later::Stage(stage) => hash_stage(&shared, &blob, stage, &answers).await,
        Later::Proof(proof) => hash_proof(&shared, &blob, proof, &answers).await,
    };
    answers.last(answer);
}

async fn hash_stage(shared: &Shared, blob: &Blob, mut stage: StageFile, answers: &Answers) -> Reply {
    let hashed = async {
        let mut file = stage.rewound()?;
        shared
            .lanes
            .pick()?
            .run(move || {
                let mut digest = Digesting::new();
                hash_into(&mut digest, &mut file).map(|_| digest.finish())
            })
            .await?
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
    let hashed = async {
        let work = proof.work()?;
        shared.lanes.pick()?.run(move || work.hash()).await?
    };
    let found = hashed.await;
    if answers.gauge.is_stopped()
        && let Some(store) = &shared.store
    {
        store.borrow_mut().abandon(proof);
        return Reply::Absent;
    }
    settle(shared, blob, proof, found)
}

fn settle(shared: &Shared, blob: &Blob, proof: Proof, found: std::io::Result<Blob>) -> Reply {
    let Some(store) = &shared.store else { return no_store() };
    let mut store = store.borrow_mut();
    let settled = match found {
        Ok(found) => store.settle(blob, proof, &found),
        Err(error) => {
            store.abandon(proof);
            Err(error)
        }
    };
    match settled {
        Ok(true) => Reply::Present,
        Ok(false) => Reply::Absent,
        Err(error) => Reply::Failed(of_io(&error)),
    }
}
