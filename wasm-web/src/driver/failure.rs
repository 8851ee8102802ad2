//! Why something could not be done, in the words of the contract.

use alloc::string::String;
use hydrant_lfs::contract::{Failed, Failure};
use wasm_bindgen::{JsCast, JsValue};

/// Names of errors that say enough by themselves.
const NAMES: [(&str, Failure); 6] = [
    ("AbortError", Failure::Aborted),
    ("TimeoutError", Failure::TimedOut),
    ("QuotaExceededError", Failure::NoSpace),
    ("NotAllowedError", Failure::Denied),
    ("SecurityError", Failure::Denied),
    ("NotFoundError", Failure::NotFound),
];

/// The name of an error, or nothing.
pub(super) fn name(error: &JsValue) -> String {
    error.dyn_ref::<js_sys::Error>().map(|error| String::from(error.name())).unwrap_or_default()
}

/// What something thrown means. Its message is left out: it may hold a path or a secret address.
pub(super) fn failed(error: &JsValue) -> Failed {
    let name = name(error);
    let known = NAMES.iter().find(|(known, _)| *known == name);
    Failed { why: known.map_or(Failure::Io, |(_, why)| *why), detail: String::new() }
}
