//! A quadtree over points of the plane, with which far groups act as one (Barnes and Hut 1986).

/// Cells are not divided beyond this depth, so that points of one place end in one leaf.
const DEEPEST: usize = 48;

/// The tree.
pub(super) struct Quadtree {
    nodes: Vec<Node>,
    /// Place of each point in the order of the leaves.
    rank: Vec<u32>,
}

/// A cell with points in it.
struct Node {
    /// Mean of its points.
    mean: [f64; 2],
    /// Side of the cell.
    side: f64,
    /// Its points, by their rank.
    from: u32,
    to: u32,
    /// Its first child and the number of them; none of a leaf.
    children: (u32, u32),
}

/// What repels a point: the sum of w²·(y − yⱼ) and of w over all other points, w = 1/(1 + |y − yⱼ|²).
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Repulsion {
    pub(super) force: [f64; 2],
    pub(super) weight: f64,
}

impl Quadtree {
    /// The tree of some points, at least one.
    pub(super) fn new(points: &[[f64; 2]]) -> Self {
        let ends = |axis: usize| {
            let values = points.iter().map(|point| point[axis]);
            values.fold((f64::INFINITY, f64::NEG_INFINITY), |(l, h), x| (l.min(x), h.max(x)))
        };
        let [(left, right), (bottom, top)] = [ends(0), ends(1)];
        let side = (right - left).max(top - bottom).max(f64::MIN_POSITIVE);
        let middle = [(left + right) / 2.0, (bottom + top) / 2.0];
        let mut order: Vec<u32> = (0..points.len() as u32).collect();
        let mut tree = Self { nodes: Vec::with_capacity(2 * points.len()), rank: Vec::new() };
        tree.nodes.push(node(points, &order, 0, side));
        tree.divide(points, (&mut order, 0), 0, (middle, side, 0));
        tree.rank = vec![0; points.len()];
        order.iter().enumerate().for_each(|(rank, point)| tree.rank[*point as usize] = rank as u32);
        tree
    }

    /// Divides the cell of node `place`, whose points are `order` and have ranks from `first` on.
    fn divide(
        &mut self,
        points: &[[f64; 2]],
        (order, first): (&mut [u32], u32),
        place: usize,
        (middle, side, depth): ([f64; 2], f64, usize),
    ) {
        if order.len() <= 1 || depth == DEEPEST {
            return;
        }
        let quarter = |point: u32| {
            let [x, y] = points[point as usize];
            usize::from(x > middle[0]) + 2 * usize::from(y > middle[1])
        };
        order.sort_by_key(|point| quarter(*point));
        let starts: [usize; 5] =
            std::array::from_fn(|q| order.partition_point(|point| quarter(*point) < q));
        let filled: Vec<usize> = (0..4).filter(|q| starts[*q] < starts[q + 1]).collect();
        let child = self.nodes.len();
        for &q in &filled {
            let own = &order[starts[q]..starts[q + 1]];
            self.nodes.push(node(points, own, first + starts[q] as u32, side / 2.0));
        }
        self.nodes[place].children = (child as u32, filled.len() as u32);
        for (i, q) in filled.into_iter().enumerate() {
            let own = &mut order[starts[q]..starts[q + 1]];
            let shift = |axis: usize| if q >> axis & 1 == 1 { side / 4.0 } else { -side / 4.0 };
            let middle = [middle[0] + shift(0), middle[1] + shift(1)];
            let cell = (middle, side / 2.0, depth + 1);
            self.divide(points, (own, first + starts[q] as u32), child + i, cell);
        }
    }

    /// What repels point `i`, which lies at `at`. A cell whose side is less than `theta` times its distance acts as all of its
    /// points in their mean; with 0 all points act by themselves.
    pub(super) fn repulsion(&self, i: usize, at: [f64; 2], theta: f64) -> Repulsion {
        let mut found = Repulsion::default();
        let mut left = vec![0u32];
        while let Some(place) = left.pop() {
            let node = &self.nodes[place as usize];
            let by = [at[0] - node.mean[0], at[1] - node.mean[1]];
            let square = by[0] * by[0] + by[1] * by[1];
            let (first, children) = node.children;
            if children > 0 && node.side * node.side >= theta * theta * square {
                left.extend(first..first + children);
                continue;
            }
            let own = (node.from..node.to).contains(&self.rank[i]);
            let count = f64::from(node.to - node.from - u32::from(own));
            let weight = 1.0 / (1.0 + square);
            found.weight += count * weight;
            found.force[0] += count * weight * weight * by[0];
            found.force[1] += count * weight * weight * by[1];
        }
        found
    }
}

/// A cell with some points, not yet divided.
fn node(points: &[[f64; 2]], own: &[u32], from: u32, side: f64) -> Node {
    let mean = |axis: usize| {
        own.iter().map(|point| points[*point as usize][axis]).sum::<f64>() / own.len() as f64
    };
    let to = from + own.len() as u32;
    Node { mean: [mean(0), mean(1)], side, from, to, children: (0, 0) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use gan_core::Stream;

    fn naive(points: &[[f64; 2]], i: usize) -> Repulsion {
        let mut found = Repulsion::default();
        for (_, other) in points.iter().enumerate().filter(|(j, _)| *j != i) {
            let by = [points[i][0] - other[0], points[i][1] - other[1]];
            let weight = 1.0 / (1.0 + by[0] * by[0] + by[1] * by[1]);
            found.weight += weight;
            found.force[0] += weight * weight * by[0];
            found.force[1] += weight * weight * by[1];
        }
        found
    }

    fn cloud(n: usize) -> Vec<[f64; 2]> {
        let mut stream = Stream::named("cloud", 0);
        let mut points: Vec<[f64; 2]> =
            (0..n).map(|_| [0; 2].map(|_| 5.0 * f64::from(stream.normal()))).collect();
        points[1] = points[0]; // two of one place
        points
    }

    #[test]
    fn without_groups_the_sum_is_over_all_pairs() {
        let points = cloud(300);
        let tree = Quadtree::new(&points);
        for (i, point) in points.iter().enumerate() {
            let (found, expected) = (tree.repulsion(i, *point, 0.0), naive(&points, i));
            assert!((found.weight - expected.weight).abs() < 1e-9, "{i} {found:?} {expected:?}");
            for axis in 0..2 {
                assert!((found.force[axis] - expected.force[axis]).abs() < 1e-9, "{i}");
            }
        }
    }

    #[test]
    fn groups_change_little() {
        let points = cloud(2000);
        let tree = Quadtree::new(&points);
        let (mut worst, mut off, mut whole) = (0.0f64, 0.0, 0.0);
        for (i, point) in points.iter().enumerate() {
            let (found, expected) = (tree.repulsion(i, *point, 0.5), naive(&points, i));
            worst = worst.max((found.weight / expected.weight - 1.0).abs());
            let by = [0, 1].map(|axis| found.force[axis] - expected.force[axis]);
            off += by[0].hypot(by[1]);
            whole += expected.force[0].hypot(expected.force[1]);
        }
        assert!(worst < 0.03 && worst > 0.0, "{worst}");
        assert!(off < 0.03 * whole && off > 0.0, "{off} of {whole}");
    }

    #[test]
    fn every_point_is_in_one_leaf_and_cells_hold_what_their_children_do() {
        let points = cloud(300);
        let tree = Quadtree::new(&points);
        let mut leaves = vec![0; points.len()];
        for node in &tree.nodes {
            let (first, children) = (node.children.0 as usize, node.children.1 as usize);
            if children == 0 {
                leaves[node.from as usize..node.to as usize].iter_mut().for_each(|n| *n += 1);
                continue;
            }
            let mut from = node.from;
            for child in &tree.nodes[first..first + children] {
                assert_eq!((child.from, child.side), (from, node.side / 2.0));
                from = child.to;
            }
            assert_eq!(from, node.to);
            for (rank, point) in tree.rank.iter().zip(&points) {
                let near =
                    [0, 1].iter().all(|&axis| (point[axis] - node.mean[axis]).abs() <= node.side);
                assert!(near || !(node.from..node.to).contains(rank), "{point:?} beyond its cell");
            }
        }
        assert!(leaves.iter().all(|n| *n == 1), "{leaves:?}");
    }

    #[test]
    fn points_of_one_place_end_in_one_leaf() {
        let tree = Quadtree::new(&[[1.0, 2.0]; 5]);
        let found = tree.repulsion(3, [1.0, 2.0], 0.5);
        assert_eq!(found, Repulsion { force: [0.0; 2], weight: 4.0 });
    }
}
