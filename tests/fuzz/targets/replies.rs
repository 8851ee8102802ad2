//! Fuzzes `replies`; what it promises stands in `tests/src/fuzz/replies.rs`.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| hydrant_tests::fuzz::replies(data));
