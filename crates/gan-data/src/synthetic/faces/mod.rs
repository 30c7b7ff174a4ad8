//! Illustrated portraits with true attribute labels, framed as aligned CelebA: the head centered, the
//! eyes at a fixed place up to a small shift.
//!
//! [`Traits`] say what a person looks like, [`View`] how that person is seen; [`Face`] is both. They
//! are drawn from a stream and painted by [`Face::paint`], which draws no random number.

mod attributes;
mod paint;
mod palette;
mod sample;
pub mod traits;
pub mod view;

#[cfg(test)]
mod tests;

use gan_core::{Image, Stream};

pub use attributes::ATTRIBUTES;
pub use traits::Traits;
pub use view::View;

/// A person as seen.
#[derive(Clone, Debug, PartialEq)]
pub struct Face {
    /// What the person looks like.
    pub traits: Traits,
    /// How the person is seen.
    pub view: View,
}

impl Face {
    /// Draws a person and a view from `stream`.
    pub fn sample(stream: &mut Stream) -> Self {
        let traits = Traits::sample(stream);
        let view = View::sample(stream, &traits);
        Self { traits, view }
    }

    /// Paints the face as RGB, `size`×`size` pixels.
    pub fn paint(&self, size: usize) -> Image {
        paint::face(self, size)
    }
}

/// Face `index` of the set `seed`: an RGB picture of `size`×`size` pixels and its labels, 0 or 1, in
/// the order of [`ATTRIBUTES`].
pub fn draw(seed: u64, index: u64, size: usize) -> (Image, Vec<u8>) {
    let face = of_set(seed, index);
    (face.paint(size), face.traits.attributes())
}

/// The labels of face `index` of the set `seed`, as [`draw`] returns them.
pub fn attributes(seed: u64, index: u64) -> Vec<u8> {
    of_set(seed, index).traits.attributes()
}

fn of_set(seed: u64, index: u64) -> Face {
    Face::sample(&mut Stream::indexed("synthetic.faces", seed, index))
}
