//! The loader: every picture once an epoch, flips left to right, exact positions.

use std::sync::Arc;

use gan_data::{Dataset, Loader, LoaderConfig, LoaderPosition, Sampling, Split, Storage};

use crate::Outcome;
use crate::fixtures::{self, assert_says, folder, idx, prepared};

const N: usize = 23;
const CONFIG: LoaderConfig =
    LoaderConfig { batch_size: 4, sampling: Sampling::Shuffle, flips: true, seed: 9 };

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
    assert_eq!(batch.samples.dims(), [CONFIG.batch_size, 1, 2, 3]);
    Ok((batch.indices, batch.samples.flatten_all()?.to_vec1()?, batch.epoch))
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
    let outside = data.samples(Split::Train, &[23]).expect_err("23 pictures").to_string();
    assert_says(&outside, &["below 23", "got 23"]);
    Ok(())
}

/// 23 pictures whose class is 1 for the first three and 0 for the others.
fn unbalanced() -> fixtures::Result<Arc<Dataset>> {
    let at = folder()?;
    let labels: Vec<u8> = (0..N).map(|i| u8::from(i < 3)).collect();
    std::fs::write(at.path().join("train-images-idx3-ubyte"), idx(&[N as u32, 2, 3], &[0; 6 * N]))?;
    std::fs::write(at.path().join("train-labels-idx1-ubyte"), idx(&[N as u32], &labels))?;
    Ok(Arc::new(prepared(at.path(), &at.path().join("out"), &Default::default())?.1))
}

#[test]
fn balanced_sampling_serves_classes_equally() -> Outcome {
    let sampling = Sampling::Balanced("class".into());
    let config = LoaderConfig { batch_size: N, sampling, ..CONFIG };
    let data = unbalanced()?;
    let mut loader = Loader::new(data.clone(), Split::Train, config.clone())?;
    let mut orders = Vec::new();
    for _ in 0..10 {
        let indices = loader.next_batch()?.indices;
        let rare = indices.iter().filter(|i| **i < 3).count();
        // Half of 23: each of the three comes 3.8 times, within one of it.
        assert!((9..=15).contains(&rare), "{rare} of {N}");
        orders.push(indices);
    }
    let position = LoaderPosition { epoch: 4, batch: 0 };
    let mut resumed = Loader::resume(data.clone(), Split::Train, config.clone(), position)?;
    assert_eq!(resumed.next_batch()?.indices, orders[4]);
    assert_ne!(orders[3], orders[4]);

    let unknown = Sampling::Balanced("Smiling".into());
    let error = Loader::new(data, Split::Train, LoaderConfig { sampling: unknown, ..config });
    assert_says(&error.expect_err("no such name").to_string(), &["\"Smiling\"", "class"]);
    Ok(())
}

#[test]
fn weights_of_attributes_multiply() -> Outcome {
    let at = folder()?;
    let zip = fixtures::celeba(at.path(), 40, "\n")?;
    let data = Arc::new(prepared(&zip, &at.path().join("out"), &fixtures::small())?.1);
    let n = data.len(Split::Train);
    let all: Vec<usize> = (0..n).collect();
    let odd = data.attributes(Split::Train, &all)?.expect("CelebA").to_vec2::<u8>()?;
    let weighted = |weight: f64| {
        let sampling = Sampling::Weighted([("Odd".to_string(), weight)].into());
        let config = LoaderConfig { batch_size: n, sampling, ..CONFIG };
        Loader::new(data.clone(), Split::Train, config)
    };
    let indices = weighted(0.0)?.next_batch()?.indices;
    assert!(indices.iter().all(|i| odd[*i][0] == 0), "weight 0 is never");
    let indices = weighted(3.0)?.next_batch()?.indices;
    let drawn = indices.iter().filter(|i| odd[**i][0] == 1).count() as f64;
    let there = odd.iter().filter(|row| row[0] == 1).count() as f64;
    let expected = n as f64 * 3.0 * there / (3.0 * there + (n as f64 - there));
    assert!((drawn - expected).abs() <= there, "{drawn}, not {expected}");
    assert_says(&weighted(-1.0).expect_err("negative").to_string(), &["at least 0", "-1 for Odd"]);
    Ok(())
}

#[test]
fn mapped_shards_serve_the_same() -> Outcome {
    let at = folder()?;
    fixtures::mnist(at.path(), 30, true)?;
    let out = at.path().join("out");
    prepared(at.path(), &out, &fixtures::small())?;
    let batches = |storage| -> fixtures::Result<Vec<Vec<u8>>> {
        let data = Arc::new(Dataset::open_in(&out, storage)?);
        let mut loader = Loader::new(data, Split::Train, CONFIG)?;
        (0..10).map(|_| Ok(loader.next_batch()?.samples.flatten_all()?.to_vec1()?)).collect()
    };
    assert_eq!(batches(Storage::Memory)?, batches(Storage::Mapped)?);
    Ok(())
}

#[test]
fn waiting_is_counted() -> Outcome {
    let mut loader = Loader::new(data()?, Split::Train, CONFIG)?;
    for _ in 0..3 {
        loader.next_batch()?;
    }
    // The thread fills its queue while nobody asks; on a machine that is busy it may need more than one try.
    for _ in 0..100 {
        std::thread::sleep(std::time::Duration::from_millis(20));
        let before = loader.waiting();
        loader.next_batch()?;
        let after = loader.waiting();
        assert_eq!(after.batches, before.batches + 1);
        if after.ready > before.ready {
            assert_eq!((after.ready, after.time), (before.ready + 1, before.time));
            return Ok(());
        }
        assert!(after.time > before.time);
    }
    panic!("no batch was ever ready");
}
