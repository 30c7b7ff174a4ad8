//! Directions of a tiny fixed generator against numpy.

use candle_core::{DType, Tensor};
use gan_core::testing::Golden;
use gan_latent::boundary::Boundary;
use gan_latent::directions::{Found, factorized, principal};
use gan_latent::{LatentError, Space, arithmetic, latents};
use gan_models::{Latent, LatentBatch};

fn golden() -> candle_core::Result<Golden> {
    Golden::read(concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/golden/directions.safetensors"))
}

fn rows(tensor: &Tensor) -> candle_core::Result<Vec<Vec<f64>>> {
    tensor.to_dtype(DType::F64)?.to_vec2::<f64>()
}

fn values(tensor: &Tensor) -> candle_core::Result<Vec<f64>> {
    tensor.to_dtype(DType::F64)?.to_vec1::<f64>()
}

/// The latents of the golden file, and their space.
fn latent_batch(golden: &Golden) -> Result<(LatentBatch, Space), LatentError> {
    let latent = Latent::normal(7);
    let z = golden.get("z").to_dtype(DType::F32)?;
    Ok((latent.batch(|_| Ok(z.clone()))?, Space::of(&latent)?))
}

#[track_caller]
fn assert_near(got: &[f64], expected: &[f64], tolerance: f64) {
    let far = got.iter().zip(expected).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max);
    assert!(got.len() == expected.len() && far < tolerance, "{got:?}\n{expected:?}");
}

#[track_caller]
fn assert_found(found: &[Found], directions: &[Vec<f64>], shares: &[f64], tolerance: f64) {
    let got: Vec<f64> = found.iter().map(|found| found.share).collect();
    assert_near(&got, shares, tolerance);
    for (found, expected) in found.iter().zip(directions) {
        assert_near(&found.direction, expected, tolerance);
    }
}

/// Values: tests/golden/directions.py (numpy 2.4, float64). Inputs are f32 here, sums of twelve f32 values relative to gaps of
/// a tenth between shares.
#[test]
fn factors_and_components_match_numpy() -> Result<(), LatentError> {
    let golden = golden()?;
    let (latents, space) = latent_batch(&golden)?;
    let weight = golden.get("weight").to_dtype(DType::F32)?;
    let found = factorized(&space, &weight, 4)?;
    let expected = (rows(golden.get("factors"))?, values(golden.get("factor_shares"))?);
    assert_found(&found, &expected.0, &expected.1, 1e-6);

    let activations = golden.get("activations").to_dtype(DType::F32)?;
    let found = principal(&space, &latents, &activations, 4, 0)?;
    let expected = (rows(golden.get("components"))?, values(golden.get("component_shares"))?);
    assert_found(&found, &expected.0, &expected.1, 1e-5);
    Ok(())
}

/// Values: as above. Both minimize the same convex loss, numpy by gradient descent to a gradient of 1e-10.
#[test]
fn a_boundary_and_a_mean_difference_match_numpy() -> Result<(), LatentError> {
    let golden = golden()?;
    let has: Vec<bool> = values(golden.get("has"))?.into_iter().map(|has| has > 0.5).collect();
    let found = Boundary::between(&rows(golden.get("z"))?, &has).expect("both kinds");
    assert_near(&found.normal, &values(golden.get("normal"))?, 1e-6);
    assert_near(&[found.threshold], &values(golden.get("threshold"))?, 1e-6);

    let (all, space) = latent_batch(&golden)?;
    let group = |indices: &[usize]| latents::select(&all, indices);
    let found = arithmetic::mean_difference(&space, &group(&[3, 7, 12])?, &group(&[5, 9])?)?;
    assert_near(&found, &values(golden.get("difference"))?, 1e-6);
    Ok(())
}
