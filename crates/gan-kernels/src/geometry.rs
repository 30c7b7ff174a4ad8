//! Stride and padding of a convolution, and the sizes that follow from them.

use candle_core::{Result, bail};

/// Geometry of a 2-D convolution; (height, width) pairs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ConvGeometry {
    /// Step between neighbouring outputs, in input pixels.
    pub stride: (usize, usize),
    /// Rows and columns of zeros on each side of the input.
    pub padding: (usize, usize),
}

impl ConvGeometry {
    /// The same stride and padding in both directions.
    pub const fn square(stride: usize, padding: usize) -> Self {
        Self { stride: (stride, stride), padding: (padding, padding) }
    }

    /// (height, width) of a convolution's output: `(size + 2·padding − kernel) / stride + 1`, rounded down.
    ///
    /// # Errors
    /// If the stride or the kernel is 0, or the kernel exceeds the padded input.
    pub fn output_size(
        &self,
        input: (usize, usize),
        kernel: (usize, usize),
    ) -> Result<(usize, usize)> {
        let axis = |size: usize, kernel: usize, stride: usize, padding: usize| {
            let padded = size.saturating_add(padding.saturating_mul(2));
            if stride == 0 || kernel == 0 || kernel > padded {
                bail!(
                    "convolution needs stride and kernel of at least 1 and a kernel within the padded input, got \
                     stride {stride}, kernel {kernel}, padded input {padded}"
                )
            }
            Ok((padded - kernel) / stride + 1)
        };
        Ok((
            axis(input.0, kernel.0, self.stride.0, self.padding.0)?,
            axis(input.1, kernel.1, self.stride.1, self.padding.1)?,
        ))
    }

    /// (height, width) of a transposed convolution's output:
    /// `(size − 1)·stride − 2·padding + kernel + output_padding`.
    ///
    /// # Errors
    /// If the output would be empty, or an output padding is not smaller than its stride.
    pub fn transposed_output_size(
        &self,
        input: (usize, usize),
        kernel: (usize, usize),
        output_padding: (usize, usize),
    ) -> Result<(usize, usize)> {
        let axis = |size: usize, kernel: usize, stride: usize, padding: usize, extra: usize| {
            if extra >= stride {
                bail!("output padding {extra} must be smaller than the stride {stride}")
            }
            let full = size.saturating_sub(1).saturating_mul(stride);
            let full = full.saturating_add(kernel).saturating_add(extra);
            if size == 0 || kernel == 0 || full <= padding.saturating_mul(2) {
                bail!(
                    "transposed convolution of {size} pixels with kernel {kernel}, stride {stride}, padding \
                     {padding} has no output"
                )
            }
            Ok(full - 2 * padding)
        };
        Ok((
            axis(input.0, kernel.0, self.stride.0, self.padding.0, output_padding.0)?,
            axis(input.1, kernel.1, self.stride.1, self.padding.1, output_padding.1)?,
        ))
    }
}
