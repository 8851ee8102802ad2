//! Everything that tests hydrant and is not a unit test: the simulated world, the judges of conformance vectors, the
//! recorder whose recordings other hosts replay.

pub mod engine;
pub mod transcript;
pub mod vectors;
pub mod world;
