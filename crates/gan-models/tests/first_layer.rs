//! What of each generator reads the latent first.

use candle_core::{Device, Result, Tensor};
use gan_core::{ImageShape, Stream};
use gan_models::{GeneratorKind, Latent, ModelConfig, ParamStore};

fn config(generator: GeneratorKind) -> ModelConfig {
    let discriminator = match generator {
        GeneratorKind::Mlp => gan_models::DiscriminatorKind::Mlp,
        _ => gan_models::DiscriminatorKind::Conv,
    };
    ModelConfig {
        generator,
        discriminator,
        generator_width: 3,
        discriminator_width: 3,
        skip_z: false,
        condition: None,
        auxiliary: None,
        codes: Vec::new(),
        generator_layers: Vec::new(),
        discriminator_layers: Vec::new(),
    }
}

/// Where the activation passes a value on, a small step of the latent changes it by the weight times the step, times the
/// gain of a batch norm, which is drawn from N(1, 0.02) and divides by a running deviation of 1.
#[test]
fn the_weight_is_what_the_activations_change_by() -> Result<()> {
    let square = ImageShape { channels: 3, height: 28, width: 28 };
    let point = ImageShape { channels: 2, height: 1, width: 1 };
    for (kind, image, values) in [
        (GeneratorKind::Conv, square, 64 * 7 * 7),
        (GeneratorKind::Dcgan, square, 2 * 3 * 7 * 7),
        (GeneratorKind::Fc, square, 256),
        (GeneratorKind::FcConv, square, 500),
        (GeneratorKind::InfoGan, square, 1024),
        (GeneratorKind::Mlp, point, 128),
    ] {
        let store = ParamStore::seeded("generator", 0, &Device::Cpu);
        let generator = config(kind).generator(&Latent::normal(9), image, store.trainable())?;
        let layer = generator.first_layer()?;
        let weight = layer.weight()?;
        assert_eq!(weight.dims(), [values, 9], "{kind:?}");
        let mut stream = Stream::named("z", 0);
        let z = stream.normal_tensor((1, 9), &Device::Cpu)?;
        let step = (stream.normal_tensor((1, 9), &Device::Cpu)? * 0.01)?;
        let of = |z: &Tensor| layer.activations(z)?.squeeze(0)?.to_vec1::<f32>();
        let (before, after) = (of(&z)?, of(&(&z + &step)?)?);
        let linear = weight.matmul(&step.t()?)?.squeeze(1)?.to_vec1::<f32>()?;
        let mut passed = 0;
        for ((before, after), linear) in before.iter().zip(&after).zip(&linear) {
            if *before > 0.0 && *after > 0.0 && linear.abs() > 1e-4 {
                let gain = (after - before) / linear;
                assert!((gain - 1.0).abs() < 0.1, "{kind:?}: {gain}");
                passed += 1;
            }
        }
        assert!(passed > values / 8, "{kind:?}: {passed} of {values}");
    }
    Ok(())
}
