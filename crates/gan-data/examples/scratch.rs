//! Scratch.
#![allow(clippy::print_stdout, clippy::unwrap_used)]
use gan_data::*;
fn main() {
    let args: Vec<String> = std::env::args().collect();
    let source = Source::detect(&args[1]).unwrap_or_else(|e| panic!("{e}"));
    let out = std::path::Path::new(&args[2]);
    let limit = args.get(3).and_then(|n| n.parse().ok());
    let size = args.get(4).and_then(|n| n.parse().ok());
    let p = prepare(&source, out, &PrepareOptions { limit, size, ..Default::default() }, &|_| {})
        .unwrap_or_else(|e| panic!("{e}"));
    let m = &p.manifest;
    println!(
        "{:?} {} shards, skipped {:?} ignored {} {:.2}s {:.0}/s reused {}",
        m.counts,
        m.shards.len(),
        p.skipped.first(),
        p.ignored.len(),
        p.seconds,
        m.counts.total() as f64 / p.seconds,
        p.reused
    );
    let t = std::time::Instant::now();
    let d = std::sync::Arc::new(Dataset::open(out).unwrap_or_else(|e| panic!("{e}")));
    println!(
        "open {:.3}s {} {} attrs {:?} classes {:?}",
        t.elapsed().as_secs_f64(),
        d.image_shape(),
        d.digest(),
        m.attributes.len(),
        m.classes
    );
    let idx: Vec<usize> = (0..32).collect();
    let images = gan_core::image::from_tensor(&d.images(Split::Train, &idx).unwrap()).unwrap();
    let g = gan_core::grid::Grid::for_images(32, images[0].width()).with_columns(8);
    g.render(&images).unwrap().write_png(&out.with_extension("png")).unwrap();
    if let Some(a) = d.attributes(Split::Train, &idx).unwrap() {
        let a = a.to_vec2::<u8>().unwrap();
        for k in ["Male", "Smiling", "Eyeglasses"] {
            if let Some(c) = m.attributes.iter().position(|n| n == k) {
                println!("{k}: {:?}", a.iter().map(|r| r[c]).collect::<Vec<_>>());
            }
        }
    }
    if let Some(l) = d.labels(Split::Train, &idx).unwrap() {
        println!("labels {:?}", l.to_vec1::<i64>().unwrap());
    }
    let mut l =
        Loader::new(d.clone(), Split::Train, LoaderConfig { batch_size: 64, flips: true, seed: 1 })
            .unwrap();
    let t = std::time::Instant::now();
    for _ in 0..200 {
        l.next_batch().unwrap();
    }
    println!("loader {:.0} images/s", 200.0 * 64.0 / t.elapsed().as_secs_f64());
}
