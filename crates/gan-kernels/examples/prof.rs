#![allow(warnings, unsafe_code)]
use candle_core::{Device, Tensor};
use gan_kernels::*;
use std::time::Instant;
fn cpu() -> f64 {
    // sum over threads of on-cpu ns
    let mut s = 0.0;
    for e in std::fs::read_dir("/proc/self/task").unwrap() {
        let p = e.unwrap().path().join("schedstat");
        let t = std::fs::read_to_string(p).unwrap();
        s += t.split(' ').next().unwrap().parse::<f64>().unwrap();
    }
    s / 1e6
}
fn bench(name: &str, mut f: impl FnMut()) {
    f();
    let mut best = (1e9f64, 1e9f64);
    for _ in 0..10 {
        let (c, t) = (cpu(), Instant::now());
        f();
        best.0 = best.0.min(t.elapsed().as_secs_f64() * 1e3);
        best.1 = best.1.min(cpu() - c);
    }
    println!("{name:32} wall {:7.2} ms, cpu/2 {:7.2}", best.0, best.1 / 2.0);
}
fn g(
    m: usize,
    n: usize,
    k: usize,
    ac: (isize, isize),
    bc: (isize, isize),
    reps: usize,
    name: &str,
) {
    let a = vec![1f32; m * k];
    let b = vec![1f32; n * k];
    let mut d = vec![0f32; m * n];
    bench(name, || {
        for _ in 0..reps {
            unsafe {
                gemm::gemm(
                    m,
                    n,
                    k,
                    d.as_mut_ptr(),
                    1,
                    n as isize,
                    true,
                    a.as_ptr(),
                    ac.1,
                    ac.0,
                    b.as_ptr(),
                    bc.1,
                    bc.0,
                    1.0,
                    1.0,
                    false,
                    false,
                    false,
                    gemm::Parallelism::None,
                )
            }
        }
    });
}
fn main() {
    let r = |s: &[usize]| Tensor::randn(0f32, 1f32, s, &Device::Cpu).unwrap();
    let which = std::env::args().nth(1).unwrap_or_default();
    if which == "gemm" {
        // single thread, 67 MFLOP x 32 = what one thread does of a layer (2.1 GFLOP)
        g(128, 256, 1024, (1024, 1), (256, 1), 32, "fwd whole 128x256x1024");
        g(128, 256, 256, (1024 / 4, 1), (256, 1), 128, "fwd blocked 128x256x256");
        g(256, 256, 128, (128, 1), (256, 1), 128, "in blocked 256x256x128");
        g(256, 128, 256, (256, 1), (128, 1), 128, "w  256x128x256");
        g(512, 256, 256, (256, 1), (256, 1), 32, "l4 fwd 512x256x256");
        g(256, 256, 512, (512, 1), (256, 1), 32, "l4 in 256x256x512");
        g(256, 512, 256, (256, 1), (512, 1), 32, "l4 w 256x512x256");
        g(1024, 512, 512, (512, 1), (512, 1), 4, "big");
        return;
    }
    {
        let x = candle_core::Var::from_tensor(&r(&[64, 128, 16, 16])).unwrap();
        let w = candle_core::Var::from_tensor(&r(&[128])).unwrap();
        let b = candle_core::Var::from_tensor(&r(&[128])).unwrap();
        let f = || batch_norm_train(&x, &w, &b, 1e-5, Activation::LeakyRelu(0.2)).unwrap().0;
        bench("bn fwd", || { f(); });
        let y = f();
        bench("bn bwd", || { y.backward().unwrap(); });
        let y = (x.as_tensor() + 0.0).unwrap();
        bench("candle affine fwd", || { (x.as_tensor() + 0.0).unwrap(); });
        bench("candle affine bwd", || { y.backward().unwrap(); });
    }
    for (name, cl, s, cs) in [
        ("3x64", 3, 64, 64),
        ("64x32", 64, 32, 128),
        ("128x16", 128, 16, 256),
        ("256x8", 256, 8, 512),
    ] {
        let ge = ConvGeometry::square(2, 1);
        let x = r(&[64, cl, s, s]);
        let y = r(&[64, cs, s / 2, s / 2]);
        let w = r(&[cs, cl, 4, 4]);
        bench(&format!("{name} fwd"), || {
            conv2d(&x, &w, ge).unwrap();
        });
        bench(&format!("{name} in"), || {
            conv_transpose2d(&y, &w, ge, (0, 0)).unwrap();
        });
        bench(&format!("{name} w"), || {
            conv2d_weight_grad(&x, &y, (4, 4), ge).unwrap();
        });
    }
}
