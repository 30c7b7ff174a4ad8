//! Vectors in f64: what points and directions of a latent space are.

/// Length of a vector: the root of the sum of its squares.
pub fn length(vector: &[f64]) -> f64 {
    dot(vector, vector).sqrt()
}

/// A vector or its opposite: whose entry of largest size is positive, of equal ones the first.
pub(crate) fn with_sign(vector: Vec<f64>) -> Vec<f64> {
    let largest = vector.iter().fold(0.0, |m: f64, x| if x.abs() > m.abs() { *x } else { m });
    if largest < 0.0 { vector.into_iter().map(|x| -x).collect() } else { vector }
}

/// A vector of length 1 in the same direction; a zero stays one.
pub(crate) fn normalized(vector: Vec<f64>) -> Vec<f64> {
    let length = length(&vector);
    if length > 0.0 { vector.into_iter().map(|x| x / length).collect() } else { vector }
}

/// Sum of the products of entries.
pub(crate) fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

/// A vector times a number.
pub(crate) fn scaled(vector: &[f64], factor: f64) -> Vec<f64> {
    vector.iter().map(|x| x * factor).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn three_four_five() {
        assert_eq!(length(&[3.0, -4.0]), 5.0);
        assert_eq!(dot(&[3.0, -4.0], &[2.0, 1.0]), 2.0);
        assert_eq!(normalized(vec![3.0, -4.0]), [0.6, -0.8]);
        assert_eq!(normalized(vec![0.0; 2]), [0.0; 2]);
        assert_eq!(scaled(&[3.0, -4.0], -2.0), [-6.0, 8.0]);
    }

    #[test]
    fn the_entry_of_largest_size_is_positive() {
        assert_eq!(with_sign(vec![3.0, -4.0]), [-3.0, 4.0]);
        assert_eq!(with_sign(vec![-1.0, 4.0]), [-1.0, 4.0]);
        assert_eq!(with_sign(vec![-2.0, 2.0]), [2.0, -2.0], "of equal ones the first");
    }
}
