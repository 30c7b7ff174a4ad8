//! Dropout of feature maps.
#![allow(clippy::unwrap_used)]

mod common;

use common::{assert_close, gradients, noise, values, var};
use gan_core::Stream;
use gan_kernels::FeatureMaps;

fn dropped(x: &candle_core::Tensor, rate: f64, seed: u64) -> candle_core::Tensor {
    let mut stream = Stream::named("dropout", seed);
    let maps = FeatureMaps::from_tensor(x).unwrap().dropout(rate, &mut stream).unwrap();
    maps.to_tensor().unwrap()
}

#[test]
fn what_is_kept_is_scaled_and_the_gradient_follows_the_mask() {
    let x = var(&noise(&[8, 20, 9, 7], 1));
    let y = dropped(&x, 0.3, 1);
    let ratios: Vec<f64> = values(&y).iter().zip(values(&x)).map(|(y, x)| y / x).collect();
    let kept = 1.0 / 0.7;
    assert!(ratios.iter().all(|r| *r == 0.0 || (r - kept).abs() < 1e-12));
    let share = ratios.iter().filter(|r| **r == 0.0).count() as f64 / ratios.len() as f64;
    // 10,080 draws: 0.3 within four deviations.
    assert!((share - 0.3).abs() < 0.019, "{share}");
    let g = noise(&[8, 20, 9, 7], 2);
    let expected = (&y / x.as_tensor()).unwrap() * &g;
    assert_close("gradient", &gradients(&y, &g, &[&x])[0], &expected.unwrap(), 1e-12);
}

#[test]
fn a_seed_decides_the_mask() {
    let x = noise(&[2, 3, 4, 4], 1);
    assert_eq!(values(&dropped(&x, 0.5, 1)), values(&dropped(&x, 0.5, 1)));
    assert_ne!(values(&dropped(&x, 0.5, 1)), values(&dropped(&x, 0.5, 2)));
    assert_eq!(values(&dropped(&x, 0.0, 1)), values(&x));
}

#[test]
fn a_rate_of_one_is_refused() {
    let maps = FeatureMaps::from_tensor(&noise(&[1, 2, 3, 3], 1)).unwrap();
    let error = maps.dropout(1.0, &mut Stream::named("dropout", 1)).unwrap_err();
    assert!(error.to_string().contains("[0, 1)"));
}
