//! The autoencoder against PyTorch: both networks, and the losses that training adds up.

mod common;

use candle_core::{Result, Tensor};
use gan_core::ImageShape;
use gan_core::testing::{Golden, Tolerance, assert_close};
use gan_kernels::{FeatureMaps, backward};
use gan_models::autoencoder::{Decoder, Encoder, check};

use common::{CLOSE, assert_gradients, fill, input, store};

/// Sums of hundreds of squares.
const LOSS: Tolerance = Tolerance { rtol: 2e-5, atol: 0.0 };

/// Values: tests/golden/autoencoder.py (torch 2.15, float64). With running statistics.
#[test]
fn encoder_and_decoder_match_pytorch() -> Result<()> {
    let golden = Golden::read(concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../../tests/golden/autoencoder.safetensors"
    ))?;
    for (prefix, image) in [
        ("gray_28", ImageShape { channels: 1, height: 28, width: 28 }),
        ("color_16x24", ImageShape { channels: 3, height: 16, width: 24 }),
    ] {
        let (e, d) = (store("encoder"), store("decoder"));
        let encoder = Encoder::new(4, 5, true, image, e.trainable())?;
        let decoder = Decoder::new(4, 5, image, d.trainable())?;
        fill(&e)?;
        fill(&d)?;
        let images = input("images", &[3, image.channels, image.height, image.width])?;
        let encoding = encoder.encode(&FeatureMaps::from_tensor(&images)?, false)?;
        let log_variance = encoding.log_variance.expect("a variational encoder");
        let noise = input("noise", &[3, 5])?;
        let z = (&encoding.mean + (noise * (&log_variance * 0.5)?.exp()?)?)?;
        let logits = decoder.logits(&z, false)?;
        for (name, got) in
            [("mean", &encoding.mean), ("log_variance", &log_variance), ("logits", &logits)]
        {
            assert_close(got, golden.get(&format!("{prefix}.{name}")), CLOSE);
        }
        let error = ((logits.tanh()? - &images)?.sqr()?.sum_all()? / 3.0)?;
        let squares = (encoding.mean.sqr()? + log_variance.exp()?)?;
        let divergence = ((squares - (log_variance + 1.0)?)?.sum_all()? / 6.0)?;
        for (name, loss) in [("error", &error), ("divergence", &divergence)] {
            assert_close(&loss.reshape(1)?, golden.get(&format!("{prefix}.{name}")), LOSS);
        }
        let grads = backward(&(error + divergence)?)?;
        assert_gradients(&golden, &format!("{prefix}.encoder"), &e, &grads);
        assert_gradients(&golden, &format!("{prefix}.decoder"), &d, &grads);
    }
    Ok(())
}

#[test]
fn sizes_that_do_not_halve_are_refused() {
    let image = |height, width| ImageShape { channels: 3, height, width };
    for (height, width) in [(64, 64), (28, 28), (32, 48), (128, 128), (60, 28)] {
        assert_eq!(check(image(height, width)), Ok(()), "{height}×{width}");
    }
    for (height, width) in [(27, 27), (14, 14), (178, 218), (1, 1), (8, 512)] {
        assert!(check(image(height, width)).is_err(), "{height}×{width}");
    }
}

#[test]
fn images_are_the_tanh_of_logits() -> Result<()> {
    let d = store("decoder");
    let image = ImageShape { channels: 1, height: 28, width: 28 };
    let decoder = Decoder::new(2, 3, image, d.frozen())?;
    let z = Tensor::new(&[[0.5f32, -1.0, 2.0]], &candle_core::Device::Cpu)?;
    let images = decoder.images(&z, false)?.to_tensor()?;
    let expected = decoder.logits(&z, false)?.tanh()?.to_dtype(candle_core::DType::F64)?;
    assert_eq!(images.dims(), [1, 1, 28, 28]);
    assert_close(&images, &expected, CLOSE);
    Ok(())
}
