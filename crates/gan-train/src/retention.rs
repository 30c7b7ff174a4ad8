//! Which checkpoints go when a new one is there: a decision as data, carried out elsewhere.

use std::path::PathBuf;

/// The files to remove so that the newest `keep` of `checkpoints` (by images seen) stay.
pub fn superseded(checkpoints: &[(u64, PathBuf)], keep: usize) -> Vec<PathBuf> {
    let mut sorted: Vec<_> = checkpoints.iter().collect();
    sorted.sort();
    let surplus = sorted.len().saturating_sub(keep.max(1));
    sorted[..surplus].iter().map(|(_, path)| path.clone()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_stay() {
        let all: Vec<(u64, PathBuf)> =
            [300, 100, 200].iter().map(|n| (*n, PathBuf::from(n.to_string()))).collect();
        assert_eq!(superseded(&all, 2), [PathBuf::from("100")]);
        assert_eq!(superseded(&all, 3), Vec::<PathBuf>::new());
        assert_eq!(superseded(&all, 0).len(), 2, "one always stays");
    }
}
