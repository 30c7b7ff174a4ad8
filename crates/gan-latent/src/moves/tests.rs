use super::*;
use crate::ranking::entries_of;
use crate::sample::{BATCH, seeded};
use candle_core::{Device, Result as TensorResult};
use gan_models::{Latent, Part};

/// A linear generator of which every pixel is one attribute: a row a pixel, a column a value that it reads.
struct Linear(Vec<Vec<f32>>);

impl ModuleT for Linear {
    fn forward_t(&self, z: &Tensor, _train: bool) -> TensorResult<Tensor> {
        assert!(z.dim(0)? <= BATCH);
        let weight = Tensor::new(self.0.clone(), z.device())?.t()?.contiguous()?;
        z.matmul(&weight)?.reshape(((), 1, 1, self.0.len()))
    }
}

/// Pixels as log-odds.
fn look(images: &Tensor) -> Result<Tensor, LatentError> {
    Ok(images.flatten_from(1)?)
}

fn latent() -> Latent {
    let part = |name: &str, distribution| Part { name: name.into(), distribution };
    let names = vec!["Male".to_string()];
    Latent::new(vec![
        part("z", Distribution::Normal { size: 2 }),
        part("u", Distribution::Uniform { low: -0.5, high: 1.5, size: 1 }),
        part("levels", Distribution::Levels { levels: 10, size: 1 }),
        part("attributes", Distribution::Attributes { names, frequencies: vec![0.5] }),
        part("code", Distribution::Categorical { classes: 3, count: 1 }),
        part("two", Distribution::Categorical { classes: 2, count: 1 }),
    ])
}

fn names(k: usize) -> Vec<String> {
    (0..k).map(|i| format!("a{i}")).collect()
}

fn found(weight: Vec<Vec<f32>>, part: &str, n: usize) -> Result<Vec<EntryMoves>, LatentError> {
    let latents = seeded(&latent(), n, 3, None, &Device::Cpu)?;
    let entries = entries_of(&latent(), Some(part));
    let names = names(weight.len());
    entry_moves(&Linear(weight), &latents, &entries, &names, look, |_| ())
}

fn sigmoid(x: f64) -> f64 {
    1.0 / (1.0 + (-x).exp())
}

/// Columns: z[0], z[1], u, levels, Male, three of the code, two of the choice of two.
fn row(weights: &[(usize, f32)]) -> Vec<f32> {
    let mut row = vec![0.0; 10];
    weights.iter().for_each(|(i, w)| row[*i] = *w);
    row
}

/// Where nothing else moves an attribute, it goes from σ(w·low) to σ(w·high) for every latent.
#[test]
fn an_entry_goes_from_its_lowest_to_its_highest_value() -> Result<(), LatentError> {
    for (part, columns, low, high) in [
        ("z", [0, 1], -2.0, 2.0),
        ("u", [2, 2], -0.5, 1.5),
        ("levels", [3, 3], 0.0, 9.0),
        ("attributes", [4, 4], 0.0, 1.0),
    ] {
        let weight = vec![row(&[(columns[0], 0.3)]), row(&[]), row(&[(columns[1], -0.2)])];
        let all = found(weight, part, 70)?;
        let first = &all[0];
        assert_eq!((first.from, first.to), (Some(low), high), "{part}");
        let expected = sigmoid(0.3 * f64::from(high)) - sigmoid(0.3 * f64::from(low));
        let got = &first.moves[0];
        // Log-odds are f32 sums of ten terms.
        assert!((got.change - expected).abs() < 1e-6 && got.standard_error < 1e-7, "{got:?}");
        assert_eq!((first.moves[1].change, first.moves[1].standard_error), (0.0, 0.0));
        let last = all.last().expect("an entry");
        let expected = sigmoid(-0.2 * f64::from(high)) - sigmoid(-0.2 * f64::from(low));
        assert!((last.moves[2].change - expected).abs() < 1e-6, "{last:?}");
    }
    Ok(())
}

#[test]
fn one_attribute_has_participation_1_and_k_equal_ones_k() -> Result<(), LatentError> {
    for k in 1..=6 {
        let moved = |i: usize| {
            let sign = if i.is_multiple_of(2) { 0.4 } else { -0.4 };
            if i < k { row(&[(0, sign)]) } else { row(&[(1, 0.9)]) }
        };
        let all = found((0..7).map(moved).collect(), "z", 40)?;
        for (entry, count) in [(&all[0], k), (&all[1], 7 - k)] {
            let found = entry.entanglement.expect("something moves");
            assert_eq!((found.half, entry.clear), (count, count));
            assert!((found.participation - count as f64).abs() < 1e-5, "{found:?}");
            let of_clear = entry.entanglement_of_clear.expect("what moves, moves clearly");
            assert!((of_clear.participation - count as f64).abs() < 1e-5, "{of_clear:?}");
        }
        let parts = of_parts(&all);
        assert_eq!((parts.len(), parts[0].dimensions, parts[0].moving), (1, 2, 2));
        let means = parts[0].entanglement.expect("something moves");
        assert!((means.half - 3.5).abs() < 1e-12 && (means.participation - 3.5).abs() < 1e-5);
        let largest = ((sigmoid(0.8) - sigmoid(-0.8)) + (sigmoid(1.8) - sigmoid(-1.8))) / 2.0;
        assert!((parts[0].largest - largest).abs() < 1e-6 && parts[0].clear == 3.5, "{parts:?}");
    }
    Ok(())
}

/// (1 + ½ + ¼)²/(1 + ¼ + 1/16) = 7/3, and half of the largest is enough for `half`.
#[test]
fn entanglement_in_closed_form() {
    let found = Entanglement::of(&[-0.25, 0.5, 1.0, 0.0]).expect("something moves");
    assert_eq!(found.half, 2);
    assert!((found.participation - 7.0 / 3.0).abs() < 1e-12);
    let small = Entanglement::of(&[1e-200, -1e-200]).expect("something moves");
    assert_eq!((small.half, small.participation), (2, 2.0));
    assert_eq!(Entanglement::of(&[0.0, 0.0]), None);
    assert_eq!(Entanglement::of(&[]), None);
}

#[test]
fn what_moves_nothing_has_no_entanglement() -> Result<(), LatentError> {
    let all = found(vec![row(&[(2, 1.0)]), row(&[(3, 1.0)])], "z", 20)?;
    assert!(all.iter().all(|entry| entry.entanglement.is_none() && entry.clear == 0));
    let parts = of_parts(&all);
    assert_eq!((parts[0].moving, parts[0].largest, parts[0].entanglement), (0, 0.0, None));
    assert!(of_parts(&[]).is_empty());
    Ok(())
}

/// Means and standard errors against a plain computation on the latents themselves.
#[test]
fn changes_that_depend_on_the_rest_have_a_standard_error() -> Result<(), LatentError> {
    let n = 130;
    let latents = seeded(&latent(), n, 3, None, &Device::Cpu)?;
    let z = latents.part("z").expect("z").to_vec2::<f32>()?;
    let changes: Vec<f64> = z
        .iter()
        .map(|z| sigmoid(1.5 * f64::from(z[1]) + 2.0) - sigmoid(1.5 * f64::from(z[1]) - 2.0))
        .collect();
    let mean = changes.iter().sum::<f64>() / n as f64;
    let squares: f64 = changes.iter().map(|c| (c - mean).powi(2)).sum();
    let error = (squares / (n - 1) as f64 / n as f64).sqrt();
    let weight = vec![row(&[(0, 1.0), (1, 1.5)])];
    let got = &found(weight.clone(), "z", n)?[0].moves[0];
    assert!((got.change - mean).abs() < 1e-6 && (got.standard_error - error).abs() < 1e-6);
    assert!(error > 0.005, "the rest decides how much it moves: {error}");
    assert_eq!(found(weight.clone(), "z", n)?, found(weight, "z", n)?, "the same again");
    Ok(())
}

/// Each class against the mean of all: of one attribute that one class of three turns on, +⅔ and −⅓ of the whole change.
#[test]
fn classes_are_held_against_the_mean_of_all() -> Result<(), LatentError> {
    let all = found(vec![row(&[(6, 2.0)]), row(&[(0, 1.0)])], "code", 30)?;
    assert_eq!(all.len(), 3);
    let whole = sigmoid(2.0) - 0.5;
    for (class, (found, share)) in all.iter().zip([-1.0 / 3.0, 2.0 / 3.0, -1.0 / 3.0]).enumerate() {
        assert_eq!((found.from, found.to, found.entry), (None, class as f32, 0));
        assert!((found.moves[0].change - share * whole).abs() < 1e-6, "{found:?}");
        assert!(found.moves[1].change.abs() < 1e-12, "{found:?}");
        let names: Vec<&str> = found.strongest().iter().map(|m| m.name.as_str()).collect();
        assert_eq!(names, ["a0"]);
    }
    let two = found(vec![row(&[(9, 2.0), (8, -2.0)])], "two", 30)?;
    assert_eq!((two.len(), two[0].from, two[0].to), (1, Some(0.0), 1.0));
    assert!((two[0].moves[0].change - (sigmoid(2.0) - sigmoid(-2.0))).abs() < 1e-6);
    Ok(())
}

#[test]
fn images_are_counted_and_wrong_entries_refused() -> Result<(), LatentError> {
    let latents = seeded(&latent(), 70, 0, None, &Device::Cpu)?;
    let entries = [("z".to_string(), 1), ("code".to_string(), 0)];
    let last = std::cell::Cell::new(0);
    let weight = vec![row(&[(0, 1.0)])];
    entry_moves(&Linear(weight.clone()), &latents, &entries, &names(1), look, |n| last.set(n))?;
    assert_eq!(last.get(), images_needed(&latent(), &entries, 70));
    assert_eq!(last.get(), (2 + 3) * 70);
    for place in [("z", 2), ("y", 0)] {
        let entries = [(place.0.to_string(), place.1)];
        let refused =
            entry_moves(&Linear(weight.clone()), &latents, &entries, &names(1), look, |_| ());
        assert!(refused.is_err(), "{place:?}");
    }
    Ok(())
}
