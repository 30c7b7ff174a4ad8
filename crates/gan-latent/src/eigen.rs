//! Small linear algebra in f64: eigenvectors of symmetric matrices, systems of positive definite ones.

use crate::vector::{dot, with_sign};

/// Eigenvalues of a symmetric matrix, the largest first, with their eigenvectors.
#[derive(Clone, Debug, PartialEq)]
pub struct Eigen {
    /// The eigenvalues.
    pub values: Vec<f64>,
    /// A row an eigenvector, of length 1; of its entries the one of largest size is positive, which settles its sign.
    pub vectors: Vec<Vec<f64>>,
}

/// Rounds over all pairs; a matrix of any size that fits into memory needs about ten.
const MOST_SWEEPS: usize = 60;

/// All eigenvectors of a symmetric matrix by Jacobi's rotations (Golub and Van Loan, Matrix Computations, section 8.5):
/// slow for large matrices, and as exact as f64 is. What lies below the diagonal is not read.
pub fn symmetric_eigen(matrix: &[Vec<f64>]) -> Eigen {
    let n = matrix.len();
    let mut a: Vec<Vec<f64>> =
        (0..n).map(|i| (0..n).map(|j| matrix[i.min(j)][i.max(j)]).collect()).collect();
    let mut vectors: Vec<Vec<f64>> = (0..n).map(|i| unit(n, i)).collect();
    let norm: f64 = a.iter().flatten().map(|x| x * x).sum::<f64>().sqrt();
    for _ in 0..MOST_SWEEPS {
        let rest: f64 = (0..n)
            .flat_map(|i| (i + 1..n).map(move |j| (i, j)))
            .map(|(i, j)| a[i][j].powi(2))
            .sum();
        if rest.sqrt() <= 1e-15 * norm {
            break;
        }
        for p in 0..n {
            for q in p + 1..n {
                rotate(&mut a, &mut vectors, p, q);
            }
        }
    }
    let mut order: Vec<usize> = (0..n).collect();
    order.sort_by(|i, j| a[*j][*j].total_cmp(&a[*i][*i]));
    let values = order.iter().map(|&i| a[i][i]).collect();
    let vectors = order.iter().map(|&i| with_sign(std::mem::take(&mut vectors[i]))).collect();
    Eigen { values, vectors }
}

fn unit(n: usize, i: usize) -> Vec<f64> {
    (0..n).map(|j| f64::from(u8::from(i == j))).collect()
}

/// Makes `a[p][q]` 0 by a rotation in the plane of p and q.
fn rotate(a: &mut [Vec<f64>], vectors: &mut [Vec<f64>], p: usize, q: usize) {
    if a[p][q] == 0.0 {
        return;
    }
    let theta = (a[q][q] - a[p][p]) / (2.0 * a[p][q]);
    // The smaller of the two roots: a rotation by 45° at most, for which the sweeps converge.
    let t = theta.signum() / (theta.abs() + theta.hypot(1.0));
    let c = 1.0 / t.hypot(1.0);
    let s = t * c;
    let turn = |x: &mut [Vec<f64>]| {
        let (left, right) = x.split_at_mut(q);
        for (x, y) in left[p].iter_mut().zip(&mut right[0]) {
            (*x, *y) = (c * *x - s * *y, s * *x + c * *y);
        }
    };
    turn(a);
    turn(vectors);
    for row in a.iter_mut() {
        (row[p], row[q]) = (c * row[p] - s * row[q], s * row[p] + c * row[q]);
    }
    (a[p][q], a[q][p]) = (0.0, 0.0);
}

/// The x with `matrix`·x = `right`, by Cholesky's decomposition of a symmetric positive definite matrix, of which the lower
/// half is read; `None` where it is not positive definite.
pub(crate) fn solve(mut matrix: Vec<Vec<f64>>, right: &[f64]) -> Option<Vec<f64>> {
    let n = right.len();
    for i in 0..n {
        let (above, rest) = matrix.split_at_mut(i);
        let row = &mut rest[0];
        for j in 0..i {
            row[j] = (row[j] - dot(&row[..j], &above[j][..j])) / above[j][j];
        }
        let square = row[i] - dot(&row[..i], &row[..i]);
        if square.is_nan() || square <= 0.0 {
            return None;
        }
        row[i] = square.sqrt();
    }
    let mut x = right.to_vec();
    for i in 0..n {
        x[i] = (x[i] - dot(&matrix[i][..i], &x[..i])) / matrix[i][i];
    }
    for i in (0..n).rev() {
        let below: f64 = (i + 1..n).map(|j| matrix[j][i] * x[j]).sum();
        x[i] = (x[i] - below) / matrix[i][i];
    }
    Some(x)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::vector::normalized;
    use gan_core::Stream;

    fn product(matrix: &[Vec<f64>], x: &[f64]) -> Vec<f64> {
        matrix.iter().map(|row| dot(row, x)).collect()
    }

    fn random_gram(n: usize, seed: u64) -> Vec<Vec<f64>> {
        let mut stream = Stream::named("gram", seed);
        let rows: Vec<Vec<f64>> =
            (0..n).map(|_| (0..n).map(|_| f64::from(stream.normal())).collect()).collect();
        rows.iter().map(|a| rows.iter().map(|b| dot(a, b)).collect()).collect()
    }

    #[test]
    fn two_by_two_in_closed_form() {
        let found = symmetric_eigen(&[vec![2.0, 1.0], vec![1.0, 2.0]]);
        let half = 0.5f64.sqrt();
        assert!((found.values[0] - 3.0).abs() < 1e-14 && (found.values[1] - 1.0).abs() < 1e-14);
        assert!(found.vectors[0].iter().all(|x| (x - half).abs() < 1e-14));
        assert!((found.vectors[1][0] + found.vectors[1][1]).abs() < 1e-14);
    }

    /// The second difference of a chain: eigenvalues 2 − 2 cos(kπ/(n + 1)), eigenvectors sin(ikπ/(n + 1)).
    #[test]
    fn a_chain_has_its_known_modes() {
        let n = 40;
        let entry = |i: usize, j: usize| match i.abs_diff(j) {
            0 => 2.0,
            1 => -1.0,
            _ => 0.0,
        };
        let chain: Vec<Vec<f64>> = (0..n).map(|i| (0..n).map(|j| entry(i, j)).collect()).collect();
        let found = symmetric_eigen(&chain);
        for (place, (value, vector)) in found.values.iter().zip(&found.vectors).enumerate() {
            let angle = (n - place) as f64 * std::f64::consts::PI / (n + 1) as f64;
            assert!((value - (2.0 - 2.0 * angle.cos())).abs() < 1e-13, "{place}: {value}");
            let mode = normalized((1..=n).map(|i| (i as f64 * angle).sin()).collect());
            assert!((dot(vector, &mode).abs() - 1.0).abs() < 1e-12, "{place}");
        }
    }

    #[test]
    fn eigenvectors_are_orthonormal_and_keep_their_direction() {
        let gram = random_gram(60, 1);
        let found = symmetric_eigen(&gram);
        assert!(found.values.is_sorted_by(|a, b| a >= b));
        for (i, (value, vector)) in found.values.iter().zip(&found.vectors).enumerate() {
            let image = product(&gram, vector);
            let off = image.iter().zip(vector).map(|(a, v)| (a - value * v).abs());
            assert!(off.fold(0.0, f64::max) < 1e-11 * found.values[0], "{i}");
            for (j, other) in found.vectors.iter().enumerate() {
                let expected = f64::from(u8::from(i == j));
                assert!((dot(vector, other) - expected).abs() < 1e-12, "{i} {j}");
            }
        }
        assert_eq!(symmetric_eigen(&[]).values, Vec::<f64>::new());
        let diagonal = symmetric_eigen(&[vec![-1.0, 0.0], vec![0.0, 5.0]]);
        assert_eq!(
            (diagonal.values, diagonal.vectors[0].clone()),
            (vec![5.0, -1.0], vec![0.0, 1.0])
        );
    }

    #[test]
    fn a_solution_solves() {
        let gram = random_gram(30, 2);
        let expected: Vec<f64> = (0..30).map(|i| f64::from(i) - 10.0).collect();
        let found = solve(gram.clone(), &product(&gram, &expected)).expect("positive definite");
        let residual = product(&gram, &found);
        let right = product(&gram, &expected);
        assert!(residual.iter().zip(&right).all(|(a, b)| (a - b).abs() < 1e-7));
        assert_eq!(solve(vec![vec![1.0, 0.0], vec![2.0, 1.0]], &[1.0, 1.0]), None);
    }
}
