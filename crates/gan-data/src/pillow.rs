//! Resampling as Pillow's `Image.resize` does it for 8-bit pixels, bit for bit: the 8bpc path of
//! `libImaging/Resample.c`.
//!
//! Weights are f64, divided by their sum and rounded to [`PRECISION_BITS`] bits. The horizontal pass
//! comes first (but see [`vertical_first`]); each pass rounds and clips to u8, and a pass that would
//! keep its size is left out. This is Pillow 13; up to 12.3 the horizontal pass came first more often,
//! which differs by rounding.
//!
//! Pillow walks pixel by pixel; here eight rows are transposed at a time, so that the sums of one
//! column stand side by side in a vector.

use std::f64::consts::PI;

use crate::transform::Filter;

/// Bits behind the point of a weight: 8 of 32 are the pixel's, and 2 hold the overshoot of filters
/// with negative lobes.
const PRECISION_BITS: u32 = 32 - 8 - 2;

/// Resamples pictures; keeps its buffers and the weights of the last sizes.
#[derive(Default)]
pub(crate) struct PillowResizer {
    columns: Weights,
    rows: Weights,
    band: Band,
    between: Vec<u8>, // [H, w, C], or [h, W, C] with the vertical pass first
}

impl PillowResizer {
    /// Resamples `pixels`, `[H, W, C]` with `C` 1 or 3, from one `(width, height)` to another, none
    /// of them 0. `out` becomes `[h, w, C]`.
    pub(crate) fn resample(
        &mut self,
        pixels: &[u8],
        from: (usize, usize),
        channels: usize,
        to: (usize, usize),
        filter: Filter,
        out: &mut Vec<u8>,
    ) {
        assert_eq!(pixels.len(), from.0 * from.1 * channels, "[H, W, C]");
        out.resize(to.0 * to.1 * channels, 0);
        if from == to {
            return out.copy_from_slice(pixels);
        }
        let Self { columns, rows, band, between } = self;
        columns.prepare(from.0, to.0, filter);
        rows.prepare(from.1, to.1, filter);
        let (stride, out_stride) = (from.0 * channels, to.0 * channels);
        if from.0 == to.0 {
            vertical(pixels, stride, rows, out);
        } else if from.1 == to.1 {
            band.horizontal(pixels, from.0, channels, columns, out);
        } else if vertical_first(from, to) {
            between.resize(stride * to.1, 0);
            vertical(pixels, stride, rows, between);
            band.horizontal(between, from.0, channels, columns, out);
        } else {
            between.resize(out_stride * from.1, 0);
            band.horizontal(pixels, from.0, channels, columns, between);
            vertical(between, out_stride, rows, out);
        }
    }
}

/// Whether rows are resampled first: where the height loses more than twice the pixels that the width does.
fn vertical_first(from: (usize, usize), to: (usize, usize)) -> bool {
    let lost = |from: usize, to: usize| from as i64 - to as i64;
    let (width, height) = (lost(from.0, to.0), lost(from.1, to.1));
    height > 0 && height > 2 * width
}

/// Weights of the source pixels along one axis.
#[derive(Default)]
struct Weights {
    key: Option<(usize, usize, Filter)>,
    first: Vec<usize>, // source pixel, for each target pixel
    values: Vec<i32>,  // [target, taps]
}

impl Weights {
    /// `precompute_coeffs` and `normalize_coeffs_8bpc`, unless they are here already.
    fn prepare(&mut self, from: usize, to: usize, filter: Filter) {
        let key = Some((from, to, filter));
        if self.key == key {
            return;
        }
        self.key = key;
        let scale = from as f64 / to as f64;
        let filter_scale = scale.max(1.0);
        let support = support(filter) * filter_scale;
        let inverse = 1.0 / filter_scale;
        let center = |i: usize| (i as f64 + 0.5) * scale;
        let range = |i: usize| {
            // The casts take what is negative to 0.
            let first = (center(i) - support + 0.5) as usize;
            first..((center(i) + support + 0.5) as usize).min(from)
        };
        // Weights of 0 give every target pixel as many: loops of one length are foreseen by the
        // processor.
        let taps = (0..to).map(|i| range(i).len()).max().unwrap_or(0);
        self.first = (0..to).map(|i| range(i).start.min(from - taps)).collect();
        self.values = vec![0; to * taps];
        for (i, values) in self.values.chunks_exact_mut(taps).enumerate() {
            let at = |j: usize| (j as f64 - center(i) + 0.5) * inverse;
            let raw: Vec<f64> = range(i).map(|j| weight(filter, at(j))).collect();
            let sum: f64 = raw.iter().sum();
            let norm = if sum == 0.0 { 1.0 } else { sum };
            let one = f64::from(1 << PRECISION_BITS);
            let fixed = |w: &f64| {
                let w = w / norm;
                (w * one + if w < 0.0 { -0.5 } else { 0.5 }) as i32
            };
            let values = &mut values[range(i).start - self.first[i]..];
            values.iter_mut().zip(raw.iter().map(fixed)).for_each(|(value, w)| *value = w);
        }
    }

    /// First source pixel and weights, for each target pixel.
    #[inline(always)]
    fn iter(&self) -> impl Iterator<Item = (usize, &[i32])> {
        let taps = self.values.len() / self.first.len();
        self.first.iter().copied().zip(self.values.chunks_exact(taps))
    }
}

/// Radius of a filter at scale 1.
fn support(filter: Filter) -> f64 {
    match filter {
        Filter::Box => 0.5,
        Filter::Bilinear => 1.0,
        Filter::Bicubic => 2.0,
        Filter::Lanczos => 3.0,
    }
}

/// A filter at `x`. The order of operations is Pillow's, so that the roundings are.
fn weight(filter: Filter, x: f64) -> f64 {
    const A: f64 = -0.5;
    let sinc = |x: f64| if x == 0.0 { 1.0 } else { (x * PI).sin() / (x * PI) };
    let d = x.abs();
    match filter {
        Filter::Box if x > -0.5 && x <= 0.5 => 1.0,
        Filter::Bilinear if d < 1.0 => 1.0 - d,
        Filter::Bicubic if d < 1.0 => ((A + 2.0) * d - (A + 3.0)) * d * d + 1.0,
        Filter::Bicubic if d < 2.0 => (((d - 5.0) * d + 8.0) * d - 4.0) * A,
        Filter::Lanczos if (-3.0..3.0).contains(&x) => sinc(x) * sinc(x / 3.0),
        _ => 0.0,
    }
}

/// Weighted sums that stand side by side; they start at one half.
#[derive(Clone, Copy)]
struct Sums<const N: usize>([i32; N]);

impl<const N: usize> Sums<N> {
    const HALF: Self = Self([1 << (PRECISION_BITS - 1); N]);

    /// Adds values of one weight. Nothing wraps, but the checks of a build for tests would keep the
    /// loop from becoming vectors.
    #[inline(always)]
    fn add(&mut self, values: &[u8; N], weight: i32) {
        for (sum, &value) in self.0.iter_mut().zip(values) {
            *sum = sum.wrapping_add(i32::from(value).wrapping_mul(weight));
        }
    }

    /// Rounded down to whole gray levels, within u8.
    #[inline(always)]
    fn clipped(self) -> [u8; N] {
        let mut out = [0; N];
        for (out, &sum) in out.iter_mut().zip(&self.0) {
            *out = (sum >> PRECISION_BITS).clamp(0, 255) as u8;
        }
        out
    }
}

/// Rows of a band.
const ROWS: usize = 8;
/// Bytes of a row that are transposed at once: vectors of four [`u64`].
const CHUNK: usize = 32;

/// Eight rows, transposed: a column is the bytes of one channel. There are whole [`CHUNK`]s of them.
#[derive(Default)]
struct Band {
    source: Vec<u8>, // [W, C, 8]
    target: Vec<u8>, // [w, C, 8]
}

impl Band {
    /// `pixels`, `[H, W, C]`, to `out`, `[H, w, C]`.
    fn horizontal(
        &mut self,
        pixels: &[u8],
        width: usize,
        channels: usize,
        weights: &Weights,
        out: &mut [u8],
    ) {
        let (stride, out_stride) = (width * channels, weights.first.len() * channels);
        self.source.resize(stride.next_multiple_of(CHUNK) * ROWS, 0);
        self.target.resize(out_stride.next_multiple_of(CHUNK) * ROWS, 0);
        let bands = pixels.chunks(ROWS * stride).zip(out.chunks_mut(ROWS * out_stride));
        // Consumes `bands`: a closure that could be called again would be called through a shim, which
        // is not inlined and so not compiled for the processor's vectors.
        pulp::Arch::new().dispatch(
            #[inline(always)]
            || {
                for (pixels, out) in bands {
                    self.read(pixels, stride);
                    match channels {
                        1 => self.sum::<ROWS>(weights),
                        _ => self.sum::<{ 3 * ROWS }>(weights),
                    }
                    self.write(out, out_stride);
                }
            },
        );
    }

    /// Columns of pixels, `N` bytes each, to weighted sums of them.
    #[inline(always)]
    fn sum<const N: usize>(&mut self, weights: &Weights) {
        let (source, _) = self.source.as_chunks::<N>();
        let (target, _) = self.target.as_chunks_mut();
        for (target, (first, weights)) in target.iter_mut().zip(weights.iter()) {
            let mut sums = Sums::HALF;
            for (pixels, &weight) in source[first..].iter().zip(weights) {
                sums.add(pixels, weight);
            }
            *target = sums.clipped();
        }
    }

    /// Transposes up to eight rows; missing ones are 0.
    #[inline(always)]
    fn read(&mut self, pixels: &[u8], stride: usize) {
        for (i, columns) in self.source.chunks_exact_mut(CHUNK * ROWS).enumerate() {
            let mut block = [[0; 4]; ROWS];
            for (block, row) in block.iter_mut().zip(pixels.chunks_exact(stride)) {
                let row = &row[i * CHUNK..];
                let mut bytes = [0; CHUNK];
                match row.first_chunk() {
                    Some(full) => bytes = *full,
                    None => bytes[..row.len()].copy_from_slice(row),
                }
                let (words, _) = bytes.as_chunks();
                for (block, word) in block.iter_mut().zip(words) {
                    *block = u64::from_le_bytes(*word);
                }
            }
            transpose(&mut block);
            for (j, column) in columns.as_chunks_mut().0.iter_mut().enumerate() {
                *column = block[j % 8][j / 8].to_le_bytes();
            }
        }
    }

    /// Transposes back.
    #[inline(always)]
    fn write(&self, out: &mut [u8], stride: usize) {
        for (i, columns) in self.target.chunks_exact(CHUNK * ROWS).enumerate() {
            let mut block = [[0; 4]; ROWS];
            for (j, column) in columns.as_chunks().0.iter().enumerate() {
                block[j % 8][j / 8] = u64::from_le_bytes(*column);
            }
            transpose(&mut block);
            for (block, row) in block.iter().zip(out.chunks_exact_mut(stride)) {
                let mut bytes = [0; CHUNK];
                let (words, _) = bytes.as_chunks_mut();
                for (word, block) in words.iter_mut().zip(block) {
                    *word = block.to_le_bytes();
                }
                let row = &mut row[i * CHUNK..];
                match row.first_chunk_mut() {
                    Some(full) => *full = bytes,
                    None => row.copy_from_slice(&bytes[..row.len()]),
                }
            }
        }
    }
}

/// Transposes four 8×8 matrices of bytes side by side, by swapping quarters of halving size
/// (Warren, Hacker's Delight, section 7-3).
#[expect(clippy::needless_range_loop, reason = "iterators make the whole resize a fifth slower")]
#[inline(always)]
fn transpose(block: &mut [[u64; 4]; 8]) {
    const STEPS: [(usize, u64); 3] =
        [(4, 0x0000_0000_ffff_ffff), (2, 0x0000_ffff_0000_ffff), (1, 0x00ff_00ff_00ff_00ff)];
    for (distance, mask) in STEPS {
        let bits = 8 * distance;
        for i in (0..8).filter(|i| i & distance == 0) {
            for lane in 0..4 {
                let (upper, lower) = (block[i][lane], block[i + distance][lane]);
                let swap = ((upper >> bits) ^ lower) & mask;
                block[i][lane] = upper ^ (swap << bits);
                block[i + distance][lane] = lower ^ swap;
            }
        }
    }
}

/// Rows of `stride` bytes to rows that are weighted sums of them.
fn vertical(pixels: &[u8], stride: usize, weights: &Weights, out: &mut [u8]) {
    let targets = out.chunks_exact_mut(stride).zip(weights.iter());
    // Consumes `targets`, as above.
    pulp::Arch::new().dispatch(
        #[inline(always)]
        || {
            for (out, (first, weights)) in targets {
                let rows = &pixels[first * stride..];
                let done = sum_rows::<32>(rows, weights, out, 0);
                let done = sum_rows::<8>(rows, weights, out, done);
                sum_rows::<1>(rows, weights, out, done);
            }
        },
    );
}

/// Fills `N` bytes of `out` at a time, from `start` on while they fit; returns where it stopped.
#[inline(always)]
fn sum_rows<const N: usize>(rows: &[u8], weights: &[i32], out: &mut [u8], start: usize) -> usize {
    let stride = out.len();
    let (chunks, rest) = out[start..].as_chunks_mut::<N>();
    for (i, chunk) in chunks.iter_mut().enumerate() {
        let mut sums = Sums::HALF;
        for (row, &weight) in rows.chunks_exact(stride).zip(weights) {
            if let Some(values) = row[start + i * N..].first_chunk() {
                sums.add(values, weight);
            }
        }
        *chunk = sums.clipped();
    }
    stride - rest.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Values: tests/golden/pillow.py (Pillow 13.0.0).
    #[test]
    fn pixels_are_pillows() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/golden/pillow.safetensors");
        let bytes = std::fs::read(path).expect("tests/golden has the file");
        let golden = safetensors::SafeTensors::deserialize(&bytes).expect("safetensors");
        let filters = [
            ("box", Filter::Box),
            ("bilinear", Filter::Bilinear),
            ("bicubic", Filter::Bicubic),
            ("lanczos", Filter::Lanczos),
        ];
        // One for all, so that buffers and weights of the last picture are at hand to go wrong.
        let mut resizer = PillowResizer::default();
        let (mut out, mut n_compared) = (Vec::new(), 0);
        for name in golden.names() {
            let Some(case) = name.strip_suffix(".image") else { continue };
            let image = golden.tensor(name).expect("listed");
            let &[height, width, channels] = image.shape() else { panic!("{name}: [H, W, C]") };
            for (key, filter) in filters {
                let expected = golden.tensor(&format!("{case}.{key}")).expect("every filter");
                let to = (expected.shape()[1], expected.shape()[0]);
                let from = (width, height);
                resizer.resample(image.data(), from, channels, to, filter, &mut out);
                assert!(out == expected.data(), "{case}, {key}");
                n_compared += 1;
            }
        }
        assert_eq!(n_compared, golden.len() - n_compared / 4, "an image and four results a case");
    }
}
