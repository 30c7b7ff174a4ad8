//! Pictures that need no download: illustrated faces and handwritten digits, drawn from a seed.
//!
//! Item `index` of a set is a function of (seed, index) alone, so that a set of any length can be
//! drawn in any order by any number of threads. What a picture shows is decided first, as plain
//! data with true labels ([`faces::Face`], [`digits::Glyph`]), and painted afterwards.

mod canvas;
mod color;
mod curve;
pub mod digits;
pub mod faces;

pub use color::Rgb;
