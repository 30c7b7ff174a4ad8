//! Scratch.
#![allow(clippy::print_stdout, clippy::unwrap_used)]
use rayon::prelude::*; use std::io::Read;
fn main() {
    let mut z = zip::ZipArchive::new(std::fs::File::open("/work/shared/data/celeba/img_align_celeba.zip").unwrap()).unwrap();
    let mut all = vec![];
    for i in 0..z.len() { let mut e = z.by_index(i).unwrap(); if e.is_file() { let mut b = vec![]; e.read_to_end(&mut b).unwrap(); all.push(b); } }
    for _ in 0..3 {
    let t = std::time::Instant::now();
    let s: usize = all.par_iter().map(|b| zune_jpeg::JpegDecoder::new(zune_jpeg::zune_core::bytestream::ZCursor::new(b)).decode().unwrap().len()).sum();
    println!("decode only {} {:.0}/s", s, all.len() as f64 / t.elapsed().as_secs_f64());
    }
}
