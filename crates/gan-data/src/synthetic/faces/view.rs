//! How a face is seen: pose, light and what is behind it.

use gan_core::Stream;

use super::palette;
use super::traits::Traits;
use crate::synthetic::canvas::Tint;
use crate::synthetic::color::Rgb;

/// How a face is seen. Tight as in aligned CelebA: the eyes are where they are expected to within a
/// few percent of the picture.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct View {
    /// Where the head is and looks.
    pub pose: Pose,
    /// What falls on it.
    pub light: Light,
    /// What is behind it.
    pub background: Background,
}

/// Where the head is and looks.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Pose {
    /// Shift of the head to the right, in percent of the picture.
    pub right: f32,
    /// Shift of the head down, in percent of the picture.
    pub down: f32,
    /// Turn to the picture's left, −1, or right, 1.
    pub turn: f32,
    /// Tilt of the head in degrees, clockwise.
    pub tilt: f32,
    /// Size against the mean.
    pub scale: f32,
}

/// What falls on the face.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Light {
    /// Brightness against the mean.
    pub brightness: f32,
    /// From cold, −1, to warm, 1.
    pub warmth: f32,
    /// Where it comes from: the picture's left, −1, to its right, 1.
    pub side: f32,
}

/// A gradient behind the head.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Background {
    /// Color at the top.
    pub top: Rgb,
    /// Color at the bottom.
    pub bottom: Rgb,
    /// How far the gradient leans to the right from top to bottom, in [−1, 1].
    pub lean: f32,
}

impl View {
    /// Draws a view whose background stands out from this person.
    pub fn sample(stream: &mut Stream, traits: &Traits) -> Self {
        let mut small = |spread: f32| stream.normal().clamp(-2.0, 2.0) * spread;
        let pose = Pose {
            right: small(0.9),
            down: small(0.8),
            turn: small(0.45),
            tilt: small(1.9),
            scale: 1.0 + small(0.018),
        };
        let side = if stream.chance(0.5) { 1.0 } else { -1.0 };
        let light = Light {
            brightness: stream.uniform(0.91, 1.05),
            warmth: stream.uniform(-1.0, 1.0),
            side: side * stream.uniform(0.35, 1.0),
        };
        Self { pose, light, background: sample_background(stream, traits) }
    }
}

impl Light {
    pub(super) fn tint(&self) -> Tint {
        let warm = 0.05 * self.warmth;
        Tint { gain: [1.0 + warm, 1.0, 1.0 - warm].map(|gain| gain * self.brightness) }
    }
}

/// Of a few drawn colors, the one farthest from hair, skin and clothes.
fn sample_background(stream: &mut Stream, traits: &Traits) -> Background {
    let neighbors = [
        traits.hat.map_or(palette::hair(&traits.hair), |hat| hat.color),
        palette::skin(&traits.skin),
        traits.clothes.color,
    ];
    let mut best = (Rgb::WHITE, -1.0);
    for _ in 0..4 {
        let saturation = stream.uniform(0.12, 0.45);
        let color = Rgb::hsl(stream.uniform(0.0, 1.0), saturation, stream.uniform(0.36, 0.84));
        let contrast =
            |other: Rgb| color.distance(other).min(0.5) + (color.luma() - other.luma()).abs();
        let least = neighbors.into_iter().map(contrast).fold(f32::INFINITY, f32::min);
        if least > best.1 {
            best = (color, least);
        }
    }
    let color = best.0;
    let top = color.lighter(stream.uniform(0.05, 0.3));
    let bottom = color.darker(stream.uniform(0.05, 0.3));
    Background { top, bottom, lean: stream.uniform(-1.0, 1.0) }
}
