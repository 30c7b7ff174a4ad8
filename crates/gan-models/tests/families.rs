//! The small model families (fc, fc-conv, conv, infogan, mlp, classifier) against PyTorch and their sources.

use std::collections::HashMap;

use candle_core::backprop::GradStore;
use candle_core::{DType, Device, Result, Tensor};
use gan_core::ImageShape;
use gan_core::testing::{Golden, Tolerance, assert_close};
use gan_kernels::{FeatureMaps, backward};
use gan_models::classifier::Classifier;
use gan_models::params::is_buffer;
use gan_models::{ParamStore, conv, fc, fc_conv, infogan, mlp, summary};

/// f32 sums of at most 3136 terms over five layers, against float64.
const CLOSE: Tolerance = Tolerance { rtol: 2e-5, atol: 5e-6 };

const POINT: ImageShape = ImageShape { channels: 2, height: 1, width: 1 };

fn square(size: usize, channels: usize) -> ImageShape {
    ImageShape { channels, height: size, width: size }
}

fn store(network: &str) -> ParamStore {
    ParamStore::seeded(network, 0, &Device::Cpu)
}

/// As in tests/golden/families.py: values in [−1, 1) of 24 bits, by FNV-1a of the name and murmur3's
/// finalizer over the index.
fn hashed(name: &str, count: usize) -> Vec<f64> {
    let fnv = |hash: u32, byte| (hash ^ u32::from(byte)).wrapping_mul(16_777_619);
    let seed = name.bytes().fold(2_166_136_261, fnv);
    let value = |index: u32| {
        let mut x = index ^ seed;
        x = (x ^ (x >> 16)).wrapping_mul(0x85EB_CA6B);
        x = (x ^ (x >> 13)).wrapping_mul(0xC2B2_AE35);
        f64::from((x ^ (x >> 16)) >> 8) / f64::from(1 << 23) - 1.0
    };
    (0..count as u32).map(value).collect()
}

fn input(name: &str, dims: &[usize]) -> Result<Tensor> {
    Tensor::from_vec(hashed(name, dims.iter().product()), dims, &Device::Cpu)?.to_dtype(DType::F32)
}

/// Gives a network the weights that its reference had.
fn fill(store: &ParamStore) -> Result<()> {
    let dims: HashMap<_, _> =
        store.tensors().into_iter().map(|(name, var)| (name, var.dims().to_vec())).collect();
    store.load(|name| {
        let dims = &dims[name];
        let count: usize = dims.iter().product();
        let (center, scale) = match dims.len() {
            _ if name.ends_with("norm.weight") || name.ends_with("running_var") => (1.0, 0.5),
            1 => (0.0, 0.125),
            _ => (0.0, (4.0 / (count / dims[0]) as f64).sqrt()),
        };
        let values = hashed(name, count).into_iter().map(|x| (center + scale * x) as f32);
        Tensor::from_vec(values.collect::<Vec<_>>(), &dims[..], &Device::Cpu)
    })
}

/// A loss that weighs every output differently.
fn weighted(outputs: &Tensor) -> Result<Tensor> {
    let count = outputs.elem_count();
    let weights = Tensor::arange(1f32, count as f32 + 1.0, &Device::Cpu)?;
    (outputs.flatten_all()? * weights)?.sum_all()? / count as f64
}

fn golden() -> Result<Golden> {
    Golden::read(concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/golden/families.safetensors"))
}

/// Compares the gradient of every parameter: its norm, and every 997th value.
fn assert_gradients(golden: &Golden, prefix: &str, store: &ParamStore, grads: &GradStore) {
    for (name, var) in store.parameters() {
        let grad = grads.get(&var).expect("a gradient reaches every parameter");
        let grad: Vec<f32> = grad.flatten_all().and_then(|g| g.to_vec1()).expect("f32");
        let norm = grad.iter().map(|&g| f64::from(g).powi(2)).sum::<f64>().sqrt();
        let norm = Tensor::new(&[norm], &Device::Cpu).expect("small");
        let reference = golden.get(&format!("{prefix}.norm.{name}"));
        assert_close(&norm, reference, Tolerance { rtol: 1e-4, atol: 0.0 });

        let some: Vec<f32> = grad.iter().step_by(997).copied().collect();
        let some = Tensor::new(some, &Device::Cpu).expect("small");
        let norm: f64 = reference.squeeze(0).and_then(|n| n.to_scalar()).expect("f64");
        // A value is a sum whose terms cancel: its error is of a usual value's size.
        let atol = 1e-3 * norm / (grad.len() as f64).sqrt();
        let reference = golden.get(&format!("{prefix}.grad.{name}"));
        assert_close(&some, reference, Tolerance { rtol: 1e-4, atol });
    }
}

/// Values: tests/golden/families.py (torch 2.15, float64).
#[test]
fn pairs_match_pytorch() -> Result<()> {
    let golden = golden()?;
    let check = |family, stores: [&ParamStore; 2], run: &dyn Fn() -> Result<[Tensor; 2]>| {
        for store in stores {
            fill(store)?;
        }
        let [images, logits] = run()?;
        assert_close(&images, golden.get(&format!("{family}.images")), CLOSE);
        assert_close(&logits, golden.get(&format!("{family}.logits")), CLOSE);
        let grads = backward(&weighted(&logits)?)?;
        for (network, store) in ["generator", "discriminator"].into_iter().zip(stores) {
            assert_gradients(&golden, &format!("{family}.{network}"), store, &grads);
        }
        Ok::<_, candle_core::Error>(())
    };

    let (g, d, image) = (store("generator"), store("discriminator"), square(8, 3));
    let generator = fc::Generator::new(50, image, g.trainable())?;
    let discriminator = fc::Discriminator::new(3, image, d.trainable())?;
    check("fc", [&g, &d], &|| {
        // Without training, as PyTorch's masks are not ours.
        let images = generator.images(&input("z", &[3, 50])?, false)?;
        Ok([images.to_tensor()?, discriminator.logits(&images, false)?])
    })?;

    let (g, d, image) = (store("generator"), store("discriminator"), square(12, 3));
    let generator = conv::Generator::new(7, image, g.trainable())?;
    let discriminator = conv::Discriminator::new(3, image, d.trainable())?;
    check("conv", [&g, &d], &|| {
        let images = generator.images(&input("z", &[3, 7])?, true)?;
        Ok([images.to_tensor()?, discriminator.logits(&images, true)?])
    })?;

    let (g, d, image) = (store("generator"), store("discriminator"), square(8, 3));
    let generator = infogan::Generator::new(6, image, g.trainable())?;
    let discriminator = infogan::Discriminator::new(3, image, d.trainable())?;
    check("infogan", [&g, &d], &|| {
        // With running statistics: batch norm of three images cancels.
        let images = generator.images(&input("z", &[3, 6])?, false)?;
        Ok([images.to_tensor()?, discriminator.logits(&images, false)?])
    })?;

    let (g, d) = (store("generator"), store("discriminator"));
    let generator = mlp::Generator::new(5, POINT, g.trainable())?;
    let discriminator = mlp::Discriminator::new(2, POINT, d.trainable())?;
    check("mlp", [&g, &d], &|| {
        let points = generator.points(&input("z", &[3, 5])?, true)?;
        Ok([points.to_tensor()?, discriminator.logits(&points, true)?])
    })
}

/// Values: tests/golden/families.py (torch 2.15, float64).
#[test]
fn the_mixed_generator_matches_pytorch() -> Result<()> {
    let (golden, g) = (golden()?, store("generator"));
    let generator = fc_conv::Generator::new(50, square(28, 1), g.trainable())?;
    fill(&g)?;
    let images = generator.images(&input("z", &[3, 50])?, true)?.to_tensor()?;
    assert_close(&images, golden.get("fc_conv.images"), CLOSE);
    assert_gradients(&golden, "fc_conv.generator", &g, &backward(&weighted(&images)?)?);
    Ok(())
}

/// Values: tests/golden/families.py (torch 2.15, float64).
#[test]
fn the_classifier_matches_pytorch() -> Result<()> {
    let (golden, c) = (golden()?, store("classifier"));
    let classifier = Classifier::new(4, 5, square(28, 3), c.trainable())?;
    fill(&c)?;
    let images = FeatureMaps::from_tensor(&input("images", &[3, 3, 28, 28])?)?;
    let features = classifier.features(&images, false)?;
    assert_close(&features, golden.get("classifier.eval.features"), CLOSE);
    assert_close(&classifier.logits(&images, false)?, golden.get("classifier.eval.logits"), CLOSE);
    assert_eq!(features.dims(), [3, classifier.feature_count()]);

    let logits = classifier.logits(&images, true)?;
    assert_close(&logits, golden.get("classifier.train.logits"), CLOSE);
    assert_gradients(&golden, "classifier", &c, &backward(&weighted(&logits)?)?);
    for (name, var) in c.tensors().iter().filter(|(name, _)| is_buffer(name)) {
        assert_close(var, golden.get(&format!("classifier.after.{name}")), CLOSE);
    }
    Ok(())
}

/// Builds a network over a store and passes three inputs through it.
type Network = fn(&ParamStore, train: bool) -> Result<Tensor>;

/// Every network at a small size.
const NETWORKS: [(&str, Network); 8] = [
    ("fc generator", |store, train| {
        let network = fc::Generator::new(50, square(28, 1), store.trainable())?;
        network.images(&input("z", &[3, 50])?, train)?.to_tensor()
    }),
    ("fc discriminator", |store, train| {
        let network = fc::Discriminator::new(1, square(28, 1), store.trainable())?;
        network.logits(&FeatureMaps::from_tensor(&input("x", &[3, 1, 28, 28])?)?, train)
    }),
    ("fc-conv generator", |store, train| {
        let network = fc_conv::Generator::new(50, square(28, 1), store.trainable())?;
        network.images(&input("z", &[3, 50])?, train)?.to_tensor()
    }),
    ("conv generator", |store, train| {
        let network = conv::Generator::new(50, square(28, 1), store.trainable())?;
        network.images(&input("z", &[3, 50])?, train)?.to_tensor()
    }),
    ("conv discriminator", |store, train| {
        let network = conv::Discriminator::new(1, square(28, 1), store.trainable())?;
        network.logits(&FeatureMaps::from_tensor(&input("x", &[3, 1, 28, 28])?)?, train)
    }),
    ("mlp generator", |store, train| {
        let network = mlp::Generator::new(256, POINT, store.trainable())?;
        network.points(&input("z", &[3, 256])?, train)?.to_tensor()
    }),
    ("mlp discriminator", |store, train| {
        let network = mlp::Discriminator::new(2, POINT, store.trainable())?;
        network.logits(&FeatureMaps::from_tensor(&input("x", &[3, 2])?)?, train)
    }),
    ("classifier", |store, train| {
        let network = Classifier::new(32, 10, square(28, 1), store.trainable())?;
        network.logits(&FeatureMaps::from_tensor(&input("x", &[3, 1, 28, 28])?)?, train)
    }),
];

fn values(tensor: &Tensor) -> Result<Vec<f32>> {
    tensor.flatten_all()?.to_vec1()
}

/// 675,025 and 1,460,225 are the numbers of experiment G's sources; the others are sums over weights
/// and biases, layer by layer.
#[test]
fn parameter_counts_are_those_of_the_sources() -> Result<()> {
    let linear = |c_in: usize, c_out: usize| c_in * c_out + c_out;
    let expected = [
        linear(50, 256) + linear(256, 512) + linear(512, 1024) + linear(1024, 784),
        1_460_225,
        675_025,
        linear(50, 64 * 7 * 7) + (64 * 32 * 16 + 32) + (32 * 16 + 1),
        (32 * 16 + 32) + (32 * 64 * 16 + 64) + linear(64 * 7 * 7, 1),
        linear(256, 128) + linear(128, 128) + linear(128, 2),
        linear(2, 128) + linear(128, 128) + linear(128, 1),
        // Each convolution is followed by the weights and biases of a batch norm.
        (32 * 9 + 64)
            + (32 * 32 * 16 + 64)
            + (32 * 64 * 9 + 128)
            + (64 * 64 * 16 + 128)
            + linear(64 * 7 * 7, 128)
            + linear(128, 10),
    ];
    for ((name, network), expected) in NETWORKS.into_iter().zip(expected) {
        let store = store(name);
        let table = summary::summarize(name, || network(&store, false))?;
        assert_eq!(store.parameter_count(), expected, "{name}");
        assert_eq!(table.parameters, expected, "{name} as a table");
    }
    Ok(())
}

#[test]
fn a_gradient_reaches_every_parameter_in_training() -> Result<()> {
    for (name, network) in NETWORKS {
        let store = store(name);
        let grads = backward(&weighted(&network(&store, true)?)?)?;
        for (parameter, var) in store.parameters() {
            let grad = grads.get(&var).expect("a gradient reaches every parameter");
            let largest = grad.abs()?.max_all()?.to_scalar::<f32>()?;
            assert!(largest > 0.0 && largest.is_finite(), "{name}: {parameter}");
        }
    }
    Ok(())
}

/// The buffers are part of what is saved, so that training goes on with the same masks.
#[test]
fn a_loaded_network_computes_the_same_in_training_and_without() -> Result<()> {
    for (name, network) in NETWORKS {
        let saved = store(name);
        network(&saved, true)?; // moves the buffers
        let tensors = saved
            .tensors()
            .into_iter()
            .map(|(name, var)| Ok((name, var.as_detached_tensor().copy()?)))
            .collect::<Result<HashMap<_, _>>>()?;
        let loaded = ParamStore::from_tensors(tensors, &Device::Cpu);
        for train in [false, true, true, false] {
            let (a, b) = (network(&saved, train)?, network(&loaded, train)?);
            assert_eq!(values(&a)?, values(&b)?, "{name}, training: {train}");
        }
    }
    Ok(())
}

#[test]
fn without_training_nothing_is_random_and_nothing_moves() -> Result<()> {
    for (name, network) in NETWORKS {
        let store = store(name);
        let first = values(&network(&store, false)?)?;
        assert_eq!(first, values(&network(&store, false)?)?, "{name}");
        let trained = [network(&store, true)?, network(&store, true)?];
        let dropout = name == "fc discriminator";
        assert_eq!(values(&trained[0])? != values(&trained[1])?, dropout, "{name}");
    }
    Ok(())
}

/// Maps beside the image, as of attributes, only widen the first layer.
#[test]
fn every_size_is_made_and_judged() -> Result<()> {
    let z = Tensor::zeros((2, 7), DType::F32, &Device::Cpu)?;
    for (size, channels) in [(4, 1), (28, 1), (28, 3), (32, 3), (64, 3)] {
        let image = square(size, channels);
        let vb = |network| store(network).trainable();
        let expected = [2, channels, size, size];
        for images in [
            fc::Generator::new(7, image, vb("g"))?.images(&z, true)?,
            fc_conv::Generator::new(7, image, vb("g"))?.images(&z, true)?,
            conv::Generator::new(7, image, vb("g"))?.images(&z, true)?,
        ] {
            assert_eq!(images.dims(), expected);
        }
        let x = Tensor::zeros((2, channels + 5, size, size), DType::F32, &Device::Cpu)?;
        let x = FeatureMaps::from_tensor(&x)?;
        let judge = fc::Discriminator::new(channels + 5, image, vb("d"))?;
        assert_eq!(judge.features(&x, true)?.dims()[1..], judge.feature_dims());
        assert_eq!(judge.logits(&x, true)?.dims(), [2]);
        let judge = conv::Discriminator::new(channels + 5, image, vb("d"))?;
        assert_eq!(judge.features(&x, true)?.dims()[1..], judge.feature_dims());
        assert_eq!(judge.logits(&x, true)?.dims(), [2]);
    }
    for (height, width) in [(16, 16), (17, 45), (64, 48)] {
        let image = ImageShape { channels: 3, height, width };
        let classifier = Classifier::new(2, 40, image, store("c").trainable())?;
        let x = Tensor::zeros((2, 3, height, width), DType::F32, &Device::Cpu)?;
        assert_eq!(classifier.logits(&FeatureMaps::from_tensor(&x)?, true)?.dims(), [2, 40]);
    }
    Ok(())
}

#[test]
fn images_that_cannot_be_are_refused() {
    let refused = |check: fn(ImageShape) -> std::result::Result<(), String>, image, says: &str| {
        let message = check(image).expect_err("cannot be");
        assert!(message.contains(says), "{message}");
    };
    let oblong = ImageShape { channels: 3, height: 64, width: 48 };
    refused(fc::check, square(28, 2), "1 or 3 channels, not 2");
    refused(fc::check, square(0, 1), "not 0×0");
    refused(fc_conv::check, square(30, 1), "multiple of 4");
    refused(fc_conv::check, oblong, "not 48×64");
    refused(conv::check, square(0, 1), "multiple of 4");
    refused(conv::check, square(28, 4), "1 or 3 channels, not 4");
    refused(mlp::check, square(28, 1), "not 28×28 pixels of 1 channels");
    refused(gan_models::classifier::check, square(15, 1), "16×16");
    for check in [fc::check, fc_conv::check, conv::check, gan_models::classifier::check] {
        assert_eq!(check(square(28, 1)), Ok(()));
    }
    assert_eq!(fc::check(oblong), Ok(()));
    assert_eq!(mlp::check(POINT), Ok(()));
}

/// Appendix C.1 of the paper at 28×28 with 74 latents: the sums over its layers, without biases before batch norms.
#[test]
fn infogans_parameters_are_those_of_its_layers() -> Result<()> {
    let (g, d) = (store("generator"), store("discriminator"));
    infogan::Generator::new(74, square(28, 1), g.trainable())?;
    infogan::Discriminator::new(1, square(28, 1), d.trainable())?;
    let norms = |channels: usize| 2 * channels;
    let generator = 74 * 1024
        + norms(1024)
        + 1024 * 49 * 128
        + norms(128)
        + 128 * 16 * 64
        + norms(64)
        + 64 * 16;
    let discriminator = 16 * 64 + 64 * 16 * 128 + norms(128) + 128 * 49 * 1024 + norms(1024) + 1024;
    assert_eq!((g.parameter_count(), d.parameter_count()), (generator, discriminator));
    Ok(())
}
