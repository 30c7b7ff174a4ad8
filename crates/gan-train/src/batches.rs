//! Images in batches, as networks that are not trained look at them.

use candle_core::Tensor;
use gan_core::{ImageShape, image};
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

/// Whether `images` are `(N, C, H, W)` of the shape that a network, `what`, was trained on.
///
/// # Errors
/// If not; the message names both shapes.
pub(crate) fn check_shape(
    what: &str,
    expected: ImageShape,
    images: &Tensor,
) -> Result<(), TrainError> {
    let found = match *images.dims() {
        [_, channels, height, width] => ImageShape { channels, height, width },
        ref dims => {
            let reason = format!("{what} looks at images (N, C, H, W), not at {dims:?}");
            return Err(TrainError::Config(reason));
        }
    };
    if found == expected {
        return Ok(());
    }
    Err(TrainError::Config(format!(
        "{what} was trained on {expected} images, these are {found}; name data like its own, or train one on these"
    )))
}

#[cfg(test)]
mod tests {
    use candle_core::{DType, Device};

    use super::*;

    #[test]
    fn images_of_another_shape_are_named() {
        let shape = ImageShape { channels: 1, height: 28, width: 28 };
        let check = |dims: &[usize]| {
            let images = Tensor::zeros(dims, DType::F32, &Device::Cpu).expect("a tensor");
            check_shape("the classifier", shape, &images).map_err(|error| error.to_string())
        };
        assert_eq!(check(&[3, 1, 28, 28]), Ok(()));
        let said = check(&[64, 3, 64, 48]).expect_err("another shape");
        assert!(said.contains("28×28 gray images, these are 48×64 RGB"), "{said}");
        assert!(check(&[28, 28]).is_err());
    }
}
