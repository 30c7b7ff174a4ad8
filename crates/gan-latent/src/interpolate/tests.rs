//! Mixtures in closed form, part by part.

use candle_core::Device;

use super::*;
use crate::sample::seeded;

fn part(name: &str, distribution: Distribution) -> Part {
    Part { name: name.into(), distribution }
}

fn every_kind() -> Latent {
    Latent::new(vec![
        part("z", Distribution::Normal { size: 40 }),
        part("u", Distribution::Uniform { low: -2.0, high: 2.0, size: 3 }),
        part("bits", Distribution::Binary { p: 0.5, size: 8 }),
        part("levels", Distribution::Levels { levels: 10, size: 4 }),
        part("code", Distribution::Categorical { classes: 5, count: 2 }),
    ])
}

fn values(latents: &LatentBatch, part: &str) -> Vec<Vec<f32>> {
    latents.part(part).expect(part).to_vec2().expect("two dimensions")
}

fn norm(x: &[f32]) -> f64 {
    x.iter().map(|&x| f64::from(x).powi(2)).sum::<f64>().sqrt()
}

fn mixed(
    points: &LatentBatch,
    path: &Path,
    mode: Mode,
    discrete: Discrete,
) -> Result<Mixed, LatentError> {
    mix(points, &path.weights, mode, discrete)
}

#[test]
fn lines_are_weighted_means_and_discrete_parts_switch_in_the_middle() -> Result<(), LatentError> {
    let points = seeded(&every_kind(), 2, 1, None, &Device::Cpu)?;
    let path = Path::strip(9);
    let mixed = mixed(&points, &path, Mode::Linear, Discrete::Switch)?;
    let latents = mixed.latents.expect("nothing is blended");
    for name in ["z", "u"] {
        let ends = values(&points, name);
        for (i, row) in values(&latents, name).iter().enumerate() {
            let alpha = i as f64 / 8.0;
            for ((got, a), b) in row.iter().zip(&ends[0]).zip(&ends[1]) {
                let expected = (1.0 - alpha) * f64::from(*a) + alpha * f64::from(*b);
                assert_eq!(*got, expected as f32);
            }
        }
    }
    for name in ["bits", "levels", "code"] {
        let (ends, got) = (values(&points, name), values(&latents, name));
        assert_ne!(ends[0], ends[1], "{name}");
        assert!(got[..5].iter().all(|row| *row == ends[0]), "{name}: the first half");
        assert!(got[5..].iter().all(|row| *row == ends[1]), "{name}: the second half");
    }
    assert_eq!(mixed.encoded.to_vec2::<f32>()?, latents.encode()?.to_vec2::<f32>()?);
    assert_eq!(discrete_parts(&points)?, ["bits", "levels", "code"]);
    Ok(())
}

#[test]
fn blended_parts_are_mixed_as_a_network_reads_them() -> Result<(), LatentError> {
    let points = seeded(&every_kind(), 3, 1, None, &Device::Cpu)?;
    let path = Path::triangle(5);
    let mixed = mixed(&points, &path, Mode::Linear, Discrete::Blend)?;
    assert!(mixed.latents.is_none(), "no latent has half a class");
    let (ends, got) = (points.encode()?.to_vec2::<f32>()?, mixed.encoded.to_vec2::<f32>()?);
    for (row, weights) in got.iter().zip(&path.weights) {
        for (i, got) in row.iter().enumerate() {
            let expected: f64 = (0..3).map(|p| weights[p] * f64::from(ends[p][i])).sum();
            assert_eq!(*got, expected as f32);
        }
    }
    Ok(())
}

/// Points that agree in their discrete parts have nothing to blend, and what lies between them is a latent.
#[test]
fn equal_parts_are_kept_whatever_is_asked_for() -> Result<(), LatentError> {
    let points = seeded(&every_kind(), 2, 1, None, &Device::Cpu)?;
    let first = points.narrow(0, 1)?;
    let mut alike = points.clone();
    for name in ["bits", "levels", "code"] {
        let own = first.part(name).expect(name);
        alike = alike.with_part(name, &Tensor::cat(&[own, own], 0)?)?;
    }
    let path = Path::strip(3);
    let blended = mixed(&alike, &path, Mode::Linear, Discrete::Blend)?;
    let switched = mixed(&alike, &path, Mode::Linear, Discrete::Switch)?;
    assert!(blended.latents.is_some());
    assert_eq!(blended.encoded.to_vec2::<f32>()?, switched.encoded.to_vec2::<f32>()?);
    assert!(discrete_parts(&alike)?.is_empty());
    Ok(())
}

#[test]
fn spheres_keep_lengths_and_end_points() -> Result<(), LatentError> {
    let points = seeded(&every_kind(), 3, 7, None, &Device::Cpu)?;
    let ends = values(&points, "z");
    for path in [Path::triangle(6), Path::closed(3, 9)] {
        let on_spheres = mixed(&points, &path, Mode::Spherical, Discrete::Switch)?;
        let straight = mixed(&points, &path, Mode::Linear, Discrete::Switch)?;
        let (on_spheres, straight) = (on_spheres.latents.expect("a"), straight.latents.expect("b"));
        assert_eq!(values(&on_spheres, "u"), values(&straight, "u"), "not normal, so linear");
        let lines = values(&straight, "z");
        for ((row, line), weights) in values(&on_spheres, "z").iter().zip(lines).zip(&path.weights)
        {
            let expected: f64 = ends.iter().zip(weights).map(|(end, w)| w * norm(end)).sum();
            // 40 entries, each rounded to f32.
            assert!((norm(row) / expected - 1.0).abs() < 1e-6, "{} {expected}", norm(row));
            if weights.contains(&1.0) {
                assert_eq!(*row, line, "the point itself");
            } else {
                assert!(norm(&line) < 0.97 * expected, "a line goes inside the sphere");
            }
        }
    }
    Ok(())
}

#[test]
fn what_cannot_be_interpolated_is_said() -> Result<(), LatentError> {
    let path = Path::strip(3);
    let latent = Latent::new(every_kind().parts()[1..4].to_vec());
    let points = seeded(&latent, 2, 1, None, &Device::Cpu)?;
    let refused = mixed(&points, &path, Mode::Spherical, Discrete::Switch).expect_err("uniform");
    let message = refused.to_string();
    assert!(
        message.contains("u (a number, U(-2, 2))") && message.contains("linearly"),
        "{message}"
    );

    let opposite = Tensor::new(&[[1f32, 2.0], [-2.0, -4.0]], &Device::Cpu)?;
    let points = Latent::normal(2).batch(|_| Ok(opposite.clone()))?;
    let refused = mixed(&points, &path, Mode::Spherical, Discrete::Switch).expect_err("opposed");
    assert!(
        matches!(&refused, LatentError::Unfit(reason) if reason.contains("\"z\"")),
        "{refused}"
    );
    assert!(mixed(&points, &path, Mode::Linear, Discrete::Switch).is_ok());
    assert!(mixed(&points, &Path::triangle(3), Mode::Linear, Discrete::Switch).is_err());
    assert!(mix(&points, &[], Mode::Linear, Discrete::Switch).is_err());
    Ok(())
}
