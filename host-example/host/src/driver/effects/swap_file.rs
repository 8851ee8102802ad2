//! Content gives way to its pointer, by a worker; the store learns of what was displaced.

use std::io;
use std::rc::Rc;
use std::sync::Arc;

use tokio::task::spawn_local;

use crate::contract::failure::{of_io, reply};
use crate::contract::types::{Failure, Reply, Swap};
use crate::driver::answers::Answers;
use crate::driver::shared::Shared;
use crate::worktree::swap::{Swapped, swap};

pub(super) fn begin(shared: &Rc<Shared>, asked: Swap, answers: Answers) {
    // The contract knows no progress of a swap.
    answers.gauge.hush();
    let shared = Rc::clone(shared);
    spawn_local(async move {
        let done = perform(&shared, asked, &answers).await;
        answers.last(match done {
            Ok(Some(Swapped::At(revision, _))) => Reply::At(revision),
            Ok(Some(Swapped::Conflict)) => Reply::Conflict,
            Ok(Some(Swapped::Absent)) => Reply::Absent,
            Ok(None) => reply(Failure::Io, "this command has no place for content that is displaced"),
            Err(error) => Reply::Failed(of_io(&error)),
        });
    });
}

/// None when there is no ledger, or no store that takes what is displaced.
async fn perform(shared: &Shared, asked: Swap, answers: &Answers) -> io::Result<Option<Swapped>> {
    let (Some(ledger), Some(store), Some(aside)) = (&shared.ledger, &shared.store, shared.aside()?) else {
        return Ok(None);
    };
    let (tree, gauge) = (ledger.tree().clone(), Arc::clone(&answers.gauge));
    let work = move || {
        let wanted = move || gauge.still_wanted();
        let left = aside.enter(&tree, &asked.name)?;
        Ok::<_, io::Error>((left, swap(&tree, &aside, &asked, wanted)?))
    };
    let (left, swapped) = shared.workers.pick()?.run(work).await??;
    let displaced = if let Swapped::At(_, Some(note)) = &swapped { Some(note.clone()) } else { None };
    store.borrow_mut().learn(left.into_iter().chain(displaced));
    Ok(Some(swapped))
}
