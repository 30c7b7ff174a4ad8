//! What a face is, as plain data. Nothing here knows how it is drawn.

use crate::synthetic::color::Rgb;

/// Everything that is seen of a person, apart from pose and light.
#[derive(Clone, Debug, PartialEq)]
pub struct Traits {
    /// Drawn with a broader jaw and neck, and without lashes.
    pub male: bool,
    /// Without wrinkles.
    pub young: bool,
    /// Shape of the head.
    pub head: Head,
    /// Skin.
    pub skin: Skin,
    /// Hair on the head.
    pub hair: Hair,
    /// Eyes and what is around them.
    pub eyes: Eyes,
    /// Eyebrows.
    pub brows: Brows,
    /// A broad nose.
    pub big_nose: bool,
    /// Mouth.
    pub mouth: Mouth,
    /// Hair around the mouth.
    pub beard: Beard,
    /// A moustache, with or without a beard.
    pub mustache: bool,
    /// Glasses, where worn.
    pub glasses: Option<Glasses>,
    /// Hat, where worn.
    pub hat: Option<Hat>,
    /// Color of earrings, where worn.
    pub earrings: Option<Rgb>,
    /// What is worn on the shoulders.
    pub clothes: Clothes,
}

/// Shape of the head; lengths in percent of the picture.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Head {
    /// Half of the width at the eyes.
    pub half_width: f32,
    /// From the eyes to the chin.
    pub chin: f32,
    /// Width of the jaw against that of the head: 0.65 is pointed, 0.88 square.
    pub jaw: f32,
}

/// Skin of the face.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Skin {
    /// Paler than any other skin.
    pub pale: bool,
    /// From fair, 0, to dark, 1.
    pub tone: f32,
    /// Red on the cheeks.
    pub rosy: bool,
}

/// Hair on the head.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Hair {
    /// Color by its name.
    pub color: HairColor,
    /// Shade within that color, from dark, 0, to light, 1.
    pub shade: f32,
    /// How long.
    pub cut: Cut,
    /// Whether it falls in waves.
    pub wavy: bool,
    /// What the forehead shows.
    pub hairline: Hairline,
    /// How far it stands off the head, in percent of the picture.
    pub volume: f32,
    /// The parting is on the picture's right.
    pub part_right: bool,
}

/// The four colors that CelebA names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HairColor {
    /// Black.
    Black,
    /// Brown, chestnut to hazel.
    Brown,
    /// Blond.
    Blond,
    /// Gray to white.
    Gray,
}

/// How long the hair is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cut {
    /// None at all.
    Bald,
    /// A few millimeters, neither straight nor wavy.
    Cropped,
    /// To the ears.
    Short,
    /// To the chin.
    Bob,
    /// Over the shoulders.
    Long,
}

/// How the hair frames the forehead.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hairline {
    /// Combed back.
    Open,
    /// Swept from a side parting.
    Swept,
    /// Two curtains from the middle.
    Curtain,
    /// A fringe down to the brows.
    Bangs,
    /// High, with bare temples.
    Receding,
}

/// Eyes and what is around them.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Eyes {
    /// Color of the iris.
    pub iris: Rgb,
    /// Size against the mean.
    pub size: f32,
    /// Eye shadow, where the make-up is heavy.
    pub shadow: Option<Rgb>,
}

/// Eyebrows.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Brows {
    /// Thick.
    pub bushy: bool,
    /// High in the middle.
    pub arched: bool,
}

/// Mouth.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Mouth {
    /// Curvature from a frown, −1, to a broad smile, 1; above [`Mouth::SMILE`] it is a smile.
    pub smile: f32,
    /// How far it is open, in percent of the picture; 0 is closed.
    pub open: f32,
    /// Full lips.
    pub big_lips: bool,
    /// Color of the lipstick, where worn.
    pub lipstick: Option<Rgb>,
}

impl Mouth {
    /// The least curvature that is called a smile. Faces are drawn clearly above or below it.
    pub const SMILE: f32 = 0.3;

    /// Whether this is a smile.
    pub fn smiling(&self) -> bool {
        self.smile > Self::SMILE
    }
}

/// Hair around the mouth, a moustache apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Beard {
    /// Shaved.
    None,
    /// Unshaved since the morning.
    Shadow,
    /// On the chin alone.
    Goatee,
    /// From ear to ear.
    Full,
}

/// Glasses.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Glasses {
    /// Round instead of rectangular.
    pub round: bool,
    /// Color of the frame.
    pub frame: Rgb,
}

/// A hat.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Hat {
    /// Its kind.
    pub shape: HatShape,
    /// Its color.
    pub color: Rgb,
    /// Color of its band.
    pub band: Rgb,
}

/// Kinds of hats.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HatShape {
    /// Knitted, with a bobble.
    Beanie,
    /// With a peak.
    Cap,
    /// With a broad brim.
    Brim,
}

/// What is worn on the shoulders.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Clothes {
    /// Main color.
    pub color: Rgb,
    /// Shape at the neck.
    pub collar: Collar,
    /// Color of a necktie, where worn.
    pub necktie: Option<Rgb>,
    /// Color of a necklace, where worn.
    pub necklace: Option<Rgb>,
}

/// Shape of the clothes at the neck.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Collar {
    /// Round.
    Round,
    /// A V.
    Vee,
    /// A shirt's, under a jacket.
    Shirt,
}
