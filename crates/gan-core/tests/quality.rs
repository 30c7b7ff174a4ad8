//! MSE, PSNR and SSIM against scikit-image. Values: tests/golden/quality.py (scikit-image 0.26, float64).

use candle_core::{Device, Tensor};
use gan_core::testing::{Golden, Tolerance, assert_close};
use gan_core::{Result, quality};

#[test]
fn values_match_scikit_image() -> Result<()> {
    let golden =
        Golden::read(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/golden/quality.safetensors"))?;
    // Both compute in f64 from the same f32 pixels; 1e-5 is what we promise.
    let tolerance = Tolerance { rtol: 1e-9, atol: 1e-9 };
    for kind in ["rgb", "gray", "smallest"] {
        let images = golden.get(&format!("{kind}.images"));
        let references = golden.get(&format!("{kind}.references"));
        for (name, values) in [
            ("mse", quality::mse(images, references)?),
            ("psnr", quality::psnr(images, references)?),
            ("ssim", quality::ssim(images, references)?),
        ] {
            let values = Tensor::new(values, &Device::Cpu)?;
            assert_close(&values, golden.get(&format!("{kind}.{name}")), tolerance);
        }
    }
    Ok(())
}
