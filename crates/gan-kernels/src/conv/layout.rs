//! Between images `[N, C, H, W]`, as tensors have them, and `[N, H, W, C]`, as the kernels do.

use super::shape::Image;
use crate::element::Element;

/// `[N, H, W, C]` from `[N, C, H, W]`.
pub(crate) fn channels_last<T: Element>(images: &[T], image: Image) -> Vec<T> {
    swapped(images, image.channels, image.area())
}

/// `[N, C, H, W]` from `[N, H, W, C]`.
pub(crate) fn channels_first<T: Element>(images: &[T], image: Image) -> Vec<T> {
    swapped(images, image.area(), image.channels)
}

/// Every `[rows, cols]` transposed.
fn swapped<T: Element>(images: &[T], rows: usize, cols: usize) -> Vec<T> {
    if rows == 1 || cols == 1 {
        return images.to_vec();
    }
    let len = rows * cols;
    super::transpose::transposed_taps(images, images.len() / len, rows, cols)
}
