//! At most two worker threads for work on large files: hashing, writing, reading.
//!
//! Rule: a lane does its jobs in the order they were given, and whoever gives more than a lane can hold waits, so that
//! memory stays bounded.

use std::cell::{Cell, RefCell};
use std::io;
use std::thread;

use tokio::sync::{mpsc, oneshot};

/// Worker threads at most.
pub const LANES_MAX: usize = 2;
/// Jobs that may wait in one lane.
const LANE_JOBS_MAX: usize = 4;

type Job = Box<dyn FnOnce() + Send>;

/// The lanes; their threads start with the first job and end with the last owner.
#[derive(Default)]
pub struct Lanes {
    lanes: RefCell<Vec<Lane>>,
    next: Cell<usize>,
}

/// One worker thread. What one owner gives it is done in that order.
#[derive(Clone)]
pub struct Lane(mpsc::Sender<Job>);

impl Lanes {
    /// A lane, in turn.
    pub fn pick(&self) -> io::Result<Lane> {
        let mut lanes = self.lanes.borrow_mut();
        if lanes.len() < LANES_MAX {
            lanes.push(Lane::start()?);
        }
        let turn = self.next.get();
        self.next.set(turn.wrapping_add(1));
        Ok(lanes[turn % lanes.len()].clone())
    }
}

impl Lane {
    fn start() -> io::Result<Lane> {
        let (sender, mut jobs) = mpsc::channel::<Job>(LANE_JOBS_MAX);
        thread::Builder::new().name("hydrant-lane".into()).spawn(move || {
            while let Some(job) = jobs.blocking_recv() {
                job();
            }
        })?;
        Ok(Lane(sender))
    }

    /// Gives a job away; waits only while the lane is full.
    pub async fn submit(&self, job: impl FnOnce() + Send + 'static) -> io::Result<()> {
        self.0.send(Box::new(job)).await.map_err(|_| gone())
    }

    /// Does a job in the lane and waits for what it returns.
    pub async fn run<R: Send + 'static>(&self, job: impl FnOnce() -> R + Send + 'static) -> io::Result<R> {
        let (answer, result) = oneshot::channel();
        // Nobody waits for the result once the caller was cancelled; the work itself is done all the same.
        self.submit(move || drop(answer.send(job()))).await?;
        result.await.map_err(|_| gone())
    }
}

fn gone() -> io::Error {
    io::Error::other("a worker thread ended")
}
