//! Colors as three numbers that can be mixed.

/// A color in sRGB, each part in [0, 1].
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Rgb {
    /// Red.
    pub r: f32,
    /// Green.
    pub g: f32,
    /// Blue.
    pub b: f32,
}

impl Rgb {
    /// White.
    pub const WHITE: Self = Self::new(255, 255, 255);
    /// Black.
    pub const BLACK: Self = Self::new(0, 0, 0);

    /// A color from its bytes.
    pub const fn new(r: u8, g: u8, b: u8) -> Self {
        Self { r: r as f32 / 255.0, g: g as f32 / 255.0, b: b as f32 / 255.0 }
    }

    /// A color from hue (turns around the color circle), saturation and lightness in [0, 1].
    pub fn hsl(hue: f32, saturation: f32, lightness: f32) -> Self {
        let reach = saturation * lightness.min(1.0 - lightness);
        let part = |offset: f32| {
            let k = (offset + hue.rem_euclid(1.0) * 12.0) % 12.0;
            lightness - reach * (k - 3.0).min(9.0 - k).clamp(-1.0, 1.0)
        };
        Self { r: part(0.0), g: part(8.0), b: part(4.0) }
    }

    /// This color with a share `amount` of another.
    pub fn mix(self, other: Self, amount: f32) -> Self {
        let blend = |a: f32, b: f32| a + (b - a) * amount;
        Self { r: blend(self.r, other.r), g: blend(self.g, other.g), b: blend(self.b, other.b) }
    }

    /// Closer to white by `amount`.
    pub fn lighter(self, amount: f32) -> Self {
        self.mix(Self::WHITE, amount)
    }

    /// Closer to black by `amount`.
    pub fn darker(self, amount: f32) -> Self {
        self.mix(Self::BLACK, amount)
    }

    /// The color at `t` in [0, 1] along evenly spaced `stops`, which must not be empty.
    pub fn along(stops: &[Self], t: f32) -> Self {
        let place = t.clamp(0.0, 1.0) * (stops.len() - 1) as f32;
        let low = (place as usize).min(stops.len().saturating_sub(2));
        stops[low].mix(stops[(low + 1).min(stops.len() - 1)], place - low as f32)
    }

    /// How bright the eye sees it, in [0, 1] (weights of ITU-R BT.601).
    pub fn luma(self) -> f32 {
        0.299 * self.r + 0.587 * self.g + 0.114 * self.b
    }

    /// Euclidean distance in RGB, at most √3.
    pub fn distance(self, other: Self) -> f32 {
        let (r, g, b) = (self.r - other.r, self.g - other.g, self.b - other.b);
        (r * r + g * g + b * b).sqrt()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hsl_gives_the_corners_of_the_color_circle() {
        for (hue, expected) in [
            (0.0, Rgb::new(255, 0, 0)),
            (1.0 / 3.0, Rgb::new(0, 255, 0)),
            (2.0 / 3.0, Rgb::new(0, 0, 255)),
        ] {
            assert!(Rgb::hsl(hue, 1.0, 0.5).distance(expected) < 1e-5);
        }
        assert!(Rgb::hsl(0.4, 0.0, 1.0).distance(Rgb::WHITE) < 1e-5);
    }

    #[test]
    fn stops_are_met_at_their_places() {
        let stops = [Rgb::BLACK, Rgb::new(255, 0, 0), Rgb::WHITE];
        assert_eq!(Rgb::along(&stops, 0.0), stops[0]);
        assert_eq!(Rgb::along(&stops, 0.5), stops[1]);
        assert_eq!(Rgb::along(&stops, 1.0), stops[2]);
        assert_eq!(Rgb::along(&stops[..1], 0.7), stops[0]);
    }
}
