//! Between images `[N, C, H, W]`, as tensors have them, and `[N, H, W, C]`, as the kernels do.

use std::borrow::Cow;

use super::shape::Image;
use crate::element::Element;

/// `[N, H, W, C]` from `[N, C, H, W]`. Images of one pixel or one channel are handed through.
pub(crate) fn channels_last<'a, T: Element>(
    images: impl Into<Cow<'a, [T]>>,
    image: Image,
) -> Cow<'a, [T]> {
    swapped(images.into(), image.channels, image.area())
}

/// `[N, C, H, W]` from `[N, H, W, C]`. Images of one pixel or one channel are handed through.
pub(crate) fn channels_first<'a, T: Element>(
    images: impl Into<Cow<'a, [T]>>,
    image: Image,
) -> Cow<'a, [T]> {
    swapped(images.into(), image.area(), image.channels)
}

/// Every `[rows, cols]` transposed.
fn swapped<T: Element>(images: Cow<'_, [T]>, rows: usize, cols: usize) -> Cow<'_, [T]> {
    if rows == 1 || cols == 1 {
        return images;
    }
    let len = rows * cols;
    super::transpose::transposed_taps(&images, images.len() / len, rows, cols).into()
}
