//! The interface `endpoints`, and its types.

use crate::functions::answer;
use crate::lane::{Take, put_records, take_records};
use alloc::string::String;
use alloc::vec::Vec;
use hydrant_lfs::contract::Direction;
use hydrant_lfs::git_lfs::endpoint::{self, Endpoint, Setting, Ssh};
use wasm_bindgen::prelude::wasm_bindgen;

put_records! {
    Endpoint { url, ssh }
    Ssh { user_and_host, port, path }
}
take_records! { Setting { key, value } }

#[wasm_bindgen(js_name = endpointsDerive)]
pub fn derive() {
    answer(|| {
        let (settings, direction) = (Vec::<Setting>::take()?, Direction::take()?);
        endpoint::derive(&settings, direction, &String::take()?)
    });
}

#[wasm_bindgen(js_name = endpointsAllowedInRepository)]
pub fn allowed_in_repository() {
    answer(|| Ok(endpoint::allowed_in_repository(&String::take()?)));
}
