//! At most two worker threads for work on large files: hashing, writing, reading.
//!
//! Rule: a worker does its jobs in the order they were given, and whoever gives more than it can hold waits, so that
//! memory stays bounded.

use std::cell::{Cell, RefCell};
use std::io;
use std::thread;

use tokio::sync::{mpsc, oneshot};

/// Worker threads at most.
pub const WORKERS_MAX: usize = 2;
/// Jobs that may wait in one worker.
const WORKER_JOBS_MAX: usize = 4;

type Job = Box<dyn FnOnce() + Send>;

/// The workers; their threads start with the first job and end with the last owner.
#[derive(Default)]
pub struct Workers {
    workers: RefCell<Vec<Worker>>,
    next: Cell<usize>,
}

/// One worker thread. What one owner gives it is done in that order.
#[derive(Clone)]
pub struct Worker(mpsc::Sender<Job>);

impl Workers {
    /// A worker, in turn.
    pub fn pick(&self) -> io::Result<Worker> {
        let mut workers = self.workers.borrow_mut();
        if workers.len() < WORKERS_MAX {
            workers.push(Worker::start()?);
        }
        let turn = self.next.get();
        self.next.set(turn.wrapping_add(1));
        Ok(workers[turn % workers.len()].clone())
    }
}

impl Worker {
    fn start() -> io::Result<Worker> {
        let (sender, mut jobs) = mpsc::channel::<Job>(WORKER_JOBS_MAX);
        thread::Builder::new().name("hydrant-worker".into()).spawn(move || {
            while let Some(job) = jobs.blocking_recv() {
                job();
            }
        })?;
        Ok(Worker(sender))
    }

    /// Gives a job away; waits only while the worker is full.
    pub async fn submit(&self, job: impl FnOnce() + Send + 'static) -> io::Result<()> {
        self.0.send(Box::new(job)).await.map_err(|_| gone())
    }

    /// Does a job in the worker and waits for what it returns.
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
