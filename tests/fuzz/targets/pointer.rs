//! Fuzzes `pointer`; what it promises stands in `tests/src/fuzz/pointer.rs`.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| hydrant_tests::fuzz::pointer(data));
