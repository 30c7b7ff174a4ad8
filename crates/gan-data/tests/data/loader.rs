//! The loader: every picture once an epoch, flips left to right, exact positions.

use std::sync::Arc;

use gan_data::{Dataset, Loader, LoaderConfig, LoaderPosition, Split};

use crate::Outcome;
use crate::fixtures::{self, assert_says, folder, idx, prepared};

const N: usize = 23;
const CONFIG: LoaderConfig = LoaderConfig { batch_size: 4, flips: true, seed: 9 };

/// 23 pictures of 3×2; picture `i` has the pixels `6i` to `6i + 5`.
fn data() -> fixtures::Result<Arc<Dataset>> {
    let at = folder()?;
    let body: Vec<u8> = (0..6 * N as u8).collect();
    std::fs::write(at.path().join("train-images-idx3-ubyte"), idx(&[N as u32, 2, 3], &body))?;
    Ok(Arc::new(prepared(at.path(), &at.path().join("out"), &Default::default())?.1))
}

/// Indices, pixels and epoch of the next batch.
fn next(loader: &mut Loader) -> fixtures::Result<(Vec<usize>, Vec<u8>, u64)> {
    let batch = loader.next_batch()?;
    assert_eq!(batch.images.dims(), [CONFIG.batch_size, 1, 2, 3]);
    Ok((batch.indices, batch.images.flatten_all()?.to_vec1()?, batch.epoch))
}

#[test]
fn every_picture_comes_at_most_once_an_epoch() -> Outcome {
    let mut loader = Loader::new(data()?, Split::Train, CONFIG)?;
    assert_eq!(loader.batches_per_epoch(), 5);
    let mut orders = Vec::new();
    for epoch in 0..3 {
        let mut seen = Vec::new();
        for _ in 0..5 {
            let (indices, _, at) = next(&mut loader)?;
            assert_eq!(at, epoch);
            seen.extend(indices);
        }
        orders.push(seen.clone());
        seen.sort_unstable();
        seen.dedup();
        assert_eq!(seen.len(), 20);
    }
    assert!(orders[0] != orders[1] && orders[1] != orders[2]);
    Ok(())
}

#[test]
fn flips_are_left_to_right_and_half_of_all() -> Outcome {
    let data = data()?;
    let mut loader = Loader::new(data.clone(), Split::Train, CONFIG)?;
    let (mut flipped, mut total) = (0, 0);
    for _ in 0..100 {
        let (indices, pixels, _) = next(&mut loader)?;
        for (index, pixels) in indices.iter().zip(pixels.chunks(6)) {
            let i = 6 * *index as u8;
            let mirrored = [i + 2, i + 1, i, i + 5, i + 4, i + 3];
            assert!(pixels == mirrored || pixels == [i, i + 1, i + 2, i + 3, i + 4, i + 5]);
            flipped += usize::from(pixels == mirrored);
            total += 1;
        }
    }
    // Five standard deviations of 400 coins.
    assert!((150..=250).contains(&flipped), "{flipped} of {total}");
    let mut plain = Loader::new(data, Split::Train, LoaderConfig { flips: false, ..CONFIG })?;
    let (indices, pixels, _) = next(&mut plain)?;
    assert_eq!(pixels[0], 6 * indices[0] as u8);
    Ok(())
}

#[test]
fn a_restored_loader_continues_bit_for_bit() -> Outcome {
    let data = data()?;
    let mut whole = Loader::new(data.clone(), Split::Train, CONFIG)?;
    let mut positions = Vec::new();
    let mut batches = Vec::new();
    for _ in 0..17 {
        positions.push(whole.position());
        batches.push(next(&mut whole)?);
    }
    // Before the first batch, within an epoch, at its last batch and at its end.
    for start in [0, 3, 4, 5, 11] {
        let json = serde_json::to_string(&positions[start])?;
        let position: LoaderPosition = serde_json::from_str(&json)?;
        let mut loader = Loader::resume(data.clone(), Split::Train, CONFIG, position)?;
        for (i, batch) in batches.iter().enumerate().skip(start) {
            assert_eq!(loader.position(), positions[i]);
            assert_eq!(next(&mut loader)?, *batch);
        }
    }
    assert_eq!(positions[5], LoaderPosition { epoch: 1, batch: 0 });
    Ok(())
}

#[test]
fn what_cannot_be_served_is_refused() -> Outcome {
    let data = data()?;
    let refused = |split, config, position| {
        Loader::resume(data.clone(), split, config, position).expect_err("refused").to_string()
    };
    let start = LoaderPosition::default();
    let large = LoaderConfig { batch_size: 24, ..CONFIG };
    assert_says(&refused(Split::Train, large, start), &["train split has 23", "needs 24"]);
    assert_says(&refused(Split::Test, CONFIG, start), &["test split has 0"]);
    let empty = LoaderConfig { batch_size: 0, ..CONFIG };
    assert_says(&refused(Split::Train, empty, start), &["batch size"]);
    let beyond = LoaderPosition { epoch: 0, batch: 5 };
    assert_says(&refused(Split::Train, CONFIG, beyond), &["below 5"]);
    let outside = data.images(Split::Train, &[23]).expect_err("23 pictures").to_string();
    assert_says(&outside, &["below 23", "got 23"]);
    Ok(())
}
