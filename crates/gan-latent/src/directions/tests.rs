use super::*;
use crate::boundary;
use crate::sample::seeded;
use candle_core::{Device, Result as TensorResult};
use gan_core::Stream;
use gan_models::{Distribution, Latent, Part};

/// A linear generator of four pixels, three entries of a normal part and two of a uniform one; a bit is read and shown in
/// the last pixel.
struct Linear;

/// What a step of one standard deviation of each continuous entry changes in each pixel.
const WEIGHT: [[f32; 6]; 4] = [
    [0.3, 0.0, 0.0, 0.0, 0.0, 0.0],
    [0.0, 0.0, 0.2, 0.0, 0.0, 0.0],
    [0.0, 0.0, 0.0, 0.1, 0.1, 0.0],
    [0.0, 0.0, 0.0, 0.0, 0.0, 0.9],
];

impl ModuleT for Linear {
    fn forward_t(&self, z: &Tensor, _train: bool) -> TensorResult<Tensor> {
        z.matmul(&Tensor::new(&WEIGHT, z.device())?.t()?.contiguous()?)?.reshape(((), 1, 2, 2))
    }
}

fn latent() -> Latent {
    let half = 3f32.sqrt(); // U(−√3, √3) has variance 1
    let part = |name: &str, distribution| Part { name: name.into(), distribution };
    Latent::new(vec![
        part("z", Distribution::Normal { size: 3 }),
        part("u", Distribution::Uniform { low: -half, high: half, size: 2 }),
        part("bit", Distribution::Binary { p: 0.5, size: 1 }),
    ])
}

/// Singular vectors in closed form: rows of the weight are at right angles, of lengths 0.3, 0.2 and 0.1·√2.
fn expected() -> [(Vec<f64>, f64); 3] {
    let half = 0.5f64.sqrt();
    [
        (vec![1.0, 0.0, 0.0, 0.0, 0.0], 0.09),
        (vec![0.0, 0.0, 1.0, 0.0, 0.0], 0.04),
        (vec![0.0, 0.0, 0.0, half, half], 0.02),
    ]
}

#[test]
fn factors_are_the_singular_vectors_of_the_weight() -> Result<(), LatentError> {
    let space = Space::of(&latent())?;
    let found = factorized(&space, &Tensor::new(&WEIGHT, &Device::Cpu)?, 3)?;
    for (found, (direction, square)) in found.iter().zip(expected()) {
        assert!((dot(&found.direction, &direction) - 1.0).abs() < 1e-6, "{found:?}");
        assert!((found.share - square / 0.15).abs() < 1e-6, "{found:?}");
    }
    assert_eq!(factorized(&space, &Tensor::new(&WEIGHT, &Device::Cpu)?, 9)?.len(), 5);
    Ok(())
}

#[test]
fn components_of_linear_activations_are_the_same_directions() -> Result<(), LatentError> {
    let space = Space::of(&latent())?;
    let bit = Tensor::zeros((4000, 1), candle_core::DType::F32, &Device::Cpu)?;
    let latents = seeded(&latent(), 4000, 2, None, &Device::Cpu)?.with_part("bit", &bit)?;
    let activations = Linear.forward_t(&latents.encode()?, false)?.flatten_from(1)?;
    let found = principal(&space, &latents, &activations, 3, 0)?;
    for (found, (direction, square)) in found.iter().zip(expected()) {
        // A covariance of 4,000 samples is off by 1/√4000, relative to gaps of half a variance.
        assert!((dot(&found.direction, &direction) - 1.0).abs() < 0.01, "{found:?}");
        assert!((found.share - square / 0.15).abs() < 0.03, "{found:?}");
    }
    assert_eq!(found, principal(&space, &latents, &activations, 3, 0)?);
    Ok(())
}

#[test]
fn boundaries_lead_along_the_factor_that_is_seen_and_leak_nothing() -> Result<(), LatentError> {
    let space = Space::of(&latent())?;
    let look = |images: &Tensor| -> Result<Tensor, LatentError> {
        Ok((images.flatten_from(1)?.narrow(1, 0, 3)? * 10.0)?)
    };
    let latents = seeded(&latent(), 3000, 0, None, &Device::Cpu)?;
    let judged = judge(&Linear, &latents, look, |_| ())?;
    let points = space.points(&latents)?;
    let mut directions = Vec::new();
    for (k, (direction, _)) in expected().iter().enumerate() {
        let scores: Vec<f32> = judged.iter().map(|row| row[k]).collect();
        let fitted = boundary::fit(&points, &scores, 0).expect("both kinds");
        let cosine = dot(&fitted.boundary.normal, direction);
        assert!(cosine > 0.99 && fitted.held_out_accuracy > 0.97, "{k}: {cosine} {fitted:?}");
        directions.push(fitted.boundary.normal);
    }
    let names = ["a", "b", "c"].map(String::from);
    let some = latents.narrow(0, 100)?;
    let matrix = leaks(&Linear, (&space, &some), (&directions, 2.0), &names, look, |_| ())?;
    for (i, row) in matrix.iter().enumerate() {
        for (j, change) in row.iter().enumerate() {
            let moved = change.mean_change;
            assert!(if i == j { moved > 0.4 } else { moved.abs() < 0.1 }, "{i} {j} {moved}");
        }
    }
    Ok(())
}

#[test]
fn right_angles() {
    let mut stream = Stream::named("right angles", 0);
    let mut random = || (0..8).map(|_| f64::from(stream.normal())).collect::<Vec<f64>>();
    let (direction, held) = (random(), vec![random(), random()]);
    let found = at_right_angles(&direction, &held).expect("eight dimensions");
    assert!(held.iter().all(|other| dot(&found, other).abs() < 1e-12));
    assert!((dot(&found, &found) - 1.0).abs() < 1e-12 && dot(&found, &direction) > 0.0);
    assert_eq!(at_right_angles(&held[0], &held), None);
}

#[test]
fn a_strip_goes_from_end_to_end_and_the_file_has_the_parts_units() -> Result<(), LatentError> {
    let space = Space::of(&latent())?;
    assert_eq!(amounts(5, 3.0), [-3.0, -1.5, 0.0, 1.5, 3.0]);
    let face = seeded(&latent(), 1, 5, None, &Device::Cpu)?;
    let directions = [expected()[0].0.clone(), expected()[2].0.clone()];
    let rows = strips(&Linear, &space, &face, &directions, &amounts(3, 1.0))?;
    assert_eq!((rows.len(), rows[0].len()), (2, 3));
    let plain = Samples::generate(&Linear, face, |_| ())?.images;
    assert_eq!((&rows[0][1], &rows[1][1]), (&plain[0], &plain[0]));
    // One standard deviation along the first entry is 0.3 of a pixel on [−1, 1], 38.25 of 255.
    let by = i32::from(rows[0][2].pixels()[0]) - i32::from(rows[0][0].pixels()[0]);
    assert!((75..=78).contains(&by), "{by}");

    let folder = tempfile::tempdir().map_err(gan_core::Error::from)?;
    let path = folder.path().join("d.safetensors");
    write(&space, &["a".into(), "b".into()], &directions, &path)?;
    let tensors = candle_core::safetensors::load(&path, &Device::Cpu)?;
    assert_eq!(tensors["z"].to_vec2::<f32>()?, [[1.0, 0.0, 0.0], [0.0; 3]]);
    let u = tensors["u"].to_vec2::<f32>()?;
    assert!((u[1][0] - 0.5f32.sqrt()).abs() < 1e-6 && !tensors.contains_key("bit"));
    Ok(())
}
