//! Memory of the kernels: outputs that are filled in parallel, scratch that is reused.

use std::mem::MaybeUninit;

use rayon::prelude::*;

use crate::element::Element;

/// Bytes of a cache line.
pub(crate) const LINE: usize = 64;

/// A vector of `len` elements whose chunks of `chunk_len` are filled by `fill(chunk index, chunk)` in parallel.
///
/// Every chunk is zero when `fill` gets it. It is zeroed by the thread that fills it and just before, so that the
/// zeros cost a pass over the cache and not one over memory.
pub(crate) fn fill_chunks<T: Element>(
    len: usize,
    chunk_len: usize,
    fill: impl Fn(usize, &mut [T]) + Send + Sync,
) -> Vec<T> {
    write_chunks(len, chunk_len, |index, chunk| {
        let chunk = zeroed(chunk);
        fill(index, chunk);
        chunk
    })
}

/// A vector of `len` elements whose chunks of `chunk_len` are written by `write(chunk index, chunk)` in parallel, which
/// gives back the chunk that it got, all of it written.
pub(crate) fn write_chunks<T: Element>(
    len: usize,
    chunk_len: usize,
    write: impl for<'a> Fn(usize, &'a mut [MaybeUninit<T>]) -> &'a mut [T] + Send + Sync,
) -> Vec<T> {
    let mut out: Vec<T> = Vec::with_capacity(len);
    out.spare_capacity_mut()[..len].par_chunks_mut(chunk_len.max(1)).enumerate().for_each(
        |(index, chunk)| {
            let extent = (chunk.as_ptr().cast::<T>(), chunk.len());
            let written = write(index, chunk);
            assert!(extent == (written.as_ptr(), written.len()), "another chunk");
        },
    );
    // SAFETY: `len` is within the capacity, and the chunks, which cover `..len`, were all given back initialized.
    #[allow(unsafe_code)]
    unsafe {
        out.set_len(len);
    }
    out
}

/// A row-major `[rows, cols]` whose bands of columns are made by `fill(first column, columns, band)` in parallel. The
/// first band has `lead` columns, the others have `width`, the last one what is left. Bands, of unspecified content,
/// have rows of `width` elements; what is beyond their columns is not kept.
pub(crate) fn fill_columns<T: Element>(
    rows: usize,
    cols: usize,
    (lead, width): (usize, usize),
    fill: impl Fn(usize, usize, &mut [T]) + Send + Sync,
) -> Vec<T> {
    assert!((1..=width).contains(&lead), "a first band of {lead} columns");
    let mut out: Vec<T> = Vec::with_capacity(rows * cols);
    let to = Columns(out.as_mut_ptr());
    (0..(cols + width - lead).div_ceil(width)).into_par_iter().for_each(|band| {
        let to = &to;
        let first = (band * width).saturating_sub(width - lead);
        let len = (if band == 0 { lead } else { width }).min(cols - first);
        with_scratch(rows * width, |scratch| {
            fill(first, len, scratch);
            for (row, from) in scratch.chunks_exact(width).enumerate() {
                let from = from[..len].as_ptr();
                // SAFETY: columns `first..first + len` of a row below `rows` are within the capacity, and no other task
                // writes them.
                #[allow(unsafe_code)]
                unsafe {
                    std::ptr::copy_nonoverlapping(from, to.0.add(row * cols + first), len);
                }
            }
        });
    });
    // SAFETY: the bands cover all columns, and of each every row was written.
    #[allow(unsafe_code)]
    unsafe {
        out.set_len(rows * cols);
    }
    out
}

/// Where [`fill_columns`] writes.
struct Columns<T>(*mut T);

// SAFETY: tasks that share it write to different elements.
#[allow(unsafe_code)]
unsafe impl<T: Send> Sync for Columns<T> {}

/// Writes zeros and gives the slice its initialized type.
fn zeroed<T: Element>(chunk: &mut [MaybeUninit<T>]) -> &mut [T] {
    for element in chunk.iter_mut() {
        element.write(T::zero());
    }
    // SAFETY: every element was written above.
    #[allow(unsafe_code)]
    unsafe {
        chunk.assume_init_mut()
    }
}

/// Elements that begin with a cache line, so that vectors of them lie in one each.
pub(crate) struct Aligned<T> {
    data: Vec<T>,
    start: usize,
}

impl<T: Element> Aligned<T> {
    /// [`fill_chunks`], aligned.
    pub(crate) fn fill_chunks(
        len: usize,
        chunk_len: usize,
        fill: impl Fn(usize, &mut [T]) + Send + Sync,
    ) -> Self {
        let mut data: Vec<T> = Vec::with_capacity(len + LINE / size_of::<T>());
        let start = data.as_ptr().align_offset(LINE).min(LINE / size_of::<T>());
        data.resize(start, T::zero());
        data.spare_capacity_mut()[..len]
            .par_chunks_mut(chunk_len.max(1))
            .enumerate()
            .for_each(|(index, chunk)| fill(index, zeroed(chunk)));
        // SAFETY: `start + len` is within the capacity, and the chunks, which cover the elements from `start` on, were
        // zeroed at least.
        #[allow(unsafe_code)]
        unsafe {
            data.set_len(start + len);
        }
        Self { data, start }
    }
}

impl<T> std::ops::Deref for Aligned<T> {
    type Target = [T];

    fn deref(&self) -> &[T] {
        &self.data[self.start..]
    }
}

/// Runs `body` with `len` elements of unspecified content from this thread's spare buffers, aligned to a cache line.
pub(crate) fn with_scratch<T: Element, R>(len: usize, body: impl FnOnce(&mut [T]) -> R) -> R {
    let pad = LINE / size_of::<T>();
    // The buffer is taken out while in use: a nested call, or a task that rayon runs on this thread meanwhile,
    // takes another one.
    let mut buffer = T::spare_buffers().with_borrow_mut(Vec::pop).unwrap_or_default();
    if buffer.len() < len + pad {
        buffer.resize(len + pad, T::zero());
    }
    let start = buffer.as_ptr().align_offset(LINE).min(pad);
    let result = body(&mut buffer[start..start + len]);
    T::spare_buffers().with_borrow_mut(|spare| spare.push(buffer));
    result
}

/// [`with_scratch`] for several buffers at once, each aligned.
pub(crate) fn with_scratches<T: Element, R, const K: usize>(
    lens: [usize; K],
    body: impl FnOnce([&mut [T]; K]) -> R,
) -> R {
    let padded = lens.map(|len| len.next_multiple_of(LINE));
    with_scratch(padded.iter().sum(), |mut rest: &mut [T]| {
        body(std::array::from_fn(|i| {
            let (buffer, tail) = std::mem::take(&mut rest).split_at_mut(padded[i]);
            rest = tail;
            &mut buffer[..lens[i]]
        }))
    })
}
