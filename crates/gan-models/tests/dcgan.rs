//! The DCGAN models against PyTorch and their sources.

use candle_core::{DType, Device, Result, Tensor};
use candle_nn::ModuleT;
use gan_core::ImageShape;
use gan_core::testing::{Golden, Tolerance, assert_close};
use gan_models::{DiscriminatorKind, GeneratorKind, Latent, ModelConfig, ParamStore, summary};

const TINY: ModelConfig = ModelConfig {
    generator: GeneratorKind::Dcgan,
    discriminator: DiscriminatorKind::Dcgan,
    generator_width: 2,
    discriminator_width: 2,
    skip_z: false,
    condition: None,
    auxiliary: None,
    codes: Vec::new(),
    generator_layers: Vec::new(),
    discriminator_layers: Vec::new(),
};

/// f32 sums of some hundred terms over five layers, against float64.
const CLOSE: Tolerance = Tolerance { rtol: 2e-5, atol: 2e-6 };

fn square(size: usize, channels: usize) -> ImageShape {
    ImageShape { channels, height: size, width: size }
}

fn golden(size: usize) -> Result<Golden> {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/golden");
    Golden::read(format!("{folder}/dcgan_{size}.safetensors"))
}

fn stores(golden: &Golden) -> [ParamStore; 2] {
    ["generator.", "discriminator."]
        .map(|prefix| ParamStore::from_tensors(golden.with_prefix(prefix), &Device::Cpu))
}

/// Values: tests/golden/dcgan.py (torch 2.15, float64).
#[test]
fn images_and_logits_match_pytorch() -> Result<()> {
    for (size, channels) in [(28, 1), (64, 3)] {
        let golden = golden(size)?;
        let [g_store, d_store] = stores(&golden);
        let g = TINY.generator(&Latent::normal(5), square(size, channels), g_store.trainable())?;
        let d =
            TINY.discriminator(&Latent::normal(5), square(size, channels), d_store.trainable())?;
        let z = golden.get("z").to_dtype(DType::F32)?;

        let images = g.forward_t(&z, false)?;
        assert_close(&images, golden.get("eval.images"), CLOSE);
        assert_close(&d.forward_t(&images, false)?, golden.get("eval.logits"), CLOSE);

        let images = g.forward_t(&z, true)?;
        let logits = d.forward_t(&images, true)?;
        assert_close(&images, golden.get("train.images"), CLOSE);
        assert_close(&logits, golden.get("train.logits"), CLOSE);

        // Running statistics after the one pass in training, and the gradient of every parameter.
        let weights = Tensor::arange(1f32, 4.0, &Device::Cpu)?;
        let grads = (logits * weights)?.sum_all()?.backward()?;
        for (network, store) in [("generator", &g_store), ("discriminator", &d_store)] {
            for (name, var) in store.tensors() {
                if name.contains("running") {
                    assert_close(&var, golden.get(&format!("after.{network}.{name}")), CLOSE);
                } else {
                    let grad = grads.get(&var).expect("a gradient reaches every parameter");
                    let reference = golden.get(&format!("grad.{network}.{name}"));
                    let largest = reference.abs()?.max_all()?.to_scalar::<f64>()?;
                    // Batch norm of three images cancels: errors are of the largest entry's size.
                    let close = Tolerance { rtol: 1e-4, atol: 2e-5 * largest };
                    assert_close(grad, reference, close);
                }
            }
        }
    }
    Ok(())
}

/// PyTorch's DCGAN example at 64×64 with nz 100, ngf = ndf = 64 has 3,576,704 and 2,765,568
/// parameters (the sums over its printed layers).
#[test]
fn parameter_counts_are_those_of_pytorchs_example() -> Result<()> {
    let config = ModelConfig { generator_width: 64, discriminator_width: 64, ..TINY };
    let (g, d) = (store("generator"), store("discriminator"));
    config.generator(&Latent::normal(100), square(64, 3), g.trainable())?;
    config.discriminator(&Latent::normal(100), square(64, 3), d.trainable())?;
    assert_eq!((g.parameter_count(), d.parameter_count()), (3_576_704, 2_765_568));
    Ok(())
}

fn store(network: &str) -> ParamStore {
    ParamStore::seeded(network, 0, &Device::Cpu)
}

#[test]
fn every_size_is_made_and_judged() -> Result<()> {
    for size in [28, 32, 40, 48, 56, 64, 80, 96, 112, 128] {
        for channels in [1, 3] {
            let image = square(size, channels);
            let (g, d) = (store("generator"), store("discriminator"));
            let generator = TINY.generator(&Latent::normal(7), image, g.trainable())?;
            let discriminator = TINY.discriminator(&Latent::normal(7), image, d.trainable())?;
            let z = Tensor::zeros((2, 7), DType::F32, &Device::Cpu)?;
            let images = generator.forward_t(&z, true)?;
            assert_eq!(images.dims(), [2, channels, size, size]);
            assert_eq!(discriminator.forward_t(&images, true)?.dims(), [2]);
        }
    }
    Ok(())
}

#[test]
fn sizes_that_cannot_be_are_refused() {
    for image in [square(30, 3), square(6, 1), square(65, 3), square(64, 2)] {
        assert!(TINY.check(image).is_err(), "{image}");
    }
    let oblong = ImageShape { channels: 3, height: 64, width: 48 };
    assert!(TINY.check(oblong).is_err_and(|e| e.contains("48×64")));

    let skip = ModelConfig { skip_z: true, ..TINY };
    assert_eq!(skip.check(square(64, 3)), Ok(()));
    let skip = ModelConfig { generator: GeneratorKind::Conv, ..skip };
    assert!(skip.check(square(64, 3)).is_err_and(|e| e.contains("model.skip_z")));
}

#[test]
fn the_summary_lists_every_layer_and_parameter() -> Result<()> {
    let g = store("generator");
    let generator = TINY.generator(&Latent::normal(5), square(64, 3), g.trainable())?;
    let z = Tensor::zeros((1, 5), DType::F32, &Device::Cpu)?;
    let summary = summary::summarize("generator", || generator.forward_t(&z, false))?;
    assert_eq!(summary.parameters, g.parameter_count());
    assert_eq!(summary.layers.len(), 9);
    assert_eq!(summary.layers[8].output, [3, 64, 64]);
    assert_eq!(summary.layers[0].name, "blocks.0.conv");
    Ok(())
}
