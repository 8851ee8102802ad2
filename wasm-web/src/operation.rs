//! The resource `operation` of WIT as a class.

use crate::functions::answer;
use crate::lane::{Put, Take};
use crate::machine::{AnyMachine, AnyReport};
use crate::platform::Single;
#[cfg(feature = "full")]
use crate::platform::fold;
#[cfg(feature = "full")]
use alloc::string::String;
use alloc::vec::Vec;
use core::cell::{OnceCell, RefCell};
#[cfg(feature = "full")]
use hydrant_ledger::hydrate_session_with;
#[cfg(feature = "full")]
use hydrant_lfs::contract::Source;
use hydrant_lfs::contract::{Config, Direction, EffectId, Instant, Misuse, Reply, Want};
#[cfg(feature = "full")]
use hydrant_lfs::operations::LockTask;
use hydrant_lfs::operations::Machine;
use hydrant_lfs::{Blob, Error, Handle, Operation, Seeds};
use wasm_bindgen::prelude::wasm_bindgen;

static SEEDS: Single<OnceCell<Seeds>> = Single(OnceCell::new());

/// An operation behind a handle.
#[wasm_bindgen]
pub struct Running(RefCell<Handle<AnyMachine>>);

impl Running {
    /// Begins an operation of any kind; an error goes to the lane.
    fn begin<M: Machine>(
        operation: impl FnOnce(Config) -> Result<Operation<M>, Error>,
        any: impl FnOnce(M) -> AnyMachine,
    ) -> Option<Self> {
        let begun = Config::take().and_then(|config| {
            let seed = SEEDS.0.get_or_init(Seeds::default).take(config.seed)?;
            Ok(Handle::new(operation(config)?.map(any), seed))
        });
        begun.map(|handle| Self(RefCell::new(handle))).map_err(Put::put).ok()
    }

    /// Takes the report of a machine of this kind.
    fn finish<R: Put>(&self, is_kind: impl FnOnce(&AnyMachine) -> bool, report: impl FnOnce(AnyReport) -> Option<R>) {
        let taken = self.0.borrow_mut().take(is_kind);
        taken.and_then(|any| report(any).ok_or(Misuse::AnotherKind)).put();
    }
}

#[wasm_bindgen]
impl Running {
    pub fn hydrate() -> Option<Running> {
        Self::begin(|config| Operation::hydrate(config, Vec::<Want>::take()?), AnyMachine::Download)
    }

    pub fn download() -> Option<Running> {
        Self::begin(|config| Operation::download(config, Vec::<Want>::take()?), AnyMachine::Download)
    }

    pub fn batch() -> Option<Running> {
        let begin = |config| {
            let direction = Direction::take()?;
            Operation::batch(config, direction, &Vec::<Blob>::take()?)
        };
        Self::begin(begin, AnyMachine::Batch)
    }

    #[cfg(feature = "full")]
    #[wasm_bindgen(js_name = hydrateSession)]
    pub fn hydrate_session() -> Option<Running> {
        Self::begin(|config| hydrate_session_with(config, &String::take()?, fold), AnyMachine::HydrateSession)
    }

    #[cfg(feature = "full")]
    pub fn upload() -> Option<Running> {
        Self::begin(|config| Operation::upload(config, Vec::<Source>::take()?), AnyMachine::Upload)
    }

    #[cfg(feature = "full")]
    pub fn locks() -> Option<Running> {
        Self::begin(|config| Operation::locks(config, LockTask::take()?), AnyMachine::Locks)
    }

    pub fn poll(&self) {
        answer(|| Ok(self.0.borrow_mut().poll(Instant::take()?)));
    }

    pub fn reply(&self) {
        let mut handle = self.0.borrow_mut();
        let id = EffectId(u32::take().unwrap_or(u32::MAX));
        let taken = match Reply::take() {
            Ok(reply) => handle.reply(id, reply),
            Err(_) => handle.unfitting(id),
        };
        taken.put();
    }

    pub fn stop(&self) {
        answer(|| {
            self.0.borrow_mut().stop();
            Ok(())
        });
    }

    #[wasm_bindgen(js_name = finishTransfer)]
    pub fn finish_transfer(&self) {
        let is_transfer = |machine: &AnyMachine| match machine {
            AnyMachine::Download(_) => true,
            #[cfg(feature = "full")]
            AnyMachine::HydrateSession(_) | AnyMachine::Upload(_) => true,
            _ => false,
        };
        self.finish(is_transfer, |report| match report {
            AnyReport::Download(report) => Some(report),
            #[cfg(feature = "full")]
            AnyReport::HydrateSession(report) | AnyReport::Upload(report) => Some(report),
            _ => None,
        });
    }

    #[wasm_bindgen(js_name = finishBatch)]
    pub fn finish_batch(&self) {
        self.finish(
            |machine| matches!(machine, AnyMachine::Batch(_)),
            |report| if let AnyReport::Batch(outcomes) = report { Some(outcomes) } else { None },
        );
    }

    #[cfg(feature = "full")]
    #[wasm_bindgen(js_name = finishLocks)]
    pub fn finish_locks(&self) {
        self.finish(
            |machine| matches!(machine, AnyMachine::Locks(_)),
            |report| if let AnyReport::Locks(report) = report { Some(report) } else { None },
        );
    }
}
