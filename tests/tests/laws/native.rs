//! The core's operations of every kind, behind one face.

use hydrant_ledger::publish::Publication;
use hydrant_lfs::contract::{Config, Direction, Source, Want};
use hydrant_lfs::operations::LockTask;
use hydrant_lfs::{Blob, Error};
use hydrant_tests::engine::{Engine as _, Native, Run, Start};

/// A running operation.
pub(crate) type Running = Box<dyn Run>;

pub(crate) fn hydrate(config: Config, wants: Vec<Want>) -> Result<Running, Error> {
    Native.begin(&config, &Start::Hydrate(wants))
}

pub(crate) fn download(config: Config, wants: Vec<Want>) -> Result<Running, Error> {
    Native.begin(&config, &Start::Download(wants))
}

pub(crate) fn hydrate_session(config: Config, session: &str) -> Result<Running, Error> {
    Native.begin(&config, &Start::HydrateSession(session.to_owned()))
}

pub(crate) fn upload(config: Config, sources: Vec<Source>) -> Result<Running, Error> {
    Native.begin(&config, &Start::Upload(sources))
}

pub(crate) fn batch(config: Config, direction: Direction, objects: Vec<Blob>) -> Result<Running, Error> {
    Native.begin(&config, &Start::Batch(direction, objects))
}

pub(crate) fn locks(config: Config, task: LockTask) -> Result<Running, Error> {
    Native.begin(&config, &Start::Locks(task))
}

pub(crate) fn publish(config: Config, publication: Publication) -> Result<Running, Error> {
    Native.begin(&config, &Start::Publish(publication))
}
