//! What an inversion finds where the answer is known, and what it must not depend on.

use candle_core::DType;
use gan_core::{ImageShape, quality};
use gan_models::{Distribution, ParamStore, Part, dcgan};

use super::*;

const ADAM: Descent = Descent::Adam { rate: 0.1 };

/// Shows the latent itself, `(N, 12)` as 2×2 RGB: distances are those of latents.
struct Show;

impl ModuleT for Show {
    fn forward_t(&self, z: &Tensor, _train: bool) -> TensorResult<Tensor> {
        z.reshape(((), 3, 2, 2))
    }
}

/// The tanh of a fixed linear map to `(N, 1, 6, 6)`.
struct Mixing(Tensor);

impl Mixing {
    fn of(latent: &Latent) -> TensorResult<Self> {
        let size = latent.encoded_size();
        let weights = Stream::named("mixing", 0).normal_tensor((size, 36), &Device::Cpu)?;
        Ok(Self((weights * (0.5 / (size as f64).sqrt()))?))
    }
}

impl ModuleT for Mixing {
    fn forward_t(&self, z: &Tensor, _train: bool) -> TensorResult<Tensor> {
        z.matmul(&self.0)?.tanh()?.reshape(((), 1, 6, 6))
    }
}

/// A DCGAN of 8 latents and 28×28 pixels with weights so large that latents show; seed 0.
fn dcgan_generator(skip_z: bool) -> TensorResult<dcgan::Generator> {
    let image = ImageShape { channels: 1, height: 28, width: 28 };
    let plan = dcgan::Plan::new(image).map_err(candle_core::Error::Msg)?;
    let store = ParamStore::seeded("generator", 0, &Device::Cpu);
    dcgan::Generator::new(plan, 8, 4, skip_z, image, store.trainable())?;
    let own: std::collections::HashMap<_, _> = store.tensors().into_iter().collect();
    store.load(|name| {
        let large = if name.contains("conv.weight") { 12.0 } else { 1.0 };
        own[name].as_detached_tensor() * if name.starts_with("to_image") { 25.0 } else { large }
    })?;
    dcgan::Generator::new(plan, 8, 4, skip_z, image, store.frozen())
}

fn mixed() -> Latent {
    let part = |name: &str, distribution| Part { name: name.into(), distribution };
    Latent::new(vec![
        part("z", Distribution::Normal { size: 3 }),
        part("u", Distribution::Uniform { low: -2.0, high: 2.0, size: 3 }),
        part("bits", Distribution::Binary { p: 0.5, size: 4 }),
        part("level", Distribution::Levels { levels: 4, size: 1 }),
        part("code", Distribution::Categorical { classes: 4, count: 1 }),
    ])
}

/// Latents that are none of the starts of a small seed.
fn hidden(latent: &Latent, n: usize) -> Result<LatentBatch, LatentError> {
    sample::seeded(latent, n, 1000, None, &Device::Cpu)
}

fn run(
    inversion: &Inversion,
    generator: &impl ModuleT,
    latent: &Latent,
    images: &Tensor,
) -> Result<Inverted, LatentError> {
    let targets = Targets::whole(images.clone());
    inversion.run(generator, latent, &targets, &PixelDistance, None, |_, _| ())
}

fn images_of(generator: &impl ModuleT, latents: &LatentBatch) -> Result<Tensor, LatentError> {
    Ok(generator.forward_t(&latents.encode()?, false)?)
}

/// On a generator that shows its latent, one step of plain descent is z − rate · 2 (z − x) / 12.
#[test]
fn plain_descent_on_a_parabola_has_a_closed_form() -> Result<(), LatentError> {
    let latent = Latent::normal(12);
    let inversion =
        Inversion { restarts: 2, iterations: 2, descent: Descent::Sgd { rate: 1.5 }, seed: 3 };
    let z = hidden(&latent, 1)?;
    let found = run(&inversion, &Show, &latent, &images_of(&Show, &z)?)?;
    let starts = sample::seeded(&latent, 2, 3, None, &Device::Cpu)?;
    for (r, curve) in found.curves[0].iter().enumerate() {
        let away = starts.narrow(r, 1)?.encode()?.sub(&z.encode()?)?;
        let first = away.sqr()?.mean_all()?.to_scalar::<f32>()?;
        // Rates 1.5 and half of it: 1 − 1.5 · 2 / 12 = 3/4, then 7/8.
        for (got, shrunk) in curve.iter().zip([1.0, 0.75, 0.75 * 0.875f32]) {
            assert!((got / (first * shrunk * shrunk) - 1.0).abs() < 1e-5, "{curve:?}");
        }
    }
    let ends: Vec<f32> = found.curves[0].iter().map(|curve| curve[2]).collect();
    assert_eq!(found.best, [if ends[0] <= ends[1] { 0 } else { 1 }]);
    Ok(())
}

#[test]
fn latents_of_generated_images_are_found_again() -> Result<(), LatentError> {
    let latent = Latent::normal(8);
    let generator = dcgan_generator(false)?;
    let z = hidden(&latent, 6)?;
    let images = images_of(&generator, &z)?;
    let found =
        run(&Inversion { iterations: 300, ..Inversion::usual(0) }, &generator, &latent, &images)?;
    let away = (found.latents.encode()? - z.encode()?)?.abs()?.max(1)?.to_vec1::<f32>()?;
    let near = away.iter().filter(|away| **away < 0.05).count();
    assert!(near >= 5, "largest differences of 6 latents: {away:?}");
    let errors = quality::mse(&found.images, &images)?;
    for (i, error) in errors.iter().enumerate() {
        let end = f64::from(found.curves[i][found.best[i]][300]);
        assert!((error - end).abs() <= 1e-6 + 1e-4 * end, "the curve ends at {end}, not {error}");
    }
    Ok(())
}

#[test]
fn parts_of_every_kind_are_found_and_valid() -> Result<(), LatentError> {
    let latent = mixed();
    let generator = Mixing::of(&latent)?;
    let z = hidden(&latent, 12)?;
    let inversion = Inversion { restarts: 12, iterations: 400, descent: ADAM, seed: 0 };
    let found = run(&inversion, &generator, &latent, &images_of(&generator, &z)?)?;
    let mut whole = 0;
    for i in 0..z.len() {
        let (a, b) = (found.latents.narrow(i, 1)?, z.narrow(i, 1)?);
        let equal = |name: &str, within: f32| -> TensorResult<bool> {
            let (a, b) = (a.part(name).expect("a part"), b.part(name).expect("a part"));
            Ok((a - b)?.abs()?.max_all()?.to_scalar::<f32>()? <= within)
        };
        let discrete = equal("bits", 0.0)? && equal("level", 0.0)? && equal("code", 0.0)?;
        whole += usize::from(discrete && equal("z", 0.05)? && equal("u", 0.05)?);
        let u = a.part("u").expect("a part").flatten_all()?.to_vec1::<f32>()?;
        assert!(u.iter().all(|u| (-2.0..=2.0).contains(u)), "{u:?}");
    }
    assert!(whole >= 10, "{whole} of 12 latents were found whole");
    Ok(())
}

/// Central differences in f32: a loss of about 0.5 has 3e-8 of rounding, over 4·10⁻⁴ that is 8e-5.
#[test]
fn the_gradient_is_that_of_finite_differences_and_of_the_latent_alone() -> Result<(), LatentError> {
    const STEP: f64 = 2e-4;
    for skip_z in [false, true] {
        let generator = dcgan_generator(skip_z)?;
        let z = hidden(&Latent::normal(8), 3)?;
        let images = images_of(&generator, &hidden(&Latent::normal(8), 6)?.narrow(3, 3)?)?;
        let losses = PixelDistance.to(&Targets::whole(images.clone()))?;
        let relaxed = Relaxed::from(&z)?;
        let loss = losses(&generator.forward_t(&relaxed.encode()?, false)?)?.sum_all()?;
        let gradients = backward(&loss)?;
        let var = relaxed.variables()[0].1.clone();
        // candle's difference has a gradient for both of its sides, the images among them.
        let known = [var.id(), images.id()];
        let others = gradients.get_ids().filter(|id| !known.contains(id)).count();
        assert_eq!(others, 0, "gradients were computed for tensors of the generator");
        let gradient = gradients.get(&var).expect("z is moved").to_vec2::<f32>()?;
        for (row, of_row) in gradient.iter().enumerate() {
            for (column, got) in of_row.iter().enumerate() {
                let at = |step: f64| -> TensorResult<f64> {
                    let mut moved = var.to_vec2::<f32>()?;
                    moved[row][column] += step as f32;
                    let made = generator.forward_t(&Tensor::new(moved, &Device::Cpu)?, false)?;
                    Ok(f64::from(losses(&made)?.to_vec1::<f32>()?[row]))
                };
                let expected = (at(STEP)? - at(-STEP)?) / (2.0 * STEP);
                let error = (f64::from(*got) - expected).abs();
                // Beside rounding there are kinks of ReLU between both points.
                assert!(error < 1e-3 + 0.03 * expected.abs(), "{got}, expected {expected}");
            }
        }
    }
    Ok(())
}

/// An image's result is its own: alone, beside others, in a batch that is cut, and with fewer starts.
#[test]
fn a_batch_changes_nothing() -> Result<(), LatentError> {
    let latent = Latent::normal(8);
    let generator = dcgan_generator(false)?;
    let images = images_of(&generator, &hidden(&latent, 9)?)?;
    // 9 images of 8 starts are a batch of 64 rows and one of 8.
    let inversion = Inversion { restarts: 8, iterations: 40, descent: ADAM, seed: 5 };
    let together = run(&inversion, &generator, &latent, &images)?;
    for i in [0, 4, 8] {
        let alone = run(&inversion, &generator, &latent, &images.narrow(0, i, 1)?)?;
        assert_close(&together.curves[i], &alone.curves[0]);
        assert_eq!(together.best[i], alone.best[0]);
        let few = Inversion { restarts: 3, ..inversion.clone() };
        let few = run(&few, &generator, &latent, &images.narrow(0, i, 1)?)?;
        assert_close(&together.curves[i][..3], &few.curves[0]);
    }
    Ok(())
}

/// Sums are taken in an order of the batch's size, so that the last bits differ; 40 steps magnify that.
fn assert_close(together: &[Vec<f32>], alone: &[Vec<f32>]) {
    assert_eq!(together.len(), alone.len());
    for (a, b) in together.iter().flatten().zip(alone.iter().flatten()) {
        assert!((a - b).abs() <= 1e-6 + 1e-3 * a.abs(), "{a} and {b}");
    }
}

#[test]
fn the_seed_decides_every_bit() -> Result<(), LatentError> {
    let latent = mixed();
    let generator = Mixing::of(&latent)?;
    let images = images_of(&generator, &hidden(&latent, 2)?)?;
    let of = |seed| {
        let inversion = Inversion { restarts: 3, iterations: 60, descent: ADAM, seed };
        run(&inversion, &generator, &latent, &images)
    };
    let (a, b, other) = (of(1)?, of(1)?, of(2)?);
    assert_eq!(a.curves, b.curves);
    assert_eq!(a.latents.encode()?.to_vec2::<f32>()?, b.latents.encode()?.to_vec2::<f32>()?);
    assert_ne!(a.curves, other.curves);
    Ok(())
}

#[test]
fn given_starts_take_the_place_of_the_first() -> Result<(), LatentError> {
    let latent = Latent::normal(12);
    let z = hidden(&latent, 2)?;
    let targets = Targets::whole(images_of(&Show, &z)?);
    let of = |restarts, given| {
        let inversion = Inversion { restarts, iterations: 3, descent: ADAM, seed: 0 };
        inversion.run(&Show, &latent, &targets, &PixelDistance, given, |_, _| ())
    };
    let (drawn, given) = (of(3, None)?, of(3, Some(&z))?);
    for i in 0..2 {
        assert_eq!(given.curves[i][0][0], 0.0, "the answer itself");
        assert_eq!(given.curves[i][1..], drawn.curves[i][1..]);
    }
    assert_eq!(of(1, Some(&z))?.curves[1][0][0], 0.0);
    assert!(of(2, Some(&z.narrow(0, 1)?)).is_err(), "one start for two images");
    Ok(())
}

#[test]
fn hidden_pixels_do_not_count() -> TensorResult<()> {
    let draw = |name: &str| Stream::named(name, 0).normal_tensor((2, 3, 4, 5), &Device::Cpu);
    let (images, made) = (draw("images")?, draw("made")?);
    let pixels: Vec<f32> = (0..40).map(|i| if i % 3 == 0 { 1.0 } else { 0.0 }).collect();
    let visible = Tensor::from_vec(pixels, (2, 1, 4, 5), &Device::Cpu)?;
    let targets = Targets::visible(images.clone(), visible.clone())?;
    let got = PixelDistance.to(&targets)?(&made)?.to_vec1::<f32>()?;
    let flat = |t: &Tensor| t.flatten_all()?.to_vec1::<f32>();
    let (images, made, visible) = (flat(&images)?, flat(&made)?, flat(&visible)?);
    for (i, got) in got.into_iter().enumerate() {
        let (mut sum, mut count) = (0.0, 0.0);
        for at in (0..60).filter(|at| visible[i * 20 + at % 20] == 1.0) {
            sum += f64::from(images[i * 60 + at] - made[i * 60 + at]).powi(2);
            count += 1.0;
        }
        assert!((f64::from(got) - sum / count).abs() < 1e-6);
    }
    let whole = Tensor::ones((2, 1, 5, 4), DType::F32, &Device::Cpu)?;
    assert!(
        Targets::visible(Tensor::zeros((2, 3, 4, 5), DType::F32, &Device::Cpu)?, whole).is_err()
    );
    Ok(())
}

#[test]
fn a_rate_that_leads_nowhere_is_named() -> Result<(), LatentError> {
    let latent = Latent::normal(12);
    let images = images_of(&Show, &hidden(&latent, 1)?)?;
    let descent = Descent::Sgd { rate: 1e30 };
    let inversion = Inversion { restarts: 2, iterations: 20, descent, seed: 0 };
    let error = run(&inversion, &Show, &latent, &images).expect_err("it runs away").to_string();
    assert!(error.contains("image 0") && error.contains("rate"), "{error}");
    let none = Inversion { restarts: 0, ..inversion };
    assert!(run(&none, &Show, &latent, &images).is_err());
    Ok(())
}
