//! The colors that traits name.

use super::traits::{Hair, HairColor, Skin};
use crate::synthetic::color::Rgb;

const PALE: Rgb = Rgb::new(255, 238, 227);

const SKIN: [Rgb; 6] = [
    Rgb::new(252, 219, 196),
    Rgb::new(245, 204, 174),
    Rgb::new(232, 184, 148),
    Rgb::new(204, 150, 114),
    Rgb::new(160, 109, 80),
    Rgb::new(110, 73, 55),
];

/// Color of skin in full light.
pub(super) fn skin(skin: &Skin) -> Rgb {
    if skin.pale { PALE } else { Rgb::along(&SKIN, skin.tone) }
}

/// Color of skin in shade: darker and redder.
pub(super) fn skin_shade(color: Rgb, amount: f32) -> Rgb {
    color.mix(Rgb { r: color.r * 0.64, g: color.g * 0.44, b: color.b * 0.42 }, amount)
}

/// Main color of the hair.
pub(super) fn hair(hair: &Hair) -> Rgb {
    let (dark, light) = match hair.color {
        HairColor::Black => (Rgb::new(24, 20, 24), Rgb::new(44, 36, 38)),
        HairColor::Brown => (Rgb::new(88, 50, 28), Rgb::new(136, 80, 42)),
        HairColor::Blond => (Rgb::new(214, 166, 78), Rgb::new(246, 216, 138)),
        HairColor::Gray => (Rgb::new(150, 150, 156), Rgb::new(226, 226, 228)),
    };
    dark.mix(light, hair.shade)
}
