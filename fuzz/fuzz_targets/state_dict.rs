//! The reader of weights that others saved must not panic, nor take more than its documentation says.
#![no_main]

use std::path::Path;

use gan_models::state_dict::StateDict;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let Ok(weights) = StateDict::parse(Path::new("fuzzed"), bytes) else { return };
    let mut shared = std::collections::HashSet::new();
    let mut size = 0;
    for (name, tensor) in weights.tensors() {
        assert!(tensor.is_contiguous() && weights.get(name).is_some());
        if shared.insert(tensor.id()) {
            size += tensor.elem_count() * tensor.dtype().size_in_bytes();
        }
    }
    assert!(size <= 4 * bytes.len() + (16 << 20));
});
