//! Images in batches, as networks that are not trained look at them.

use candle_core::Tensor;
use gan_core::image;
use gan_data::{Dataset, Split};

use crate::error::TrainError;

/// Images that go through a network at once: enough to keep all cores busy, few enough for memory.
pub const BATCH: usize = 64;

/// All images of a split in order, `(N, C, H, W)` in [−1, 1] on the CPU, N at most [`BATCH`].
pub fn of_split(data: &Dataset, split: Split) -> impl Iterator<Item = Result<Tensor, TrainError>> {
    let n = data.len(split);
    (0..n).step_by(BATCH).map(move |from| {
        let indices: Vec<usize> = (from..n.min(from + BATCH)).collect();
        Ok(image::normalize(&data.samples(split, &indices)?)?)
    })
}
