//! What the driver needs from JavaScript: a store, the files to send, time, and the caller's hooks.

use alloc::string::String;
use alloc::vec::Vec;
use js_sys::Uint8Array;
use wasm_bindgen::prelude::*;
use web_sys::{AbortController, AbortSignal, Blob};

#[wasm_bindgen]
extern "C" {
    /// The package's side of one call: `wasm-web/js/host.js` has the class.
    #[derive(Clone)]
    pub type Host;

    /// The value of `Authorization` for a URL, or nothing. `refused`: the server did not take the one before. An abort
    /// ends the question.
    #[wasm_bindgen(method, catch)]
    pub async fn authorize(this: &Host, url: String, refused: bool, signal: AbortSignal) -> Result<JsValue, JsValue>;

    /// The URL to ask instead of this one.
    #[wasm_bindgen(method, catch)]
    pub fn rewrite(this: &Host, url: &str) -> Result<String, JsValue>;

    /// What a `fetch` without an answer means.
    #[wasm_bindgen(method, catch)]
    pub async fn lost(this: &Host, url: String, headers: String) -> Result<Lost, JsValue>;

    /// What the store has of a blob: true, nothing, or a [`Beginning`].
    #[wasm_bindgen(method, catch)]
    pub async fn has(this: &Host, oid: String, size: f64) -> Result<JsValue, JsValue>;

    /// Makes a stage. With the id of an older one, which is gone then: it begins with that many bytes of it.
    #[wasm_bindgen(method, catch)]
    pub async fn stage(
        this: &Host,
        id: String,
        oid: String,
        size: f64,
        older: Option<String>,
        bytes: f64,
    ) -> Result<Stage, JsValue>;

    /// Makes a stage a blob of the store.
    #[wasm_bindgen(method, catch)]
    pub async fn keep(this: &Host, stage: String, oid: String) -> Result<JsValue, JsValue>;

    /// Removes a stage.
    #[wasm_bindgen(method, catch, js_name = dropStage)]
    pub async fn drop_stage(this: &Host, stage: String) -> Result<JsValue, JsValue>;

    /// The file of this name.
    #[wasm_bindgen(method)]
    pub fn file(this: &Host, name: &str) -> Option<Blob>;

    /// The document of this name.
    #[wasm_bindgen(method)]
    pub fn doc(this: &Host, name: &str) -> Option<Vec<u8>>;

    /// Progress of one object.
    #[wasm_bindgen(method, catch)]
    pub fn note(this: &Host, name: String, done: f64, total: f64) -> Result<(), JsValue>;

    /// Something will be tried again, in so many milliseconds.
    #[wasm_bindgen(method, catch)]
    pub fn retry(this: &Host, name: String, detail: String, delay: f64) -> Result<(), JsValue>;

    /// Headers of an action that the platform does not send.
    #[wasm_bindgen(method, catch, js_name = leftOut)]
    pub fn left_out(this: &Host, url: &str, names: &str) -> Result<(), JsValue>;

    /// Until [`Host::rouse`] is called, or so many milliseconds pass.
    #[wasm_bindgen(method)]
    pub async fn sleep(this: &Host, milliseconds: Option<f64>);

    /// Ends the sleep, or the next one.
    #[wasm_bindgen(method)]
    pub fn rouse(this: &Host);

    /// Ends a request that waits too long for its server.
    #[wasm_bindgen(method)]
    pub fn watch(this: &Host, request: &AbortController, idle_max: f64) -> Watch;

    /// Hashes all of it, where the platform can.
    #[wasm_bindgen(method, catch)]
    pub async fn digest(this: &Host, pieces: js_sys::Array, bytes: f64) -> Result<Uint8Array, JsValue>;

    /// Whether the platform can.
    #[wasm_bindgen(method, getter, js_name = canDigest)]
    pub fn can_digest(this: &Host) -> bool;

    /// What an earlier transfer left.
    pub type Beginning;

    #[wasm_bindgen(method, getter)]
    pub fn stage(this: &Beginning) -> String;

    #[wasm_bindgen(method, getter)]
    pub fn blob(this: &Beginning) -> Blob;

    #[wasm_bindgen(method, getter)]
    pub fn validator(this: &Beginning) -> Option<String>;

    /// A place where a body is written before it is judged.
    pub type Stage;

    /// The bytes that it began with, which nobody has hashed yet.
    #[wasm_bindgen(method, getter)]
    pub fn beginning(this: &Stage) -> Option<Blob>;

    /// Writes at the end. Nothing more is written before the promise resolves, if it is one.
    #[wasm_bindgen(method, catch)]
    pub fn write(this: &Stage, bytes: &Uint8Array) -> Result<JsValue, JsValue>;

    /// Nothing more is written; the stage stays, whole or not.
    #[wasm_bindgen(method, catch)]
    pub async fn close(this: &Stage, validator: Option<String>) -> Result<JsValue, JsValue>;

    /// The time that a server may take.
    pub type Watch;

    /// It is the server's turn.
    #[wasm_bindgen(method)]
    pub fn waits(this: &Watch);

    /// It is our turn, for as long as we like.
    #[wasm_bindgen(method)]
    pub fn works(this: &Watch);

    /// The request is over.
    #[wasm_bindgen(method)]
    pub fn end(this: &Watch);

    /// Why no answer came.
    pub type Lost;

    /// The server cannot be reached. Otherwise the platform does not allow it.
    #[wasm_bindgen(method, getter)]
    pub fn offline(this: &Lost) -> bool;

    /// A sentence that says what to do.
    #[wasm_bindgen(method, getter)]
    pub fn detail(this: &Lost) -> String;

    /// Asks a server.
    #[wasm_bindgen(catch)]
    pub async fn fetch(request: &web_sys::Request) -> Result<JsValue, JsValue>;

    /// Monotonic milliseconds.
    #[wasm_bindgen(js_namespace = performance, js_name = now)]
    pub fn ticks() -> f64;
}
