//! What files are called where nobody names them: by everything that decides what is in them, so that other options do not
//! write over what is there.

use std::fmt::Display;
use std::path::{Component, Path};

use crate::explored::ShownWeights;

/// Longest name; file systems take 255 bytes, endings included.
const LONGEST: usize = 120;

/// The words of a name; options that are as usual have none.
#[derive(Clone, Debug, Default)]
pub(crate) struct Words(Vec<String>);

impl Words {
    /// Where latents come from.
    pub(crate) fn source(self, latents: Option<&Path>, seed: u64) -> Self {
        self.add([source(latents, seed)])
    }

    /// Words as they are: those of an option or of a list.
    pub(crate) fn add(mut self, words: impl IntoIterator<Item = String>) -> Self {
        self.0.extend(words);
        self
    }

    /// `name-value`, unless it is the usual value.
    pub(crate) fn unless<T: PartialEq + Display>(self, usual: T, name: &str, value: T) -> Self {
        let word = (value != usual).then(|| format!("{name}-{value}"));
        self.add(word)
    }

    /// `name-0-7-3` of a list that is not empty.
    pub(crate) fn list<T: Display>(self, name: &str, values: &[T]) -> Self {
        let joined = || values.iter().map(ToString::to_string).collect::<Vec<_>>().join("-");
        let word = (!values.is_empty()).then(|| format!("{name}-{}", joined()));
        self.add(word)
    }

    /// `name-runs-a` of the path `runs/a`, where there is one.
    pub(crate) fn path(self, name: &str, path: Option<&Path>) -> Self {
        self.add(path.map(|path| format!("{name}-{}", of_path(path))))
    }

    /// `trained`, unless weights are the average.
    pub(crate) fn weights(self, weights: ShownWeights) -> Self {
        self.add((weights == ShownWeights::Trained).then(|| "trained".to_string()))
    }

    /// The name, without an ending.
    pub(crate) fn name(&self) -> String {
        shortened(&plain(&self.0.join("_")))
    }
}

/// `latents-stem` of a file of latents, or `seed-3`.
pub(crate) fn source(latents: Option<&Path>, seed: u64) -> String {
    match latents.and_then(Path::file_stem) {
        Some(stem) => format!("latents-{}", stem.to_string_lossy()),
        None => format!("seed-{seed}"),
    }
}

/// A path as a word, its folders and its ending in it, as files of one stem can lie beside each other or apart:
/// `../photos/me.jpg` → `up-photos-me-jpg`.
pub(crate) fn of_path(path: &Path) -> String {
    let word = |component: Component<'_>| match component {
        Component::Normal(text) => Some(text.to_string_lossy().replace('.', "-")),
        Component::ParentDir => Some("up".into()),
        Component::CurDir | Component::RootDir | Component::Prefix(_) => None,
    };
    path.components().filter_map(word).collect::<Vec<_>>().join("-")
}

/// An attribute as a word: `-Male` → `not-Male`.
pub(crate) fn of_attribute(name: &str) -> String {
    name.strip_prefix('-').map_or_else(|| name.into(), |name| format!("not-{name}"))
}

/// Without what file systems or shells take for something else.
fn plain(name: &str) -> String {
    let kept = |c: char| c.is_alphanumeric() || "_-.=".contains(c);
    name.chars().filter(|c| *c != ' ').map(|c| if kept(c) { c } else { '-' }).collect()
}

/// A long name is cut, and what tells it from others with the same beginning is a number at its end.
fn shortened(name: &str) -> String {
    if name.len() <= LONGEST {
        return name.into();
    }
    // FNV-1a (<https://www.ietf.org/archive/id/draft-eastlake-fnv-17.html>), the same on every machine.
    let hash = name
        .bytes()
        .fold(0x811c_9dc5_u32, |hash, byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193));
    let end = name.floor_char_boundary(LONGEST - 9);
    format!("{}-{hash:08x}", &name[..end])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_usual_has_no_word() {
        let usual = Words::default().source(None, 3).unless(10, "n", 10).list::<usize>("at", &[]);
        let usual = usual.path("data", None).weights(ShownWeights::Average);
        assert_eq!(usual.name(), "seed-3");
        let all = usual.unless(10, "n", 4).list("at", &[3, 7]).path("data", Some("a/b".as_ref()));
        assert_eq!(all.weights(ShownWeights::Trained).name(), "seed-3_n-4_at-3-7_data-a-b_trained");
        let latents = Some(Path::new("runs/a/sampled/seed-3.safetensors"));
        assert_eq!(Words::default().source(latents, 0).name(), "latents-seed-3");
    }

    #[test]
    fn files_of_one_stem_are_told_apart() {
        let words = ["me.jpg", "me.png", "a/me.jpg", "b/me.jpg", "../me.jpg"];
        let words = words.map(|path| of_path(Path::new(path)));
        assert_eq!(words, ["me-jpg", "me-png", "a-me-jpg", "b-me-jpg", "up-me-jpg"]);
    }

    #[test]
    fn names_stay_within_a_folder_and_long_ones_differ() {
        assert_eq!(Words::default().add(["a/../b".into()]).name(), "a-..-b");
        let many = |last: &str| {
            let names = (0..40).map(|i| format!("Attribute_{i}é")).chain([last.to_string()]);
            Words::default().add(names).name()
        };
        assert!(many("A").len() <= LONGEST && many("A") != many("-A"), "{}", many("A"));
    }
}
