//! Paints a face, from the background forward.
//!
//! Lengths are in percent of the picture's width. The origin is the middle between the eyes, which
//! stands at [`EYES`]; y points down. Shoulders follow the head's shift by half, and features move
//! on the head as it turns.

mod beard;
mod clothes;
mod eyes;
mod glasses;
mod hair;
mod hat;
mod head;
mod mouth;

use gan_core::Image;
use tiny_skia::Transform;

use super::palette;
use super::traits::{Cut, Traits};
use super::view::View;
use super::{Face, view::Background};
use crate::synthetic::canvas::{Canvas, Ink};
use crate::synthetic::color::Rgb;
use crate::synthetic::curve::{self, Point};

/// Width of the picture in drawing units.
const UNITS: f32 = 100.0;
/// Where the middle between the eyes is when the head is not shifted.
const EYES: Point = (50.0, 47.0);
/// The point about which the head tilts, from the eyes.
const NECK_JOINT: Point = (0.0, 30.0);

/// What all parts need to know: the person, the view and the colors that follow from them.
struct Sitter<'a> {
    traits: &'a Traits,
    view: &'a View,
    skin: Rgb,
    hair: Rgb,
}

impl Sitter<'_> {
    /// Skin in shade, from 0 to 1.
    fn shaded_skin(&self, amount: f32) -> Rgb {
        palette::skin_shade(self.skin, amount)
    }

    /// A gradient over `half_width` from the lit to the shaded side.
    fn lit(&self, half_width: f32, light: Rgb, shade: Rgb) -> Ink {
        let from = half_width * self.view.light.side.signum();
        let shade = light.mix(shade, self.view.light.side.abs());
        Ink::Linear([(from, -half_width * 0.5), (-from, half_width * 0.5)], [light, shade])
    }
}

/// The picture of a face, `size`×`size` RGB.
pub(super) fn face(face: &Face, size: usize) -> Image {
    let Face { traits, view } = face;
    let sitter = Sitter {
        traits,
        view,
        skin: palette::skin(&traits.skin),
        hair: palette::hair(&traits.hair),
    };
    let mut canvas = Canvas::new(size, UNITS, view.light.tint());
    background(&mut canvas, &view.background);

    let pose = &view.pose;
    let head = Transform::from_translate(EYES.0 + pose.right, EYES.1 + pose.down)
        .pre_concat(Transform::from_rotate_at(pose.tilt, NECK_JOINT.0, NECK_JOINT.1))
        .pre_scale(pose.scale, pose.scale);
    let body = Transform::from_translate(EYES.0 + pose.right * 0.5, EYES.1 + pose.down * 0.5);

    canvas.within(head, |canvas| hair::behind(canvas, &sitter));
    canvas.within(body, |canvas| clothes::paint(canvas, &sitter));
    canvas.within(head, |canvas| {
        head::paint(canvas, &sitter);
        let turned = Transform::from_translate(pose.turn * 2.2, 0.0);
        canvas.within(turned, |canvas| features(canvas, &sitter));
        hair::front(canvas, &sitter);
        if let Some(glasses) = &traits.glasses {
            canvas.within(turned, |canvas| glasses::paint(canvas, &sitter, glasses));
        }
        if let Some(color) = traits.earrings {
            head::earrings(canvas, &sitter, color);
        }
        if let Some(hat) = &traits.hat {
            hat::paint(canvas, &sitter, hat);
        }
    });
    canvas.into_rgb()
}

fn background(canvas: &mut Canvas, background: &Background) {
    let lean = background.lean * UNITS / 2.0;
    let ends = [(UNITS / 2.0 - lean, 0.0), (UNITS / 2.0 + lean, UNITS)];
    let all = curve::polygon(&[(0.0, 0.0), (UNITS, 0.0), (UNITS, UNITS), (0.0, UNITS)]);
    canvas.fill(all, Ink::Linear(ends, [background.top, background.bottom]));
}

/// What moves on the head as it turns.
fn features(canvas: &mut Canvas, sitter: &Sitter) {
    if sitter.traits.skin.rosy {
        head::rosy_cheeks(canvas, sitter);
    }
    if !sitter.traits.young {
        head::wrinkles(canvas, sitter);
    }
    beard::paint(canvas, sitter);
    mouth::paint(canvas, sitter);
    head::nose(canvas, sitter);
    eyes::paint(canvas, sitter);
    eyes::brows(canvas, sitter);
}

/// Whether hair hangs down beside the face.
fn hangs(cut: Cut) -> bool {
    matches!(cut, Cut::Bob | Cut::Long)
}
