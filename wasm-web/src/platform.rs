//! What the standard library would bring: memory, the end of a panic, and statics.

use core::panic::PanicInfo;
use talc::wasm::{WasmDynamicTalc, new_wasm_dynamic_allocator};

#[global_allocator]
static MEMORY: WasmDynamicTalc = new_wasm_dynamic_allocator();

/// No input makes the core panic. What does is a bug, and the module ends there.
#[panic_handler]
fn panic(_: &PanicInfo<'_>) -> ! {
    core::arch::wasm32::unreachable()
}

/// A static of the one thread there is.
pub(crate) struct Single<T>(pub(crate) T);

// SAFETY: a module without atomics has no second thread that could see it.
#[cfg(not(target_feature = "atomics"))]
unsafe impl<T> Sync for Single<T> {}
