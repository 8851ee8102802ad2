//! Fuzzes `batch_answer`; what it promises stands in `tests/src/fuzz/batch_answer.rs`.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| hydrant_tests::fuzz::batch_answer(data));
