//! What the standard library would bring: memory, the end of a panic, statics, and tables of letters.

use alloc::string::String;
use core::panic::PanicInfo;
use talc::wasm::{WasmDynamicTalc, new_wasm_dynamic_allocator};
use wasm_bindgen::prelude::wasm_bindgen;

#[global_allocator]
static MEMORY: WasmDynamicTalc = new_wasm_dynamic_allocator();

/// No input makes the core panic. What does is a bug, and the module ends there.
#[panic_handler]
fn panic(_: &PanicInfo<'_>) -> ! {
    core::arch::wasm32::unreachable()
}

#[wasm_bindgen]
extern "C" {
    #[wasm_bindgen(js_name = String)]
    type Text;

    #[wasm_bindgen(js_namespace = String, js_name = fromCodePoint)]
    fn letter(code: u32) -> Text;

    #[wasm_bindgen(method, js_name = toUpperCase)]
    fn to_upper_case(this: &Text) -> Text;

    #[wasm_bindgen(method, js_name = toLowerCase)]
    fn to_lower_case(this: &Text) -> String;
}

/// The fold of a name. JavaScript has the tables for it.
pub(crate) fn fold(name: &str) -> String {
    let mut folded = String::with_capacity(name.len());
    for c in name.chars() {
        if c.is_ascii() {
            folded.push(c.to_ascii_lowercase());
        } else {
            // One by one: in a word, a sigma at the end has a lower case of its own.
            folded.push_str(&letter(c.into()).to_upper_case().to_lower_case());
        }
    }
    folded
}

/// A static of the one thread there is.
pub(crate) struct Single<T>(pub(crate) T);

// SAFETY: a module without atomics has no second thread that could see it.
#[cfg(not(target_feature = "atomics"))]
unsafe impl<T> Sync for Single<T> {}
