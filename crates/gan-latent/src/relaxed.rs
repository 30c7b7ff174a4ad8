//! Latents that gradients can move: what is 0 or 1, a level or a class becomes a number between, and comes back to a
//! valid value in the end.

use candle_core::{D, Result, Tensor, Var};
use candle_nn::ops::{sigmoid, softmax};
use gan_core::Stream;
use gan_models::{Distribution, Latent, LatentBatch};

/// How far a choice's numbers start on its own side: σ(1) = 0.73, near enough to one half to be left again.
const SIDE: f32 = 1.0;
/// The same of the chosen class before the softmax, over 0 for the others.
const CHOSEN: f32 = 2.0;

/// Some latents, a part as free numbers each.
///
/// | part | free number f | as a network reads it |
/// |---|---|---|
/// | normal | the value | f |
/// | uniform | place in the range, −1 to 1 | middle + half the range · f, with f held to its range by [`Relaxed::clip`] |
/// | binary, attributes | log odds of 1 | σ(f) |
/// | levels | log odds | levels · σ(f) − ½, so that as much of (0, 1) rounds to each level |
/// | categorical | one a class | softmax over the classes of a choice |
pub(crate) struct Relaxed {
    latent: Latent,
    parts: Vec<Part>,
}

struct Part {
    free: Var, // [N, encoded size]
    /// What the network reads once the part is no longer moved.
    held: Option<Tensor>,
}

impl Relaxed {
    /// Free numbers that stand for `start`, discrete values near enough to the others to change.
    pub(crate) fn from(start: &LatentBatch) -> Result<Self> {
        let latent = start.latent().clone();
        let part = |part: &gan_models::Part| {
            let read = start.encode_part(&part.name)?.contiguous()?;
            let free = free_of(&part.distribution, &read)?;
            Ok(Part { free: Var::from_tensor(&free)?, held: None })
        };
        let parts = latent.parts().iter().map(part).collect::<Result<_>>()?;
        Ok(Self { latent, parts })
    }

    /// What is moved, by the names of the parts.
    pub(crate) fn variables(&self) -> Vec<(String, Var)> {
        let names = self.latent.parts().iter().map(|part| part.name.clone());
        names.zip(self.parts.iter().map(|part| part.free.clone())).collect()
    }

    /// What a network reads, `(N, encoded_size)`, differentiable in the variables of parts that are not held.
    pub(crate) fn encode(&self) -> Result<Tensor> {
        let parts = self.latent.parts().iter().zip(&self.parts);
        let read = |(part, relaxed): (&gan_models::Part, &Part)| match &relaxed.held {
            Some(held) => Ok(held.clone()),
            None => read_of(&part.distribution, &relaxed.free),
        };
        let mut read = parts.map(read).collect::<Result<Vec<_>>>()?;
        // A single part needs no copy.
        if read.len() == 1 { Ok(read.remove(0)) } else { Tensor::cat(&read, 1) }
    }

    /// Whether some parts are discrete and others are not, so that these can still move when those are decided.
    pub(crate) fn is_mixed(&self) -> bool {
        let discrete = |part: &gan_models::Part| part.distribution.is_discrete();
        let count = self.latent.parts().iter().filter(|part| discrete(part)).count();
        count > 0 && count < self.parts.len()
    }

    /// Decides discrete parts: they are held at the nearest valid values from now on.
    pub(crate) fn hold_discrete(&mut self) -> Result<()> {
        let valid = self.project()?;
        for (part, relaxed) in self.latent.parts().iter().zip(&mut self.parts) {
            if part.distribution.is_discrete() {
                relaxed.held = Some(valid.encode_part(&part.name)?);
            }
        }
        Ok(())
    }

    /// Stochastic clipping (Lipton and Tripathi 2017, <https://arxiv.org/abs/1702.04782>, section 3): a uniform entry that
    /// has left its range is drawn anew from all of it, since one that is set to the end tends to stay there. `streams`: one
    /// for each latent.
    pub(crate) fn clip(&self, streams: &mut [Stream]) -> Result<()> {
        for (part, relaxed) in self.latent.parts().iter().zip(&self.parts) {
            if !matches!(part.distribution, Distribution::Uniform { .. }) {
                continue;
            }
            let mut rows = relaxed.free.to_vec2::<f32>()?;
            let mut left = false;
            for (row, stream) in rows.iter_mut().zip(&mut *streams) {
                for entry in row.iter_mut().filter(|entry| entry.abs() > 1.0) {
                    *entry = stream.uniform(-1.0, 1.0);
                    left = true;
                }
            }
            if left {
                relaxed.free.set(&Tensor::new(rows, relaxed.free.device())?)?;
            }
        }
        Ok(())
    }

    /// The nearest latents that can be drawn; 0 stands for numbers that have run away.
    pub(crate) fn project(&self) -> Result<LatentBatch> {
        let names: Vec<&str> = self.latent.parts().iter().map(|part| part.name.as_str()).collect();
        self.latent.batch(|name| {
            let i = names.iter().position(|n| *n == name).expect("a batch asks for its own parts");
            let free = finite(&self.parts[i].free.as_detached_tensor())?;
            stored_of(&self.latent.parts()[i].distribution, &free)
        })
    }
}

/// The same with 0 for what is no number, or is not finite.
fn finite(values: &Tensor) -> Result<Tensor> {
    values.abs()?.le(f32::MAX)?.where_cond(values, &values.zeros_like()?)
}

/// Free numbers from what a network reads.
fn free_of(distribution: &Distribution, read: &Tensor) -> Result<Tensor> {
    match distribution {
        Distribution::Normal { .. } => read.copy(),
        Distribution::Uniform { low, high, .. } => {
            let (middle, half) = range(*low, *high);
            read.affine(1.0 / half, -middle / half)
        }
        Distribution::Binary { .. } | Distribution::Attributes { .. } => {
            read.affine(2.0 * f64::from(SIDE), -f64::from(SIDE))
        }
        Distribution::Levels { levels, .. } => {
            let share = read.affine(1.0 / *levels as f64, 0.5 / *levels as f64)?; // in (0, 1)
            share.log()? - share.affine(-1.0, 1.0)?.log()?
        }
        Distribution::Categorical { .. } => read.affine(f64::from(CHOSEN), 0.0),
    }
}

/// What a network reads from free numbers.
fn read_of(distribution: &Distribution, free: &Tensor) -> Result<Tensor> {
    match distribution {
        Distribution::Normal { .. } => Ok(free.clone()),
        Distribution::Uniform { low, high, .. } => {
            let (middle, half) = range(*low, *high);
            free.affine(half, middle)
        }
        Distribution::Binary { .. } | Distribution::Attributes { .. } => sigmoid(free),
        Distribution::Levels { levels, .. } => sigmoid(free)?.affine(*levels as f64, -0.5),
        Distribution::Categorical { classes, count } => {
            softmax(&free.reshape(((), *count, *classes))?, D::Minus1)?.flatten_from(1)
        }
    }
}

/// The nearest valid stored values `(N, size)`.
fn stored_of(distribution: &Distribution, free: &Tensor) -> Result<Tensor> {
    let read = read_of(distribution, free)?;
    match distribution {
        Distribution::Normal { .. } => read.copy(),
        Distribution::Uniform { low, high, .. } => read.clamp(*low, *high),
        Distribution::Binary { .. } | Distribution::Attributes { .. } => {
            read.ge(0.5)?.to_dtype(read.dtype())
        }
        Distribution::Levels { levels, .. } => read.round()?.clamp(0f32, (*levels - 1) as f32),
        Distribution::Categorical { classes, count } => {
            let choices = free.reshape(((), *count, *classes))?;
            choices.argmax(D::Minus1)?.to_dtype(read.dtype())
        }
    }
}

fn range(low: f32, high: f32) -> (f64, f64) {
    let (low, high) = (f64::from(low), f64::from(high));
    ((low + high) / 2.0, (high - low) / 2.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use candle_core::Device;
    use gan_models::Part;

    /// A latent with a part of every kind.
    fn every_kind() -> Latent {
        let part = |name: &str, distribution| Part { name: name.into(), distribution };
        let names = vec!["Smiling".to_string(), "Male".to_string()];
        Latent::new(vec![
            part("z", Distribution::Normal { size: 3 }),
            part("u", Distribution::Uniform { low: -2.0, high: 4.0, size: 4 }),
            part("bits", Distribution::Binary { p: 0.5, size: 5 }),
            part("levels", Distribution::Levels { levels: 10, size: 6 }),
            part("code", Distribution::Categorical { classes: 10, count: 2 }),
            part("attributes", Distribution::Attributes { names, frequencies: Vec::new() }),
        ])
    }

    fn drawn(n: usize) -> Result<LatentBatch> {
        every_kind().sample(n, &mut Stream::named("test", 0), &Device::Cpu)
    }

    #[test]
    fn what_is_not_moved_comes_back() -> Result<()> {
        let start = drawn(50)?;
        let back = Relaxed::from(&start)?.project()?;
        for ((name, a), (_, b)) in start.parts().zip(back.parts()) {
            let difference = (a - b)?.abs()?.max_all()?.to_scalar::<f32>()?;
            // The range of a uniform part is left and entered again in f32.
            assert!(difference <= if name == "u" { 1e-6 } else { 0.0 }, "{name}: {difference}");
        }
        Ok(())
    }

    /// `LatentBatch` refuses values that cannot be drawn, but takes uniform ones beyond their range.
    #[test]
    fn wherever_the_free_numbers_go_projection_is_valid() -> Result<()> {
        for (seed, spread) in [(1, 0.1), (2, 3.0), (3, 40.0), (4, 1000.0)] {
            let relaxed = Relaxed::from(&drawn(20)?)?;
            let mut stream = Stream::named("far", seed);
            for (_, var) in relaxed.variables() {
                let noise = stream.normal_tensor(var.dims(), &Device::Cpu)?;
                var.set(&(noise * f64::from(spread as f32))?)?;
            }
            let valid = relaxed.project()?;
            let uniform = valid.part("u").expect("a part").flatten_all()?.to_vec1::<f32>()?;
            assert!(uniform.iter().all(|u| (-2.0..=4.0).contains(u)), "{uniform:?}");
        }
        Ok(())
    }

    #[test]
    fn what_has_run_away_is_zero() -> Result<()> {
        let relaxed = Relaxed::from(&drawn(1)?)?;
        let z = [[f32::NAN, f32::NEG_INFINITY, 3.5]];
        relaxed.variables()[0].1.set(&Tensor::new(&z, &Device::Cpu)?)?;
        let z = relaxed.project()?.part("z").expect("a part").to_vec2::<f32>()?;
        assert_eq!(z, [[0.0, 0.0, 3.5]]);
        Ok(())
    }

    #[test]
    fn relaxed_values_lie_between_the_valid_ones_and_project_to_the_nearest() -> Result<()> {
        let relaxed = Relaxed::from(&drawn(1)?)?;
        for (name, var) in relaxed.variables() {
            let ramp: Vec<f32> = (0..var.elem_count()).map(|i| i as f32 - 2.2).collect();
            var.set(&Tensor::from_vec(ramp, var.dims(), &Device::Cpu)?)?;
            let part = every_kind().part(&name).expect("a part").distribution.clone();
            let read = read_of(&part, &var)?.flatten_all()?.to_vec1::<f32>()?;
            let stored = stored_of(&part, &var)?.flatten_all()?.to_vec1::<f32>()?;
            match part {
                Distribution::Binary { .. } | Distribution::Levels { .. } => {
                    for (read, stored) in read.iter().zip(&stored) {
                        assert!((read - stored).abs() <= 0.5, "{name}: {read} to {stored}");
                    }
                }
                Distribution::Categorical { .. } => {
                    let sums: Vec<f32> = read.chunks(10).map(|chunk| chunk.iter().sum()).collect();
                    assert!(sums.iter().all(|sum| (sum - 1.0).abs() < 1e-6), "{sums:?}");
                    assert_eq!(stored, [9.0, 9.0], "the ramp's largest");
                }
                _ => {}
            }
        }
        Ok(())
    }

    #[test]
    fn clipping_draws_anew_what_has_left_and_nothing_else() -> Result<()> {
        let relaxed = Relaxed::from(&drawn(2)?)?;
        let var = relaxed.variables()[1].1.clone();
        let set = [[0.5f32, -1.5, 1.0, 7.0], [-0.25, 0.0, 0.75, -1.0]];
        var.set(&Tensor::new(&set, &Device::Cpu)?)?;
        let streams = || [0, 1].map(|i| Stream::indexed("clip", 0, i));
        let mut expected = streams();
        relaxed.clip(&mut streams())?;
        let clipped = var.to_vec2::<f32>()?;
        assert_eq!(clipped[1], set[1], "nothing has left");
        assert_eq!([clipped[0][0], clipped[0][2]], [0.5, 1.0]);
        let anew = [0, 1].map(|_| expected[0].uniform(-1.0, 1.0));
        assert_eq!([clipped[0][1], clipped[0][3]], anew);
        Ok(())
    }

    #[test]
    fn held_parts_are_valid_and_have_no_gradient() -> Result<()> {
        let mut relaxed = Relaxed::from(&drawn(3)?)?;
        assert!(relaxed.is_mixed());
        relaxed.hold_discrete()?;
        let read = relaxed.encode()?;
        let valid = relaxed.project()?.encode()?;
        let difference = (&read - valid)?.abs()?.max_all()?.to_scalar::<f32>()?;
        assert!(difference < 1e-6, "{difference}");
        let gradients = read.sum_all()?.backward()?;
        for (name, var) in relaxed.variables() {
            let moved = name == "z" || name == "u";
            assert_eq!(gradients.get(&var).is_some(), moved, "{name}");
        }
        Ok(())
    }
}
