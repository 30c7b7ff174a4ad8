//! Mixtures of Gaussians in the plane, on which collapse can be seen: each point is labelled with its mode.

use gan_core::Stream;

use crate::catalog::{Catalog, Facts, Item, Reader, Sample, Samples, Unreadable};
use crate::manifest::SourceId;
use crate::prepare::PrepareOptions;
use crate::shape::{SampleShape, Split};
use crate::transform::{Color, Transform};

/// Points where no limit is given.
const COUNT: usize = 100_000;

/// A mixture; all its modes are equally likely.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mixture {
    /// Eight modes of standard deviation 0.02, evenly on a circle of radius 2 (Metz et al. 2017,
    /// <https://arxiv.org/abs/1611.02163>, appendix A).
    Ring,
    /// Twenty-five modes of standard deviation 0.05 at the points of {−4, −2, 0, 2, 4}² (Lin et al. 2018,
    /// <https://arxiv.org/abs/1712.04086>, section 4.1).
    Grid,
}

impl Mixture {
    /// All mixtures.
    pub const ALL: [Mixture; 2] = [Mixture::Ring, Mixture::Grid];

    /// The name by which `--data` takes it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Ring => "gaussians-ring",
            Self::Grid => "gaussians-grid",
        }
    }

    /// Number of modes.
    pub fn n_modes(self) -> usize {
        match self {
            Self::Ring => 8,
            Self::Grid => 25,
        }
    }

    /// Mean of a mode below [`Mixture::n_modes`].
    pub fn mean(self, mode: usize) -> [f32; 2] {
        match self {
            Self::Ring => {
                let angle = std::f32::consts::TAU * mode as f32 / 8.0;
                [2.0 * angle.cos(), 2.0 * angle.sin()]
            }
            Self::Grid => [(mode % 5) as f32 * 2.0 - 4.0, (mode / 5) as f32 * 2.0 - 4.0],
        }
    }

    /// Standard deviation of each mode in both directions.
    pub fn std(self) -> f32 {
        match self {
            Self::Ring => 0.02,
            Self::Grid => 0.05,
        }
    }

    /// Point `index` of the set `seed`, and its mode.
    fn draw(self, seed: u64, index: usize) -> ([f32; 2], usize) {
        let mut stream = Stream::indexed(self.name(), seed, index as u64);
        let mode = stream.below(self.n_modes());
        (self.mean(mode).map(|mean| mean + self.std() * stream.normal()), mode)
    }
}

/// Opens a mixture: `limit` points, of every ten the last two for validation and test.
pub(crate) fn open(mixture: Mixture, options: &PrepareOptions) -> Catalog {
    let items = (0..options.limit.unwrap_or(COUNT))
        .map(|place| Item::new(place, Some(Split::in_tens(place))));
    let what = format!("{} 1 {}", mixture.name(), options.seed);
    Catalog {
        source: SourceId {
            kind: mixture.name().into(),
            name: mixture.name().into(),
            digest: blake3::hash(what.as_bytes()).to_hex().to_string(),
        },
        items: items.collect(),
        attributes: Vec::new(),
        classes: (0..mixture.n_modes()).map(|mode| format!("mode {mode}")).collect(),
        ignored: Vec::new(),
        shape: Some(SampleShape::Point(2)),
        transform: Transform::keep(Color::Gray),
        samples: Box::new(Points { mixture, seed: options.seed }),
    }
}

struct Points {
    mixture: Mixture,
    seed: u64,
}

impl Samples for Points {
    fn name(&self, place: usize) -> String {
        format!("{}[{place}]", self.mixture.name())
    }

    fn facts(&self, place: usize) -> Facts {
        Facts::labelled(self.mixture.draw(self.seed, place).1 as u32)
    }

    fn reader(&self) -> Box<dyn Reader + '_> {
        Box::new(PointReader(self))
    }
}

struct PointReader<'a>(&'a Points);

impl Reader for PointReader<'_> {
    fn read(&mut self, place: usize) -> Result<Sample, Unreadable> {
        Ok(Sample::Point(self.0.mixture.draw(self.0.seed, place).0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Mean and spread of every mode within five standard errors of what is said.
    #[test]
    fn modes_are_where_they_should_be() {
        for mixture in Mixture::ALL {
            let n = 20_000;
            let mut sums = vec![(0u32, [0f64; 2], 0f64); mixture.n_modes()];
            for i in 0..n {
                let (point, mode) = mixture.draw(3, i);
                let mean = mixture.mean(mode);
                let off: [f64; 2] = std::array::from_fn(|d| f64::from(point[d] - mean[d]));
                let (count, sum, squares) = &mut sums[mode];
                *count += 1;
                sum.iter_mut().zip(off).for_each(|(s, o)| *s += o);
                *squares += off[0] * off[0] + off[1] * off[1];
            }
            let std = f64::from(mixture.std());
            let expected = n as f64 / mixture.n_modes() as f64;
            for (count, sum, squares) in sums {
                let count = f64::from(count);
                assert!((count - expected).abs() < 5.0 * expected.sqrt(), "{count} points");
                for s in sum {
                    assert!((s / count).abs() < 5.0 * std / count.sqrt());
                }
                let variance = squares / (2.0 * count);
                assert!((variance / (std * std) - 1.0).abs() < 5.0 / count.sqrt(), "{variance}");
            }
        }
    }
}
