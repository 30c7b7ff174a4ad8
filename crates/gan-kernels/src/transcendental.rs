//! `exp`, `tanh` and sigmoid in `f32` without branches, so that loops over them vectorize.
//!
//! Polynomials of the Cephes library (Moshier). Errors are below 1e-7 absolute for tanh and sigmoid; NaN stays NaN.
#![allow(clippy::excessive_precision)] // coefficients as published

/// `eˣ`, relative error about 1e-7; arguments beyond ±87 are clamped.
#[inline(always)]
fn exp(x: f32) -> f32 {
    // Adding 1.5·2²³ rounds to an integer, which then lies in the low bits of the sum.
    const ROUND: f32 = 12_582_912.0;
    let x = x.clamp(-87.0, 87.0);
    let shifted = x * std::f32::consts::LOG2_E + ROUND;
    let n = shifted - ROUND;
    let r = x - n * 0.693_359_375 + n * 2.121_944_40e-4; // x − n·ln 2, |r| ≤ ½ ln 2
    let mut p = 1.987_569_15e-4;
    p = p * r + 1.398_199_950_7e-3;
    p = p * r + 8.333_451_907_3e-3;
    p = p * r + 4.166_579_589_4e-2;
    p = p * r + 1.666_666_545_9e-1;
    p = p * r + 5.000_000_120_1e-1;
    let two_to_n = f32::from_bits((shifted.to_bits() << 23).wrapping_add(0x3f80_0000));
    (p * r * r + r + 1.0) * two_to_n
}

/// Hyperbolic tangent.
#[inline(always)]
pub(crate) fn tanh(x: f32) -> f32 {
    let z = x * x;
    let mut p = -5.704_988_727_45e-3;
    p = p * z + 2.063_908_879_54e-2;
    p = p * z - 5.373_971_555_31e-2;
    p = p * z + 1.333_144_220_36e-1;
    p = p * z - 3.333_328_194_22e-1;
    let near_zero = p * z * x + x;
    let large = (1.0 - 2.0 / (exp(2.0 * x.abs()) + 1.0)).copysign(x);
    if x.abs() < 0.625 { near_zero } else { large }
}

/// `1 / (1 + e^−x)`.
#[inline(always)]
pub(crate) fn sigmoid(x: f32) -> f32 {
    1.0 / (1.0 + exp(-x))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tanh_and_sigmoid_are_within_1e_7() {
        for i in -400_000..=400_000 {
            let x = i as f32 * 2.5e-4;
            let exact = f64::from(x);
            // Half a unit in the last place of 1 is 6e-8 already.
            assert!((f64::from(tanh(x)) - exact.tanh()).abs() < 1e-7, "tanh({x})");
            let exact = 1.0 / (1.0 + (-exact).exp());
            assert!((f64::from(sigmoid(x)) - exact).abs() < 1e-7, "sigmoid({x})");
        }
    }

    #[test]
    fn tanh_is_relatively_accurate_near_zero() {
        for x in [1e-30_f32, 1e-6, 1e-3, 0.1, -0.3, 0.62, 0.63] {
            let exact = f64::from(x).tanh();
            assert!((f64::from(tanh(x)) / exact - 1.0).abs() < 3e-7, "tanh({x})");
        }
    }

    #[test]
    fn extremes() {
        assert_eq!(tanh(f32::INFINITY), 1.0);
        assert_eq!(tanh(f32::NEG_INFINITY), -1.0);
        assert!(tanh(f32::NAN).is_nan() && sigmoid(f32::NAN).is_nan());
        assert!(sigmoid(-1000.0) < 1e-30);
        assert_eq!(sigmoid(1000.0), 1.0);
    }
}
