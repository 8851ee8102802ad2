//! The sandbox: loads the embedded engine and hands out one bounded instance per operation.
//!
//! Rule: a guest gets no import, at most `GUEST_MEMORY_BYTES_MAX` of memory and `CALL_MS_MAX` per call.

mod guest;
mod operation;

use std::sync::{Arc, Weak};
use std::thread;
use std::time::Duration;

use wasmtime::component::{Component, Linker};
use wasmtime::{Config, StoreLimits, StoreLimitsBuilder, Trap};

use crate::contract::error::HostError;
use crate::contract::{World, WorldPre};

pub use guest::Guest;
pub use operation::Operation;

/// Bytes of memory one sandbox may use.
pub const GUEST_MEMORY_BYTES_MAX: usize = 256 << 20;
/// Milliseconds one call into the sandbox may take.
pub const CALL_MS_MAX: u64 = 5_000;
/// Milliseconds between two looks at the calls that run.
const EPOCH_MS: u64 = 50;

/// The engine, compiled ahead of time for this target and carried inside the program.
static COMPILED: &[u8] = include_bytes!(env!("HYDRANT_ENGINE_CWASM"));

/// The wasmtime settings. What is compiled ahead of time must be compiled with the same ones.
pub fn config() -> Config {
    let mut config = Config::new();
    config.wasm_component_model(true);
    config.epoch_interruption(true);
    config
}

/// The loaded engine. Cheap to share; every operation gets a sandbox of its own.
pub struct Engine {
    engine: Arc<wasmtime::Engine>,
    world: WorldPre<Cell>,
}

impl Engine {
    /// Loads the embedded engine.
    pub fn load() -> Result<Engine, HostError> {
        Engine::load_compiled(COMPILED)
    }

    fn load_compiled(compiled: &[u8]) -> Result<Engine, HostError> {
        let engine = wasmtime::Engine::new(&config()).map_err(unloadable)?;
        // SAFETY: these bytes were compiled by this project's build and are part of this very program file; whoever
        // can change them can change the program itself.
        let component = unsafe { Component::deserialize(&engine, compiled) }.map_err(unloadable)?;
        // An empty linker: a component that imports anything cannot be instantiated.
        let linker = Linker::<Cell>::new(&engine);
        let world = linker.instantiate_pre(&component).and_then(WorldPre::new).map_err(unloadable)?;
        let engine = Arc::new(engine);
        tick(Arc::downgrade(&engine))?;
        Ok(Engine { engine, world })
    }

    /// A fresh sandbox.
    pub fn guest(&self) -> Result<Guest, HostError> {
        let limits = StoreLimitsBuilder::new().memory_size(GUEST_MEMORY_BYTES_MAX).build();
        let mut store = wasmtime::Store::new(&self.engine, Cell { limits });
        store.limiter(|cell| &mut cell.limits);
        store.set_epoch_deadline(CALL_MS_MAX.div_ceil(EPOCH_MS));
        let world: World = self.world.instantiate(&mut store).map_err(stopped)?;
        Ok(Guest::new(store, world))
    }
}

/// What the host keeps beside a sandbox: its limits and nothing else.
pub(crate) struct Cell {
    limits: StoreLimits,
}

/// Moves the epoch on while the engine lives; a call whose deadline passes is trapped.
fn tick(engine: Weak<wasmtime::Engine>) -> Result<(), HostError> {
    let beat = move || {
        while let Some(engine) = engine.upgrade() {
            engine.increment_epoch();
            drop(engine);
            thread::sleep(Duration::from_millis(EPOCH_MS));
        }
    };
    thread::Builder::new()
        .name("hydrant-epoch".into())
        .stack_size(64 << 10)
        .spawn(beat)
        .map(drop)
        .map_err(|error| HostError::io("the engine's clock cannot start", &error))
}

/// The embedded engine does not fit this program: a broken build.
fn unloadable(error: wasmtime::Error) -> HostError {
    HostError::Sandbox(format!("the embedded engine cannot be loaded ({})", error.root_cause()))
}

/// One clear error for whatever ended a call: a trap, the deadline, the memory limit.
pub(crate) fn stopped(error: wasmtime::Error) -> HostError {
    let why = match error.downcast_ref::<Trap>() {
        Some(Trap::Interrupt) => format!("one call took longer than {} seconds", CALL_MS_MAX / 1000),
        Some(Trap::StackOverflow) => "it ran out of stack".into(),
        Some(Trap::UnreachableCodeReached) => "the engine gave up, out of memory or by a fault of its own".into(),
        Some(trap) => trap.to_string(),
        None => error.root_cause().to_string(),
    };
    HostError::Sandbox(why)
}

#[cfg(test)]
mod tests;
