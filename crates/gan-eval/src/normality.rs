//! How far values are from N(0, 1).

use std::f64::consts::FRAC_1_SQRT_2;

use crate::error::{EvalError, Result};

/// Share of N(0, 1) below `x`.
pub fn standard_normal_cdf(x: f64) -> f64 {
    0.5 * libm::erfc(-x * FRAC_1_SQRT_2)
}

/// Kolmogorov's distance of values from N(0, 1): the largest difference between the share of values at or below a number
/// and [`standard_normal_cdf`], in [0, 1].
///
/// # Errors
/// If there are no values, or one is not a number.
pub fn ks_to_standard_normal(values: &[f32]) -> Result<f64> {
    if values.is_empty() {
        return Err(EvalError::NoSamples);
    }
    if values.iter().any(|value| value.is_nan()) {
        return Err(EvalError::NotANumber);
    }
    let mut sorted = values.to_vec();
    sorted.sort_by(f32::total_cmp);
    let n = sorted.len() as f64;
    // The share jumps at a value: both sides of the step count.
    let distance = |(i, &value): (usize, &f32)| {
        let expected = standard_normal_cdf(f64::from(value));
        (expected - i as f64 / n).abs().max((expected - (i + 1) as f64 / n).abs())
    };
    Ok(sorted.iter().enumerate().map(distance).fold(0.0, f64::max))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_normal_distribution_is_that_of_tables() {
        for (x, expected) in [
            (0.0, 0.5),
            (1.0, 0.841_344_746_068_543),
            (-1.959_963_984_540_054, 0.025),
            (-8.0, 6.220_960_574_271_785e-16),
        ] {
            let got = standard_normal_cdf(x);
            assert!((got - expected).abs() < 1e-12 * expected, "{x}: {got}");
        }
    }

    #[test]
    fn distances_are_those_of_steps() {
        let at = |values: &[f32]| ks_to_standard_normal(values).expect("values");
        assert!((at(&[0.0]) - 0.5).abs() < 1e-12);
        assert!((at(&[100.0; 3]) - 1.0).abs() < 1e-12);
        // Quantiles at (i + ½)/n leave half a step on both sides.
        let quantiles: Vec<f32> = vec![-0.674_489_75, 0.674_489_75];
        assert!((at(&quantiles) - 0.25).abs() < 1e-6);
        assert!(ks_to_standard_normal(&[]).is_err() && ks_to_standard_normal(&[f32::NAN]).is_err());
    }
}
