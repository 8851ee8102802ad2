//! Fuzzes `manifest`; what it promises stands in `tests/src/fuzz/manifest.rs`.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| hydrant_tests::fuzz::manifest(data));
