//! The layers of a 64×64 DCGAN at batch 64, three directions each, beside candle's own ops; batch normalization and
//! Adam.
//!
//!     cargo bench -p gan-kernels -- conv        # `candle` in the filter for the stock ops, which are slow
#![allow(missing_docs, clippy::unwrap_used)]

use std::hint::black_box;
use std::time::Duration;

use candle_core::{DType, Device, Tensor, Var};
use criterion::{Criterion, criterion_group, criterion_main};
use gan_kernels::{
    Activation, Adam, AdamConfig, ConvGeometry, FeatureMaps, conv_transpose2d, conv2d,
    conv2d_weight_grad,
};

const BATCH: usize = 64;

/// name, channels and size of the large image, channels of the small one, geometry; kernel 4×4.
const LAYERS: [(&str, usize, usize, usize, ConvGeometry); 6] = [
    ("3x64-64x32", 3, 64, 64, ConvGeometry::square(2, 1)),
    ("64x32-128x16", 64, 32, 128, ConvGeometry::square(2, 1)),
    ("128x16-256x8", 128, 16, 256, ConvGeometry::square(2, 1)),
    ("256x8-512x4", 256, 8, 512, ConvGeometry::square(2, 1)),
    ("512x4-100x1", 512, 4, 100, ConvGeometry::square(1, 0)),
    ("512x4-1x1", 512, 4, 1, ConvGeometry::square(1, 0)),
];

fn noise(shape: &[usize]) -> Tensor {
    Tensor::randn(0f32, 1f32, shape, &Device::Cpu).unwrap()
}

fn convolutions(c: &mut Criterion) {
    for (name, c_large, size, c_small, geometry) in LAYERS {
        let mut group = c.benchmark_group(format!("conv/{name}"));
        let (stride, padding) = (geometry.stride.0, geometry.padding.0);
        let (out, _) = geometry.output_size((size, size), (4, 4)).unwrap();
        let large = noise(&[BATCH, c_large, size, size]);
        let small = noise(&[BATCH, c_small, out, out]);
        let weight = noise(&[c_small, c_large, 4, 4]);
        group.bench_function("forward", |b| {
            b.iter(|| black_box(conv2d(&large, &weight, geometry).unwrap()));
        });
        group.bench_function("input_grad", |b| {
            b.iter(|| black_box(conv_transpose2d(&small, &weight, geometry, (0, 0)).unwrap()));
        });
        group.bench_function("weight_grad", |b| {
            b.iter(|| black_box(conv2d_weight_grad(&large, &small, (4, 4), geometry).unwrap()));
        });
        group.bench_function("candle/forward", |b| {
            b.iter(|| black_box(large.conv2d(&weight, padding, stride, 1, 1).unwrap()));
        });
        group.bench_function("candle/input_grad", |b| {
            b.iter(|| black_box(small.conv_transpose2d(&weight, padding, 0, stride, 1).unwrap()));
        });
        let swapped = [&large, &small].map(|t| t.transpose(0, 1).unwrap());
        group.bench_function("candle/weight_grad", |b| {
            b.iter(|| black_box(swapped[0].conv2d(&swapped[1], padding, 1, stride, 1).unwrap()));
        });
        group.finish();
    }
}

fn batch_norm(c: &mut Criterion) {
    let mut group = c.benchmark_group("batch_norm/128x16");
    let x = Var::from_tensor(&noise(&[BATCH, 128, 16, 16])).unwrap();
    let weight = Var::ones(128, DType::F32, &Device::Cpu).unwrap();
    let bias = Var::zeros(128, DType::F32, &Device::Cpu).unwrap();
    let maps = FeatureMaps::from_tensor(&x).unwrap();
    let activation = Activation::LeakyRelu(0.2);
    let run = || maps.batch_norm_train(&weight, &bias, 1e-5, activation).unwrap().0;
    group.bench_function("forward", |b| b.iter(|| black_box(run())));
    let y = run().to_tensor().unwrap();
    group.bench_function("backward", |b| b.iter(|| black_box(y.backward().unwrap())));
    group.finish();
}

fn adam(c: &mut Criterion) {
    let weight = Var::from_tensor(&noise(&[512, 256, 4, 4])).unwrap();
    let grads = (weight.as_tensor() * 2.0).unwrap().backward().unwrap();
    let config = AdamConfig { lr: 2e-4, beta1: 0.5, beta2: 0.999, eps: 1e-8, weight_decay: 0.0 };
    let mut adam = Adam::new(vec![("weight".to_string(), weight)], config).unwrap();
    c.bench_function("adam/512x256x4x4", |b| b.iter(|| adam.step(&grads).unwrap()));
}

criterion_group! {
    name = benches;
    config = Criterion::default()
        .sample_size(10)
        .warm_up_time(Duration::from_millis(300))
        .measurement_time(Duration::from_secs(1));
    targets = convolutions, batch_norm, adam
}
criterion_main!(benches);
