//! The small model families (fc, fc-conv, conv, infogan, mlp, skip-z, classifier) against PyTorch and their sources.

mod common;

use std::collections::HashMap;

use candle_core::{DType, Device, Result, Tensor, Var};
use gan_core::ImageShape;
use gan_core::testing::{Golden, Tolerance, assert_close};
use gan_kernels::{FeatureMaps, backward};
use gan_models::classifier::Classifier;
use gan_models::params::is_buffer;
use gan_models::{ParamStore, conv, dcgan, fc, fc_conv, infogan, mlp, summary};

use common::{CLOSE, assert_gradients, fill, input, store, weighted};

const POINT: ImageShape = ImageShape { channels: 2, height: 1, width: 1 };

fn square(size: usize, channels: usize) -> ImageShape {
    ImageShape { channels, height: size, width: size }
}

fn golden() -> Result<Golden> {
    Golden::read(concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/golden/families.safetensors"))
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

fn with_skip_z(store: &ParamStore, latent: usize, image: ImageShape) -> Result<dcgan::Generator> {
    let plan = dcgan::Plan::new(image).expect("it is square");
    dcgan::Generator::new(plan, latent, 4, true, image, store.trainable())
}

/// Values: tests/golden/families.py (torch 2.15, float64). The latent gets a gradient of every block that reads it.
#[test]
fn skip_z_matches_pytorch() -> Result<()> {
    let (golden, g) = (golden()?, store("generator"));
    let generator = with_skip_z(&g, 6, square(32, 1))?;
    fill(&g)?;
    let z = Var::from_tensor(&input("z", &[3, 6])?)?;
    let images = generator.images(&z, false)?.to_tensor()?;
    assert_close(&images, golden.get("skip_z.images"), CLOSE);
    let grads = backward(&weighted(&images)?)?;
    assert_gradients(&golden, "skip_z.generator", &g, &grads);
    let of_latent = golden.get("skip_z.latent");
    let largest = of_latent.abs()?.max_all()?.to_scalar::<f64>()?;
    let close = Tolerance { rtol: 1e-4, atol: 1e-5 * largest };
    assert_close(grads.get(&z).expect("a gradient of the latent"), of_latent, close);
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
const NETWORKS: [(&str, Network); 9] = [
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
    ("skip-z generator", |store, train| {
        let network = with_skip_z(store, 50, square(28, 1))?;
        network.images(&input("z", &[3, 50])?, train)?.to_tensor()
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
        (50 * 8 * 7 * 7 + 16) + ((8 + 50) * 4 * 16 + 8) + 4 * 16,
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
