//! Draws a person: which traits go together, and how often.
//!
//! Correlated as in life (beards on men, gray hair on the old, blond hair rarely on dark skin) but
//! loosely, so that each attribute can be told from the others.

use gan_core::Stream;

use super::traits::{
    Beard, Brows, Clothes, Collar, Cut, Eyes, Glasses, Hair, HairColor, Hairline, Hat, HatShape,
    Head, Mouth, Skin, Traits,
};
use crate::synthetic::color::Rgb;

impl Traits {
    /// Draws a person.
    pub fn sample(stream: &mut Stream) -> Self {
        let male = stream.chance(0.45);
        let young = stream.chance(0.74);
        let hat = stream.chance(0.09).then(|| sample_hat(stream));
        let skin = sample_skin(stream, male);
        let hair = sample_hair(stream, male, young, &skin, hat.is_some());
        let makeup = stream.chance(if male { 0.02 } else { 0.42 });
        let (beard, mustache) = sample_beard(stream, male);
        Self {
            male,
            young,
            head: sample_head(stream, male),
            skin,
            hair,
            eyes: sample_eyes(stream, makeup, &skin),
            brows: sample_brows(stream, male),
            big_nose: stream.chance(if male { 0.38 } else { 0.16 }),
            mouth: sample_mouth(stream, male, makeup),
            beard,
            mustache,
            glasses: stream.chance(0.15).then(|| sample_glasses(stream)),
            hat,
            earrings: stream.chance(if male { 0.03 } else { 0.38 }).then(|| {
                pick(stream, &[GOLD, SILVER, Rgb::new(46, 160, 150), Rgb::new(200, 60, 90)])
            }),
            clothes: sample_clothes(stream, male),
        }
    }
}

const GOLD: Rgb = Rgb::new(240, 190, 70);
const SILVER: Rgb = Rgb::new(225, 232, 240);

fn pick<T: Copy>(stream: &mut Stream, items: &[T]) -> T {
    items[stream.below(items.len())]
}

/// The item whose weight is drawn; weights need not sum to 1.
fn pick_weighted<T: Copy>(stream: &mut Stream, items: &[(T, f32)]) -> T {
    let mut left = stream.uniform(0.0, items.iter().map(|item| item.1).sum());
    for &(item, weight) in items {
        left -= weight;
        if left < 0.0 {
            return item;
        }
    }
    items[items.len() - 1].0
}

fn sample_head(stream: &mut Stream, male: bool) -> Head {
    let jaw = if male { (0.76, 0.87) } else { (0.66, 0.76) };
    Head {
        half_width: stream.uniform(20.5, 23.5),
        chin: stream.uniform(33.0, 36.0) + if male { 0.8 } else { 0.0 },
        jaw: stream.uniform(jaw.0, jaw.1),
    }
}

fn sample_skin(stream: &mut Stream, male: bool) -> Skin {
    let pale = stream.chance(0.09);
    // Squared, as fair tones differ less than dark ones do.
    let tone = stream.uniform(0.0, 1.0);
    let tone = if pale { 0.0 } else { 0.14 + 0.86 * tone.powf(1.4) };
    Skin { pale, tone, rosy: stream.chance(if male { 0.1 } else { 0.3 }) }
}

fn sample_hair(stream: &mut Stream, male: bool, young: bool, skin: &Skin, hat: bool) -> Hair {
    use Cut::{Bald, Bob, Cropped, Long, Short};
    let dark = if skin.tone > 0.62 { 0.15 } else { 1.0 };
    let gray = if young { 0.04 } else { 0.75 };
    let colors =
        [(HairColor::Black, 0.3 / dark), (HairColor::Brown, 0.34), (HairColor::Blond, 0.3 * dark)];
    let color = if stream.chance(gray) { HairColor::Gray } else { pick_weighted(stream, &colors) };
    let cut = match (male, hat) {
        (true, true) => pick_weighted(stream, &[(Cropped, 0.3), (Short, 0.55), (Long, 0.15)]),
        (true, false) => {
            let bald = if young { 0.06 } else { 0.2 };
            let cuts = [(Bald, bald), (Cropped, 0.2), (Short, 0.6), (Bob, 0.06), (Long, 0.08)];
            pick_weighted(stream, &cuts)
        }
        (false, _) => pick_weighted(stream, &[(Short, 0.14), (Bob, 0.33), (Long, 0.53)]),
    };
    let hairline = if hat { Hairline::Open } else { sample_hairline(stream, male, young, cut) };
    Hair {
        color,
        shade: stream.uniform(0.0, 1.0),
        cut,
        wavy: cut != Bald && cut != Cropped && stream.chance(0.48),
        hairline,
        volume: if cut == Cropped { 1.2 } else { stream.uniform(3.0, 5.5) },
        part_right: stream.chance(0.5),
    }
}

fn sample_hairline(stream: &mut Stream, male: bool, young: bool, cut: Cut) -> Hairline {
    use Hairline::{Bangs, Curtain, Open, Receding, Swept};
    let receding = match (male, young) {
        (true, true) => 0.12,
        (true, false) => 0.45,
        (false, _) => 0.02,
    };
    match cut {
        Cut::Bald => Open,
        Cut::Cropped => pick_weighted(stream, &[(Open, 1.0 - receding), (Receding, receding)]),
        Cut::Short => {
            let bangs = if male { 0.1 } else { 0.3 };
            pick_weighted(
                stream,
                &[(Open, 0.3), (Swept, 0.45), (Bangs, bangs), (Receding, receding)],
            )
        }
        Cut::Bob | Cut::Long => pick_weighted(
            stream,
            &[(Swept, 0.33), (Curtain, 0.33), (Bangs, 0.3), (Receding, receding / 3.0)],
        ),
    }
}

fn sample_eyes(stream: &mut Stream, makeup: bool, skin: &Skin) -> Eyes {
    let light = if skin.tone > 0.6 { 0.2 } else { 1.0 };
    let irises = [
        (Rgb::new(70, 42, 26), 0.8),
        (Rgb::new(120, 75, 38), 0.6),
        (Rgb::new(66, 128, 190), 0.6 * light),
        (Rgb::new(84, 140, 84), 0.35 * light),
        (Rgb::new(110, 128, 142), 0.25 * light),
    ];
    let shadows = [
        Rgb::new(120, 80, 180),
        Rgb::new(60, 120, 190),
        Rgb::new(200, 80, 130),
        Rgb::new(50, 140, 130),
    ];
    Eyes {
        iris: pick_weighted(stream, &irises),
        size: stream.uniform(1.02, 1.22),
        shadow: makeup.then(|| pick(stream, &shadows)),
    }
}

fn sample_brows(stream: &mut Stream, male: bool) -> Brows {
    Brows {
        bushy: stream.chance(if male { 0.35 } else { 0.08 }),
        arched: stream.chance(if male { 0.12 } else { 0.42 }),
    }
}

fn sample_mouth(stream: &mut Stream, male: bool, makeup: bool) -> Mouth {
    let smiling = stream.chance(0.52);
    let open = stream.chance(if smiling { 0.6 } else { 0.28 });
    let lipsticks = [
        Rgb::new(200, 30, 50),
        Rgb::new(222, 60, 110),
        Rgb::new(150, 30, 84),
        Rgb::new(232, 86, 74),
    ];
    let lipstick = match (male, makeup) {
        (true, _) => 0.02,
        (false, true) => 0.9,
        (false, false) => 0.45,
    };
    Mouth {
        smile: if smiling { stream.uniform(0.5, 1.0) } else { stream.uniform(-0.6, 0.1) },
        open: if open { stream.uniform(2.6, 4.4) } else { 0.0 },
        big_lips: stream.chance(if male { 0.16 } else { 0.3 }),
        lipstick: stream.chance(lipstick).then(|| pick(stream, &lipsticks)),
    }
}

fn sample_beard(stream: &mut Stream, male: bool) -> (Beard, bool) {
    if !male {
        return (Beard::None, false);
    }
    let beards =
        [(Beard::None, 0.5), (Beard::Shadow, 0.16), (Beard::Goatee, 0.15), (Beard::Full, 0.19)];
    let beard = pick_weighted(stream, &beards);
    let mustache = match beard {
        Beard::None => 0.16,
        Beard::Shadow => 0.05,
        Beard::Goatee => 0.5,
        Beard::Full => 0.75,
    };
    (beard, stream.chance(mustache))
}

fn sample_glasses(stream: &mut Stream) -> Glasses {
    let frames = [
        (Rgb::new(28, 26, 30), 0.6),
        (Rgb::new(96, 48, 24), 0.25),
        (Rgb::new(170, 36, 44), 0.12),
        (Rgb::new(34, 62, 120), 0.12),
    ];
    Glasses { round: stream.chance(0.5), frame: pick_weighted(stream, &frames) }
}

fn sample_hat(stream: &mut Stream) -> Hat {
    let shape = pick(stream, &[HatShape::Beanie, HatShape::Cap, HatShape::Brim]);
    let color = match shape {
        HatShape::Brim => Rgb::hsl(stream.uniform(0.04, 0.13), stream.uniform(0.2, 0.5), 0.55),
        _ => {
            Rgb::hsl(stream.uniform(0.0, 1.0), stream.uniform(0.4, 0.75), stream.uniform(0.3, 0.5))
        }
    };
    let band = if stream.chance(0.5) { color.lighter(0.6) } else { color.darker(0.55) };
    Hat { shape, color, band }
}

fn sample_clothes(stream: &mut Stream, male: bool) -> Clothes {
    let color =
        Rgb::hsl(stream.uniform(0.0, 1.0), stream.uniform(0.15, 0.6), stream.uniform(0.2, 0.6));
    let shirt = stream.chance(if male { 0.42 } else { 0.1 });
    let collar = match shirt {
        true => Collar::Shirt,
        false => pick(stream, &[Collar::Round, Collar::Vee]),
    };
    let tie = Rgb::hsl(stream.uniform(0.0, 1.0), 0.65, stream.uniform(0.25, 0.45));
    let necklace = !shirt && stream.chance(if male { 0.03 } else { 0.3 });
    Clothes {
        // A jacket is darker than what else is worn.
        color: if shirt { color.darker(0.4) } else { color },
        collar,
        necktie: (shirt && stream.chance(if male { 0.6 } else { 0.2 })).then_some(tie),
        necklace: necklace.then(|| pick(stream, &[GOLD, SILVER, Rgb::new(250, 244, 232)])),
    }
}
