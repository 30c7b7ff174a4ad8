//! The reader of CIFAR's batches must not panic.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| gan_data::fuzzing::cifar(bytes));
