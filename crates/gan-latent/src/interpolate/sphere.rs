//! Weighted means on spheres, in f64.
//!
//! Two points: spherical linear interpolation (Shoemake 1985, section 3.3; of latents White 2016,
//! <https://arxiv.org/abs/1609.04468>, section 2.1). More: the weighted mean of Buss and Fillmore 2001 (ACM Transactions on
//! Graphics 20, section 3.1, algorithm A1), which is the same for two. Directions alone are interpolated so; lengths are
//! averaged, so that between points of one length all have that length. White's formula shortens or lengthens what lies
//! between points of different lengths by other factors.

use crate::vector::{length, scaled};

/// Points whose directions are opposed have no direction between them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Opposed;

/// A vector whose length is less is none, and opposed directions add up to less.
const NONE: f64 = 1e-9;
/// The mean is found where its correction is shorter than this.
const FOUND: f64 = 1e-13;
/// Steps towards a mean; each makes the correction several times smaller.
const MOST_STEPS: usize = 200;

/// The mean of points of one size: their directions' weighted mean on the unit sphere, as long as the weighted mean of
/// their lengths. `weights` are 0 or more and add up to 1.
pub(super) fn mean(points: &[Vec<f64>], weights: &[f64]) -> Result<Vec<f64>, Opposed> {
    let weighing: Vec<(&Vec<f64>, f64)> =
        points.iter().zip(weights.iter().copied()).filter(|(_, weight)| *weight > 0.0).collect();
    if let [(point, _)] = weighing.as_slice() {
        return Ok(point.to_vec());
    }
    let length_of_mean: f64 = weighing.iter().map(|(p, weight)| weight * length(p)).sum();
    // What has no length has no direction, and does not count for it.
    let directed: Vec<(Vec<f64>, f64)> = weighing
        .iter()
        .filter(|(p, _)| length(p) > NONE)
        .map(|(p, weight)| (scaled(p, 1.0 / length(p)), *weight))
        .collect();
    let total: f64 = directed.iter().map(|(_, weight)| weight).sum();
    let direction = match directed.as_slice() {
        [] => return Ok(vec![0.0; points.first().map_or(0, Vec::len)]),
        [(only, _)] => only.clone(),
        [(from, _), (to, weight)] => between(from, to, weight / total)?,
        many => mean_direction(many, total)?,
    };
    Ok(scaled(&direction, length_of_mean))
}

/// The direction at `t` on the great circle's arc from one direction to another.
fn between(from: &[f64], to: &[f64], t: f64) -> Result<Vec<f64>, Opposed> {
    let angle = angle(from, to);
    if length(&sum(from, to)) < NONE {
        return Err(Opposed);
    }
    if angle < NONE {
        return Ok(from.to_vec());
    }
    let sine = angle.sin();
    Ok(sum(&scaled(from, ((1.0 - t) * angle).sin() / sine), &scaled(to, (t * angle).sin() / sine)))
}

/// Where the weighted way to all directions is none.
fn mean_direction(directions: &[(Vec<f64>, f64)], total: f64) -> Result<Vec<f64>, Opposed> {
    let weighted = |of: &dyn Fn(&[f64]) -> Vec<f64>| {
        let zero = vec![0.0; directions[0].0.len()];
        directions.iter().fold(zero, |all, (d, w)| sum(&all, &scaled(&of(d), w / total)))
    };
    let mut mean = weighted(&|direction| direction.to_vec());
    if length(&mean) < NONE {
        return Err(Opposed);
    }
    mean = scaled(&mean, 1.0 / length(&mean));
    for _ in 0..MOST_STEPS {
        let way = weighted(&|direction| way_to(&mean, direction));
        let far = length(&way);
        if far < FOUND {
            break;
        }
        mean = sum(&scaled(&mean, far.cos()), &scaled(&way, far.sin() / far));
        mean = scaled(&mean, 1.0 / length(&mean));
    }
    Ok(mean)
}

/// The tangent at one direction that leads to another, as long as the angle between them.
fn way_to(from: &[f64], to: &[f64]) -> Vec<f64> {
    let angle = angle(from, to);
    let tangent = sum(to, &scaled(from, -angle.cos()));
    let sine = length(&tangent);
    if sine < f64::MIN_POSITIVE { tangent } else { scaled(&tangent, angle / sine) }
}

/// Exact for small and for large angles, unlike the arc cosine.
fn angle(a: &[f64], b: &[f64]) -> f64 {
    2.0 * length(&sum(a, &scaled(b, -1.0))).atan2(length(&sum(a, b)))
}

fn sum(a: &[f64], b: &[f64]) -> Vec<f64> {
    a.iter().zip(b).map(|(a, b)| a + b).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::vector::dot;
    use gan_core::Stream;

    fn close(a: &[f64], b: &[f64]) -> bool {
        a.iter().zip(b).all(|(a, b)| (a - b).abs() < 1e-11)
    }

    fn random(n: usize, size: usize) -> Vec<Vec<f64>> {
        let mut stream = Stream::named("sphere test", 4);
        (0..n).map(|_| (0..size).map(|_| f64::from(stream.normal())).collect()).collect()
    }

    /// On a circle the mean is the angle's.
    #[test]
    fn on_a_circle_angles_are_interpolated() {
        let at = |degrees: f64, r: f64| {
            let a = degrees.to_radians();
            vec![r * a.cos(), r * a.sin()]
        };
        for t in [0.0, 0.25, 0.5, 0.9, 1.0] {
            let got = mean(&[at(10.0, 2.0), at(130.0, 4.0)], &[1.0 - t, t]).expect("not opposed");
            assert!(close(&got, &at(10.0 + 120.0 * t, 2.0 + 2.0 * t)), "{t}: {got:?}");
        }
        let got = mean(&[at(0.0, 1.0), at(30.0, 1.0), at(90.0, 1.0)], &[0.25, 0.25, 0.5]);
        assert!(close(&got.expect("within half a circle"), &at(52.5, 1.0)));
    }

    /// Slerp as White 2016 writes it, where the lengths agree.
    #[test]
    fn two_points_of_one_length_are_slerped_and_keep_it() {
        let points: Vec<_> = random(2, 100).iter().map(|p| scaled(p, 10.0 / length(p))).collect();
        let cosine = dot(&points[0], &points[1]) / 100.0;
        let omega = cosine.acos();
        for t in [0.125, 0.5, 0.875_f64] {
            let got = mean(&points, &[1.0 - t, t]).expect("not opposed");
            let expected = sum(
                &scaled(&points[0], ((1.0 - t) * omega).sin() / omega.sin()),
                &scaled(&points[1], (t * omega).sin() / omega.sin()),
            );
            assert!(close(&got, &expected));
            assert!((length(&got) - 10.0).abs() < 1e-12, "{}", length(&got));
        }
        for (end, weights) in [(0, [1.0, 0.0]), (1, [0.0, 1.0])] {
            assert_eq!(mean(&points, &weights), Ok(points[end].clone()), "the end itself");
        }
    }

    /// The definition: the weighted ways from the mean to the points add up to none. And on an edge it is the slerp.
    #[test]
    fn three_points_balance_around_their_mean() {
        let points = random(3, 60);
        let weights = [0.2, 0.3, 0.5];
        let got = mean(&points, &weights).expect("not opposed");
        let lengths: f64 = points.iter().zip(weights).map(|(p, w)| w * length(p)).sum();
        assert!((length(&got) - lengths).abs() < 1e-11);
        let direction = scaled(&got, 1.0 / length(&got));
        let rest = points.iter().zip(weights).fold(vec![0.0; 60], |all, (p, w)| {
            sum(&all, &scaled(&way_to(&direction, &scaled(p, 1.0 / length(p))), w))
        });
        assert!(length(&rest) < 1e-11, "{}", length(&rest));
        let edge = mean(&points, &[0.4, 0.6, 0.0]).expect("not opposed");
        assert_eq!(edge, mean(&points[..2], &[0.4, 0.6]).expect("not opposed"));
    }

    #[test]
    fn opposed_points_have_nothing_between_them_and_the_origin_no_direction() {
        let (x, back, zero) = (vec![1.0, 0.0], vec![-3.0, 0.0], vec![0.0, 0.0]);
        assert_eq!(mean(&[x.clone(), back.clone()], &[0.5, 0.5]), Err(Opposed));
        assert_eq!(mean(&[x.clone(), back], &[1.0, 0.0]), Ok(x.clone()));
        assert_eq!(mean(&[x.clone(), zero.clone()], &[0.25, 0.75]), Ok(vec![0.25, 0.0]));
        assert_eq!(mean(&[zero.clone(), zero.clone()], &[0.5, 0.5]), Ok(zero));
        assert_eq!(mean(&[x.clone(), x.clone()], &[0.5, 0.5]), Ok(x));
    }
}
