use super::traits::*;
use super::view::{Light, Pose};
use super::*;
use crate::synthetic::color::Rgb;

/// A plain man, seen from the front.
fn plain() -> Face {
    let mut face = Face::sample(&mut Stream::named("plain", 0));
    face.view.pose = Pose { right: 0.0, down: 0.0, turn: 0.0, tilt: 0.0, scale: 1.0 };
    face.view.light = Light { brightness: 1.0, warmth: 0.0, side: 1.0 };
    face.traits = Traits {
        male: true,
        young: true,
        head: Head { half_width: 22.0, chin: 35.0, jaw: 0.8 },
        skin: Skin { pale: false, tone: 0.4, rosy: false },
        hair: Hair {
            color: HairColor::Brown,
            shade: 0.5,
            cut: Cut::Short,
            wavy: false,
            hairline: Hairline::Open,
            volume: 4.0,
            part_right: true,
        },
        eyes: Eyes { iris: Rgb::new(70, 42, 26), size: 1.1, shadow: None },
        brows: Brows { bushy: false, arched: false },
        big_nose: false,
        mouth: Mouth { smile: -0.2, open: 0.0, big_lips: false, lipstick: None },
        beard: Beard::None,
        mustache: false,
        glasses: None,
        hat: None,
        earrings: None,
        clothes: Clothes {
            color: Rgb::new(40, 70, 120),
            collar: Collar::Shirt,
            necktie: None,
            necklace: None,
        },
    };
    face
}

fn holds(face: &Face, name: &str) -> bool {
    let place = ATTRIBUTES.iter().position(|attribute| *attribute == name);
    face.traits.attributes()[place.unwrap_or_else(|| panic!("no attribute {name}"))] == 1
}

/// Left, top, right and bottom in percent of the picture.
type Region = [usize; 4];

/// The attribute, where it is seen and what turns it over.
type Change<'a> = (&'a str, Region, &'a dyn Fn(&mut Traits));

const ALL: Region = [0, 0, 100, 100];
const FACE: Region = [24, 14, 76, 88];
const HAIR: Region = [18, 4, 82, 58];
const EYES: Region = [24, 34, 76, 58];
const MOUTH: Region = [34, 60, 66, 80];
const JAW: Region = [24, 40, 76, 88];
const NECK: Region = [30, 78, 70, 100];

/// Mean absolute difference over all pixels of the region, and its share of the difference of the
/// whole pictures.
fn difference(a: &Image, b: &Image, [left, top, right, bottom]: Region) -> (f64, f64) {
    let size = a.width();
    let (mut inside, mut all) = (0.0, 0.0);
    for (i, (a, b)) in a.pixels().iter().zip(b.pixels()).enumerate() {
        let (x, y) = (i / 3 % size * 100 / size, i / 3 / size * 100 / size);
        let change = f64::from(a.abs_diff(*b));
        all += change;
        if (left..right).contains(&x) && (top..bottom).contains(&y) {
            inside += change;
        }
    }
    let values = ((right - left) * (bottom - top) * size * size * 3) as f64 / 1e4;
    (inside / values, inside / all)
}

#[test]
fn each_attribute_is_seen_where_it_belongs() {
    let red = Some(Rgb::new(200, 30, 50));
    let gold = Some(Rgb::new(240, 190, 70));
    let glasses = Glasses { round: true, frame: Rgb::new(28, 26, 30) };
    let hat = Hat { shape: HatShape::Cap, color: Rgb::new(40, 90, 60), band: Rgb::WHITE };
    let changes: [Change; 30] = [
        ("5_o_Clock_Shadow", JAW, &|t| t.beard = Beard::Shadow),
        ("Arched_Eyebrows", EYES, &|t| t.brows.arched = true),
        ("Bald", HAIR, &|t| t.hair.cut = Cut::Bald),
        ("Bangs", HAIR, &|t| t.hair.hairline = Hairline::Bangs),
        ("Big_Lips", MOUTH, &|t| t.mouth.big_lips = true),
        ("Big_Nose", [36, 40, 64, 66], &|t| t.big_nose = true),
        ("Black_Hair", HAIR, &|t| t.hair.color = HairColor::Black),
        ("Blond_Hair", HAIR, &|t| t.hair.color = HairColor::Blond),
        ("Brown_Hair", HAIR, &|t| t.hair.color = HairColor::Black),
        ("Bushy_Eyebrows", EYES, &|t| t.brows.bushy = true),
        ("Eyeglasses", EYES, &|t| t.glasses = Some(glasses)),
        ("Goatee", JAW, &|t| t.beard = Beard::Goatee),
        ("Gray_Hair", HAIR, &|t| t.hair.color = HairColor::Gray),
        ("Heavy_Makeup", EYES, &|t| t.eyes.shadow = red),
        ("Male", ALL, &|t| t.male = false),
        ("Mouth_Slightly_Open", MOUTH, &|t| t.mouth.open = 3.0),
        ("Mustache", MOUTH, &|t| t.mustache = true),
        ("No_Beard", JAW, &|t| t.beard = Beard::Full),
        ("Pale_Skin", ALL, &|t| t.skin.pale = true),
        ("Receding_Hairline", HAIR, &|t| t.hair.hairline = Hairline::Receding),
        ("Rosy_Cheeks", JAW, &|t| t.skin.rosy = true),
        ("Smiling", MOUTH, &|t| t.mouth.smile = 0.7),
        ("Straight_Hair", HAIR, &|t| t.hair.wavy = true),
        ("Wavy_Hair", HAIR, &|t| t.hair.wavy = true),
        ("Wearing_Earrings", [18, 56, 82, 68], &|t| t.earrings = gold),
        ("Wearing_Hat", [14, 0, 86, 58], &|t| t.hat = Some(hat)),
        ("Wearing_Lipstick", MOUTH, &|t| t.mouth.lipstick = red),
        ("Wearing_Necklace", NECK, &|t| t.clothes.necklace = gold),
        ("Wearing_Necktie", NECK, &|t| t.clothes.necktie = red),
        ("Young", FACE, &|t| t.young = false),
    ];
    assert_eq!(changes.each_ref().map(|change| change.0), *ATTRIBUTES);
    let before = plain();
    let picture = before.paint(64);
    for (name, region, change) in changes {
        let mut after = before.clone();
        change(&mut after.traits);
        assert_ne!(holds(&before, name), holds(&after, name), "{name} does not follow the traits");
        let (strength, share) = difference(&picture, &after.paint(64), region);
        assert!(strength > 0.5, "{name} is hardly seen: {strength}");
        assert!(share > 0.9, "{name} changes other places: {share}");
    }
}

#[test]
fn the_same_index_is_the_same_face_and_no_other() {
    let all: Vec<_> = (0..50).map(|index| draw(3, index, 32)).collect();
    for (index, one) in (0..).zip(&all) {
        assert_eq!(*one, draw(3, index, 32));
        assert_ne!(one.0, draw(4, index, 32).0);
    }
    for (i, one) in all.iter().enumerate() {
        assert!(all[..i].iter().all(|other| other.0 != one.0));
    }
}

#[test]
fn every_attribute_can_be_learned() {
    let n = 2000;
    let mut counts = vec![0u32; ATTRIBUTES.len()];
    for index in 0..n {
        let labels =
            Face::sample(&mut Stream::indexed("synthetic.faces", 0, index)).traits.attributes();
        assert_eq!(labels.len(), ATTRIBUTES.len());
        for (count, label) in counts.iter_mut().zip(labels) {
            *count += u32::from(label);
        }
    }
    for (name, count) in ATTRIBUTES.iter().zip(counts) {
        let share = f64::from(count) / n as f64;
        assert!((0.03..0.97).contains(&share), "{name}: {share}");
    }
}

/// The order of CelebA's list_attr_celeba.txt is alphabetical, digits first.
#[test]
fn attributes_are_in_order() {
    assert!(ATTRIBUTES.is_sorted());
}

#[test]
fn what_excludes_each_other_never_meets() {
    for index in 0..2000 {
        let face = Face::sample(&mut Stream::indexed("synthetic.faces", 1, index));
        let among = |names: &[&str]| names.iter().filter(|name| holds(&face, name)).count();
        assert!(among(&["Black_Hair", "Blond_Hair", "Brown_Hair", "Gray_Hair", "Bald"]) == 1);
        assert!(among(&["Straight_Hair", "Wavy_Hair", "Bald"]) <= 1);
        assert!(among(&["Bald", "Wearing_Hat"]) <= 1);
        assert!(among(&["No_Beard", "Goatee", "5_o_Clock_Shadow"]) <= 1);
        assert!(among(&["No_Beard", "Mustache"]) <= 1);
    }
}

#[test]
fn all_sizes_show_the_same_scene() {
    let mean = |image: &Image| {
        image.pixels().iter().map(|&v| f64::from(v)).sum::<f64>() / image.pixels().len() as f64
    };
    for index in 0..10 {
        let large = mean(&draw(2, index, 256).0);
        for size in [28, 32, 33, 48, 64, 96, 100, 128] {
            let image = draw(2, index, size).0;
            assert_eq!((image.width(), image.height(), image.channels()), (size, size, 3));
            assert!((mean(&image) - large).abs() < 3.0, "face {index} at {size}");
        }
    }
}

/// What a small network learns in minutes is aligned to a few percent.
#[test]
fn poses_are_tight() {
    for index in 0..200 {
        let pose = Face::sample(&mut Stream::indexed("synthetic.faces", 0, index)).view.pose;
        assert!(pose.right.abs() < 3.0 && pose.down.abs() < 3.0 && pose.turn.abs() <= 1.0);
        assert!(pose.tilt.abs() < 5.0 && (pose.scale - 1.0).abs() < 0.05);
    }
}
