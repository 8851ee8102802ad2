//! Everything that tests hydrant and is not a unit test: the simulated world, the judges of conformance vectors, the
//! recorder whose recordings other hosts replay.

pub mod engine;
pub mod fixtures;
pub mod fuzz;
pub mod life;
pub mod record;
pub mod tour;
pub mod trace;
pub mod vectors;
pub mod world;
