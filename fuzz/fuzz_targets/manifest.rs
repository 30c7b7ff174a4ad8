//! The reader of manifests must not panic.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| gan_data::fuzzing::manifest(bytes));
