//! Weights as PyTorch saves them, in every form. Files and values: tests/golden/state_dicts.py (torch 2.15).

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use candle_core::{DType, Device, Tensor};
use gan_core::testing::Golden;
use gan_models::state_dict::{StateDict, StateDictError};
use safetensors::View;

fn file(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/state_dicts").join(name)
}

fn read(name: &str) -> StateDict {
    StateDict::read(&file(name)).unwrap_or_else(|e| panic!("{e}"))
}

fn names(weights: &StateDict) -> Vec<&str> {
    weights.tensors().iter().map(|(name, _)| name.as_str()).collect()
}

/// Type, shape and bits.
fn content(tensor: &Tensor) -> (DType, &[usize], Vec<u8>) {
    (tensor.dtype(), tensor.dims(), tensor.data().into_owned())
}

/// Compares files with what PyTorch reads from them: names, types, shapes and bits.
fn check(group: &str, files: &[&str]) {
    let golden = Golden::read(file("expected.safetensors")).expect("recorded values");
    let expected = golden.with_prefix(&format!("{group}/"));
    assert!(!expected.is_empty());
    for name in files {
        let weights = read(name);
        let found: BTreeMap<_, _> = weights.tensors().iter().map(|(n, t)| (n, t)).collect();
        assert_eq!(
            found.keys().collect::<Vec<_>>(),
            BTreeMap::from_iter(&expected).keys().collect::<Vec<_>>(),
            "{name}"
        );
        for (tensor, value) in &found {
            assert_eq!(content(value), content(&expected[*tensor]), "{name}: {tensor}");
            assert!(value.is_contiguous() && weights.get(tensor).is_some());
        }
    }
}

#[test]
fn one_network_in_every_container_and_protocol() {
    let files = [
        "zip.pt",
        "legacy.pt",
        "zip_protocol_1.pt",
        "zip_protocol_3.pt",
        "zip_protocol_4.pt",
        "zip_protocol_5.pt",
        "legacy_protocol_1.pt",
        "legacy_protocol_4.pt",
        "no_checksums.pt",
        "big_endian.pt",
    ];
    check("network", &files);
    let order = ["weight", "bias", "running_mean", "running_var", "num_batches_tracked"];
    let mut expected = vec!["main.0.weight".to_string()];
    expected.extend(order.map(|name| format!("main.1.{name}")));
    for name in files {
        assert_eq!(names(&read(name)), expected, "{name}");
    }
}

/// Names are joined, `module.` of DataParallel is gone, and what is no tensor is left out.
#[test]
fn checkpoints_of_training_scripts() {
    check("checkpoint", &["checkpoint.pt", "checkpoint_legacy.pt"]);
    check("list", &["list.pt"]);
    let weights = read("checkpoint.pt");
    assert_eq!(names(&weights)[0], "netG.main.0.weight");
    assert_eq!(names(&weights).last(), Some(&"fixed.1.1.labels"));
    assert!(weights.get("netG.module.main.0.weight").is_none());
}

#[test]
fn views_of_any_strides_and_offsets() {
    check("views", &["views.pt", "views_legacy.pt"]);
}

#[test]
fn elements_of_every_type() {
    check("elements", &["elements.pt"]);
    check("elements_legacy", &["elements_legacy.pt"]);
}

#[test]
fn parameters_and_tensors_with_attributes() {
    check("parameters", &["parameters.pt"]);
}

/// Strings of bytes, dictionaries made of pairs, parts of storages, storages of a graphics card.
#[test]
fn the_first_releases_on_python_2() {
    check("python_2", &["python_2.pt"]);
    assert_eq!(names(&read("python_2.pt")), ["0.weight", "0.part", "1.cuda"]);
}

#[test]
fn safetensors_too() {
    let golden = Golden::read(file("expected.safetensors")).expect("recorded values");
    let expected = golden.with_prefix("");
    let weights = read("expected.safetensors");
    assert_eq!(weights.tensors().len(), expected.len());
    for (name, tensor) in weights.tensors() {
        assert_eq!(content(tensor), content(&expected[name]), "{name}");
    }
}

/// safetensors have no dictionaries in each other: the whole file is one.
#[test]
fn safetensors_of_a_parallel_network() {
    let seed =
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/seeds/state_dict/safetensors");
    let weights = StateDict::read(&seed).expect("two tensors");
    let wide = Tensor::arange(0i16, 6, &Device::Cpu).and_then(|t| t.reshape((2, 3)));
    assert_eq!(content(weights.get("b").expect("of int8")), content(&wide.expect("small")));
    assert_eq!(weights.get("a").expect("of f32").dims(), [2, 3]);
    let tensor = Tensor::zeros(1, DType::F32, &Device::Cpu).expect("small");
    let pair = [("module.a", &tensor), ("step", &tensor)];
    let bytes = safetensors::serialize(pair, None).expect("two tensors");
    let weights = StateDict::parse(Path::new("mixed"), &bytes).expect("two tensors");
    assert_eq!(names(&weights), ["module.a", "step"]);
}

/// Tied weights are one tensor in memory, not one for each name.
#[test]
fn equal_views_share_their_elements() {
    let weights = read("views.pt");
    let [shared, same] = ["shared", "same"].map(|name| weights.get(name).expect("there"));
    assert_eq!(shared.id(), same.id());
}

fn refusal(name: &str) -> String {
    match StateDict::read(&file(name)) {
        Ok(weights) => panic!("{name} has {:?}", names(&weights)),
        Err(e) => e.to_string(),
    }
}

#[test]
fn refusals_say_what_is_there_and_what_to_do() {
    let cases = [
        ("module.pt", "its content is a whole module (__main__.Net)"),
        ("module.pt", "save model.state_dict() in PyTorch"),
        ("module_legacy.pt", "its content is a whole module (__main__.Net)"),
        ("module_inside.pt", "nets.0 is a whole module (__main__.Net)"),
        ("tensor.pt", "expected a dictionary of tensors, found a tensor without a name"),
        ("no_tensors.pt", "found a dictionary without any"),
        ("protocol_0.pt", "protocol 1 or later"),
        ("complex.pt", "spectrum is of type complex64, which candle lacks"),
        ("float8.pt", "scale is of type float8_e5m2"),
        ("uint64.pt", "count is of type uint64"),
        ("negated.pt", "imaginary is made by a lazy operation, the text \"neg\""),
        ("sparse.pt", "adjacency is made by torch._utils._rebuild_sparse_tensor"),
        ("quantized.pt", "packed is made by torch._utils._rebuild_qtensor"),
        ("meta.pt", "absent is made by torch._utils._rebuild_meta_tensor_no_storage"),
        ("arrays.pt", "weights is made by numpy"),
        ("script.pt", "found a program saved by torch.jit.save"),
    ];
    for (name, expected) in cases {
        let message = refusal(name);
        assert!(message.contains(expected), "{message}");
        assert!(message.starts_with(&file(name).display().to_string()), "{message}");
    }
}

#[test]
fn other_files_are_told_apart() {
    let mut tar = vec![0; 512];
    tar[257..262].copy_from_slice(b"ustar");
    let cases: [(&[u8], &str); 6] = [
        (b"", "found an empty file"),
        (b"\x89HDF\r\n\x1a\n and more", "found another kind of file"),
        (&tar, "found a tar, as the first releases of PyTorch wrote it"),
        (b"\x80\x02}.", "found another pickle"),
        (b"PK\x03\x04", "expected a whole zip"),
        (b"\x02\0\0\0\0\0\0\0{}", "found one without any"),
    ];
    for (bytes, expected) in cases {
        let e = StateDict::parse(Path::new("some file"), bytes).expect_err("no weights");
        assert!(e.to_string().contains(expected), "{e}");
    }
    let e = StateDict::read(&file("absent.pt")).expect_err("no file");
    assert!(matches!(&e, StateDictError::Io(_)) && e.to_string().contains("absent.pt"), "{e}");
}
