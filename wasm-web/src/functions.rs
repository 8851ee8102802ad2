//! The functions of WIT that need no operation. The arguments are on the lane, and the result goes there.

use crate::lane::{Put, Take};
use crate::platform::fold;
use alloc::borrow::ToOwned;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use hydrant_ledger::manifest::{FileRef, Manifest};
use hydrant_ledger::status::{self, Fact};
use hydrant_lfs::contract::{Config, HostLimits};
use hydrant_lfs::git_lfs::pointer::{self, Finding, Kind, Pointer};
use hydrant_lfs::{Error, text::oid};
use wasm_bindgen::prelude::wasm_bindgen;

/// Puts the result of a function whose arguments may have no form at all.
pub(crate) fn answer<T: Put>(run: impl FnOnce() -> Result<T, Error>) {
    run().put();
}

/// The beginning of a file, and its length.
struct Sample(Vec<u8>, u64);

impl Take for Sample {
    fn take() -> Result<Self, Error> {
        Ok(Self(Vec::take()?, u64::take()?))
    }
}

impl Sample {
    fn kind(&self) -> Kind {
        pointer::classify(&self.0, self.1)
    }
}

#[wasm_bindgen(js_name = operationsDefaultConfig)]
pub fn default_config() {
    answer(|| Ok(Config::new(String::take()?, u64::take()?)));
}

#[wasm_bindgen(js_name = operationsVersion)]
pub fn version() {
    answer(|| Ok(env!("CARGO_PKG_VERSION").to_owned()));
}

#[wasm_bindgen(js_name = operationsLimits)]
pub fn limits() {
    answer(|| Ok(HostLimits::HERE));
}

#[wasm_bindgen(js_name = pointersClassify)]
pub fn classify() {
    answer(|| Ok(Sample::take()?.kind()));
}

#[wasm_bindgen(js_name = pointersClassifyMany)]
pub fn classify_many() {
    answer(|| Ok(Vec::<Sample>::take()?.iter().map(Sample::kind).collect::<Vec<_>>()));
}

#[wasm_bindgen(js_name = pointersPointerShaped)]
pub fn pointer_shaped() {
    answer(|| {
        let file = Sample::take()?;
        Ok(pointer::pointer_shaped(&file.0, file.1))
    });
}

#[wasm_bindgen(js_name = pointersAppendedTo)]
pub fn appended_to() {
    answer(|| {
        let file = Sample::take()?;
        Ok(pointer::appended_to(&file.0, file.1).map(|bytes| bytes as u64))
    });
}

#[wasm_bindgen(js_name = pointersExplain)]
pub fn explain() {
    answer(|| Ok(Finding::take()?.explain()));
}

#[wasm_bindgen(js_name = pointersFormat)]
pub fn format() {
    answer(|| {
        let it = Pointer::take()?;
        pointer::format(it.blob, &it.extensions)
    });
}

#[wasm_bindgen(js_name = manifestsRead)]
pub fn read() {
    answer(|| Manifest::parse_with(&Vec::<u8>::take()?, fold));
}

#[wasm_bindgen(js_name = manifestsStatus)]
pub fn status() {
    answer(|| {
        let (files, facts) = (Vec::<FileRef>::take()?, Vec::<Fact>::take()?);
        Ok(status::status(&files, &facts, u64::take()?))
    });
}

/// SHA-256, piece by piece.
#[wasm_bindgen]
#[derive(Default)]
pub struct Hasher(oid::Hasher);

#[wasm_bindgen]
impl Hasher {
    #[wasm_bindgen(constructor)]
    pub fn new() -> Self {
        Self::default()
    }

    pub fn update(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }

    pub fn finish(self) -> String {
        self.0.finish().oid.to_string()
    }
}
