//! The speed of single layers, and of the matrix product that bounds it.

use std::time::Instant;

use candle_core::Result;
use rayon::prelude::*;

use crate::conv::{ConvShape, Pass, run};
use crate::geometry::ConvGeometry;
use crate::panels::{Packed, Panels};
use crate::product::{Destination, Left, multiply};
use crate::threads::awake;

/// A direction of a convolution.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// Its values.
    Forward,
    /// The gradient for its input, which is the transposed convolution.
    InputGrad,
    /// The gradient for its weight.
    WeightGrad,
}

impl Direction {
    /// All three.
    pub const ALL: [Self; 3] = [Self::Forward, Self::InputGrad, Self::WeightGrad];

    /// Its name in tables and JSON.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Forward => "forward",
            Self::InputGrad => "input_grad",
            Self::WeightGrad => "weight_grad",
        }
    }
}

/// A convolution of square images, or a linear layer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LayerShape {
    /// Channels of the input.
    pub c_in: usize,
    /// Side of the input.
    pub size: usize,
    /// Channels of the output.
    pub c_out: usize,
    /// Side of the kernel.
    pub kernel: usize,
    /// Step between outputs.
    pub stride: usize,
    /// Zeros on each side.
    pub padding: usize,
}

impl LayerShape {
    /// The layers that are measured: those of a 64×64 DCGAN's discriminator, from the image on, and others that
    /// networks have.
    pub const MEASURED: [Self; 9] = [
        Self::new(3, 64, 64, 4, 2, 1),
        Self::new(64, 32, 128, 4, 2, 1),
        Self::new(128, 16, 256, 4, 2, 1),
        Self::new(256, 8, 512, 4, 2, 1),
        Self::new(100, 4, 512, 4, 1, 0),
        Self::new(64, 32, 64, 3, 1, 1),
        Self::new(32, 28, 64, 3, 2, 1),
        Self::new(64, 32, 128, 5, 2, 2),
        Self::new(784, 1, 1024, 1, 1, 0),
    ];

    const fn new(
        c_in: usize,
        size: usize,
        c_out: usize,
        kernel: usize,
        stride: usize,
        padding: usize,
    ) -> Self {
        Self { c_in, size, c_out, kernel, stride, padding }
    }

    fn shape(self, batch: usize) -> Result<ConvShape> {
        let Self { c_in, size, c_out, kernel, stride, padding } = self;
        let geometry = ConvGeometry::square(stride, padding);
        ConvShape::of_conv2d(&[batch, c_in, size, size], &[c_out, c_in, kernel, kernel], geometry)
    }

    /// Floating-point operations of one direction by the definition: two for each product that is summed.
    ///
    /// # Errors
    /// If the kernel does not fit the image.
    pub fn operations(self, batch: usize) -> Result<f64> {
        let shape = self.shape(batch)?;
        Ok(2.0 * (batch * shape.small.len() * shape.patch_len()) as f64)
    }

    /// Seconds of the best of some runs of one direction on the CPU, in `f32`, after one that is not counted. Images lie
    /// as the kernels have them.
    ///
    /// # Errors
    /// If the kernel does not fit the image.
    pub fn best_seconds(self, batch: usize, direction: Direction, runs: usize) -> Result<f64> {
        let shape = self.shape(batch)?;
        let large = values(batch * shape.large.len());
        let small = values(batch * shape.small.len());
        let weight = values(shape.weight_dims().iter().product());
        let (pass, a, b) = match direction {
            Direction::Forward => (Pass::Forward, &large, &weight),
            Direction::InputGrad => (Pass::InputGrad, &small, &weight),
            Direction::WeightGrad => (Pass::WeightGrad, &large, &small),
        };
        let once = || {
            let start = Instant::now();
            std::hint::black_box(run::<f32>(pass, &shape, a, b));
            start.elapsed().as_secs_f64()
        };
        let all = || (0..=runs).map(|_| once()).skip(1).fold(f64::INFINITY, f64::min);
        Ok(awake(all))
    }
}

impl std::fmt::Display for LayerShape {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { c_in, size, c_out, kernel, stride, padding } = self;
        if *size == 1 {
            return write!(f, "linear {c_in}→{c_out}");
        }
        write!(f, "{kernel}×{kernel} s{stride} p{padding} {c_in}→{c_out} at {size}×{size}")
    }
}

/// Numbers of ordinary size.
fn values(len: usize) -> Vec<f32> {
    (0..len).map(|i| (i % 251) as f32 / 125.0 - 1.0).collect()
}

/// Operations a second of the matrix product in `f32`, on all threads, where everything is in the cache: the bound of a
/// convolution that does nothing else.
pub fn product_speed() -> f64 {
    const ROWS: usize = 120;
    const INNER: usize = 256;
    const COLS: usize = 128;
    const REPEAT: usize = 200;
    let (left, right) = (values(ROWS * INNER), values(INNER * COLS));
    let tasks = rayon::current_num_threads();
    let once = || {
        let start = Instant::now();
        (0..tasks).into_par_iter().with_max_len(1).for_each(|_| {
            let right = Packed::new(INNER, COLS, |row| &right[row * COLS..][..COLS]);
            let mut out = vec![0f32; ROWS * COLS];
            for _ in 0..REPEAT {
                let left = Left::plain(Panels::row_major(&left, ROWS, INNER));
                let right = right.panels();
                multiply(Destination::row_major(&mut out, right, false), left, right);
            }
            std::hint::black_box(&out);
        });
        start.elapsed().as_secs_f64()
    };
    let best = (0..7).map(|_| once()).fold(f64::INFINITY, f64::min);
    2.0 * (tasks * REPEAT * ROWS * INNER * COLS) as f64 / best
}
