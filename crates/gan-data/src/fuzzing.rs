//! The readers of foreign bytes, for the fuzz targets under `fuzz/` and for a test; not in a usual build.
//! None may panic, whatever it is given.

use gan_core::ImageShape;

use crate::manifest::Manifest;
use crate::shape::SampleShape;
use crate::shard::{Bytes, Layout, Shard};
use crate::source::cifar::{self, Variant};
use crate::source::{Attributes, Idx, Partition};

/// An idx file of pictures, plain or gzipped, and one of labels.
pub fn idx(bytes: &[u8]) {
    for n_dims in [1, 3] {
        if let Ok(idx) = Idx::parse(bytes.to_vec(), n_dims) {
            assert_eq!(idx.body().len(), idx.dims.iter().product::<usize>());
        }
    }
}

/// A shard of pictures with attributes and labels, or of points; every row is read.
pub fn shard(bytes: &[u8]) {
    let image = SampleShape::Image(ImageShape { channels: 3, height: 2, width: 2 });
    for (sample, columns, classes) in [(image, 2, 0), (image, 0, 3), (SampleShape::Point(2), 0, 8)]
    {
        let layout = Layout { sample, columns, classes };
        let Ok(shard) = Shard::parse(Bytes::Memory(bytes.to_vec()), layout) else { continue };
        for row in 0..shard.rows() {
            let label = shard.label(row);
            assert!(label.is_none_or(|label| (0..classes as i64).contains(&label)));
            let bytes = shard.sample(row).len() + shard.attributes(row).len();
            assert_eq!(bytes, sample.checked_bytes().unwrap_or(0) + columns);
            let _ = shard.split(row);
        }
    }
}

/// A manifest.
pub fn manifest(bytes: &[u8]) {
    if let Ok(manifest) = Manifest::parse(bytes) {
        assert!(manifest.sample.checked_bytes().is_some());
        manifest.digest();
    }
}

/// A table of attributes, and one of splits.
pub fn attributes(bytes: &[u8]) {
    if let Ok(table) = Attributes::parse(bytes) {
        assert!(table.of("000001.jpg").is_none_or(|row| row.len() == table.names.len()));
    }
    if let Ok(table) = Partition::parse(bytes) {
        let _ = table.of("000001.jpg");
    }
}

/// A batch of CIFAR-10, and one of CIFAR-100.
pub fn cifar(bytes: &[u8]) {
    for variant in [Variant::Cifar10, Variant::Cifar100] {
        if let Ok(records) = cifar::check(bytes, variant) {
            assert!(records > 0);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    /// The seeds of a target, cut at every length and with every byte changed in a few ways.
    fn check(target: &str, read: fn(&[u8])) {
        let seeds = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/seeds").join(target);
        let seeds: Vec<_> = std::fs::read_dir(&seeds).expect("seeds").collect();
        assert!(!seeds.is_empty());
        for seed in seeds {
            let bytes = std::fs::read(seed.expect("a seed").path()).expect("a seed");
            // The middle of the long ones is pixels, which say nothing.
            for at in (0..bytes.len()).filter(|at| *at < 1500 || at + 1500 > bytes.len()) {
                read(&bytes[..at]);
                for change in [1, 0x20, 0x80, 0xff] {
                    let mut changed = bytes.clone();
                    changed[at] ^= change;
                    read(&changed);
                }
            }
            read(&bytes);
        }
    }

    #[test]
    fn damaged_files_of_every_kind_panic_nobody() {
        check("idx", super::idx);
        check("shard", super::shard);
        check("manifest", super::manifest);
        check("attributes", super::attributes);
        check("cifar", super::cifar);
    }
}
