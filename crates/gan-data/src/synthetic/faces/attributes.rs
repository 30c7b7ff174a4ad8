//! True labels under the names of CelebA's attributes.

use super::traits::{Beard, Cut, Hair, HairColor, Hairline, Traits};

/// Tells whether an attribute holds.
type Rule = fn(&Traits) -> bool;

const COUNT: usize = 30;

/// Name and meaning, in CelebA's order.
const TABLE: [(&str, Rule); COUNT] = [
    ("5_o_Clock_Shadow", |t| t.beard == Beard::Shadow),
    ("Arched_Eyebrows", |t| t.brows.arched),
    ("Bald", |t| t.hair.cut == Cut::Bald),
    ("Bangs", |t| has_hairline(&t.hair, Hairline::Bangs)),
    ("Big_Lips", |t| t.mouth.big_lips),
    ("Big_Nose", |t| t.big_nose),
    ("Black_Hair", |t| has_color(&t.hair, HairColor::Black)),
    ("Blond_Hair", |t| has_color(&t.hair, HairColor::Blond)),
    ("Brown_Hair", |t| has_color(&t.hair, HairColor::Brown)),
    ("Bushy_Eyebrows", |t| t.brows.bushy),
    ("Eyeglasses", |t| t.glasses.is_some()),
    ("Goatee", |t| t.beard == Beard::Goatee),
    ("Gray_Hair", |t| has_color(&t.hair, HairColor::Gray)),
    ("Heavy_Makeup", |t| t.eyes.shadow.is_some()),
    ("Male", |t| t.male),
    ("Mouth_Slightly_Open", |t| t.mouth.open > 0.0),
    ("Mustache", |t| t.mustache),
    ("No_Beard", |t| t.beard == Beard::None && !t.mustache),
    ("Pale_Skin", |t| t.skin.pale),
    ("Receding_Hairline", |t| has_hairline(&t.hair, Hairline::Receding)),
    ("Rosy_Cheeks", |t| t.skin.rosy),
    ("Smiling", |t| t.mouth.smiling()),
    ("Straight_Hair", |t| has_texture(&t.hair, false)),
    ("Wavy_Hair", |t| has_texture(&t.hair, true)),
    ("Wearing_Earrings", |t| t.earrings.is_some()),
    ("Wearing_Hat", |t| t.hat.is_some()),
    ("Wearing_Lipstick", |t| t.mouth.lipstick.is_some()),
    ("Wearing_Necklace", |t| t.clothes.necklace.is_some()),
    ("Wearing_Necktie", |t| t.clothes.necktie.is_some()),
    ("Young", |t| t.young),
];

const NAMES: [&str; COUNT] = {
    let mut names = [""; COUNT];
    let mut i = 0;
    while i < COUNT {
        names[i] = TABLE[i].0;
        i += 1;
    }
    names
};

/// Those of CelebA's 40 attributes that are drawn with a true value, in CelebA's spelling and order.
pub const ATTRIBUTES: &[&str] = &NAMES;

impl Traits {
    /// 1 for each attribute that holds and 0 for the others, in the order of [`ATTRIBUTES`].
    pub fn attributes(&self) -> Vec<u8> {
        TABLE.iter().map(|(_, holds)| u8::from(holds(self))).collect()
    }
}

fn has_color(hair: &Hair, color: HairColor) -> bool {
    hair.cut != Cut::Bald && hair.color == color
}

fn has_hairline(hair: &Hair, hairline: Hairline) -> bool {
    hair.cut != Cut::Bald && hair.hairline == hairline
}

/// Cropped hair is too short to be either straight or wavy.
fn has_texture(hair: &Hair, wavy: bool) -> bool {
    !matches!(hair.cut, Cut::Bald | Cut::Cropped) && hair.wavy == wavy
}
