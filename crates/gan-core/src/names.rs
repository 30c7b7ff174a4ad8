//! Names that a person typed beside those there are.

/// The one of `known` that is most like `typed`, whatever the case of letters, and how like it is, from 0 to 1
/// (Jaro-Winkler); `None` where there is none.
pub fn nearest<'n>(
    known: impl IntoIterator<Item = &'n str>,
    typed: &str,
) -> Option<(&'n str, f64)> {
    let typed = typed.to_lowercase();
    let likeness = |name: &str| strsim::jaro_winkler(&name.to_lowercase(), &typed);
    known.into_iter().map(|name| (name, likeness(name))).max_by(|a, b| a.1.total_cmp(&b.1))
}

#[cfg(test)]
mod tests {
    use super::nearest;

    #[test]
    fn letters_count_and_their_case_does_not() {
        let known = ["Smiling", "Male", "Eyeglasses"];
        assert_eq!(nearest(known, "SMILING"), Some(("Smiling", 1.0)));
        let (name, likeness) = nearest(known, "eyeglases").expect("three are known");
        assert!(name == "Eyeglasses" && (0.9..1.0).contains(&likeness));
        assert_eq!(nearest([], "Male"), None);
    }
}
