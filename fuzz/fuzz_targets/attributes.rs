//! The reader of tables of attributes and splits must not panic.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| gan_data::fuzzing::attributes(bytes));
