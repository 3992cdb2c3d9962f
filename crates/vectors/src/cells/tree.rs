//! The centroids of cells: k-means in two levels, so that a node is compared with few of them.
//!
//! A sample is shared out among groups, about as many as the root of the cells, and each group among cells of its own (Lloyd 1982).
//! A node then goes to the nearest cell of the groups nearest to it.

use std::ops::Range;

use super::{centroids::Centroids, partition::Nodes};
use crate::{
    build::{FromCode, Points as _},
    error::Result,
};

/// Nodes of the sample for each cell.
const SAMPLED_PER_CELL: usize = 24;
/// Nodes that groups are found with, for each group.
const SAMPLED_PER_GROUP: usize = 64;
/// Times that centroids are moved to the means of what is nearest to them.
const MOVES: usize = 5;
/// Groups whose cells a node is compared with.
const GROUPS_TRIED: usize = 8;

/// Centroids of cells, and of the groups that they are found through.
pub(super) struct Tree {
    groups: Centroids,
    cells: Centroids,
    /// The cells of each group.
    ranges: Vec<Range<usize>>,
}

impl Tree {
    /// The centroids of about so many cells of the first `count` nodes.
    ///
    /// # Errors
    /// [`crate::Error::Cancelled`], [`crate::Error::OutOfMemory`].
    pub(super) fn new(nodes: Nodes, cells: usize, count: usize) -> Result<Self> {
        #[expect(clippy::cast_sign_loss, reason = "it is a count")]
        let groups = (cells as f64).sqrt().round() as usize;
        let sample = evenly(count, SAMPLED_PER_CELL * cells);
        let few: Vec<u32> =
            evenly(sample.len(), SAMPLED_PER_GROUP * groups).iter().map(|&at| sample[at as usize]).collect();
        let groups = Centroids::new(nodes.dimensions(), &Self::k_means(nodes, &few, groups)?)?;
        let mut shares = vec![Vec::new(); groups.len()];
        let mut from = FromCode::default();
        for (at, &node) in sample.iter().enumerate() {
            nodes.check(at)?;
            nodes.points.prepare(node, &mut from);
            shares[groups.nearest(&from, 0..groups.len()).1 as usize].push(node);
        }
        let (mut vectors, mut ranges) = (Vec::new(), Vec::new());
        for share in &shares {
            let start = vectors.len() / nodes.dimensions();
            let own = (cells * share.len()).div_ceil(sample.len());
            vectors.extend(Self::k_means(nodes, share, own)?);
            ranges.push(start..vectors.len() / nodes.dimensions());
        }
        let mut tree = Self { groups, cells: Centroids::new(nodes.dimensions(), &vectors)?, ranges };
        // Once more across the groups' borders.
        let mut homes = Vec::with_capacity(sample.len());
        let mut near = Vec::new();
        for (at, &node) in sample.iter().enumerate() {
            nodes.check(at)?;
            nodes.points.prepare(node, &mut from);
            homes.push((tree.home(&from, &mut near), node));
        }
        let means = nodes.means(homes.into_iter(), tree.cells.len())?;
        means.move_to(&mut vectors);
        tree.cells = Centroids::new(nodes.dimensions(), &vectors)?;
        Ok(tree)
    }

    /// The centroids of `count` cells of these nodes, at most as many as there are nodes.
    fn k_means(all: Nodes, nodes: &[u32], count: usize) -> Result<Vec<f32>> {
        let first = evenly(nodes.len(), count);
        let mut vectors = vec![0.0; first.len() * all.dimensions()];
        for (&at, vector) in first.iter().zip(vectors.chunks_exact_mut(all.dimensions())) {
            all.add(nodes[at as usize], vector);
        }
        let mut from = FromCode::default();
        for _ in 0..MOVES {
            let centroids = Centroids::new(all.dimensions(), &vectors)?;
            let mut homes = Vec::with_capacity(nodes.len());
            for (at, &node) in nodes.iter().enumerate() {
                all.check(at)?;
                all.points.prepare(node, &mut from);
                homes.push((centroids.nearest(&from, 0..centroids.len()).1, node));
            }
            all.means(homes.into_iter(), centroids.len())?.move_to(&mut vectors);
        }
        Ok(vectors)
    }

    /// How many cells there are.
    pub(super) fn cells(&self) -> usize {
        self.cells.len()
    }

    /// The cell nearest to a node.
    pub(super) fn home(&self, from: &FromCode, near: &mut Vec<(f32, u32)>) -> u32 {
        near.clear();
        self.groups.measure(from, 0..self.groups.len(), |group, distance| near.push((distance, group)));
        if near.len() > GROUPS_TRIED {
            near.select_nth_unstable_by(GROUPS_TRIED, |one, other| one.0.total_cmp(&other.0));
            near.truncate(GROUPS_TRIED);
        }
        let of_group = |&(_, group): &(f32, u32)| self.ranges[group as usize].clone();
        let ranges = near.iter().map(of_group).filter(|range| !range.is_empty());
        let nearest = ranges.map(|range| self.cells.nearest(from, range));
        nearest.min_by(|one, other| one.0.total_cmp(&other.0)).map_or(0, |(_, cell)| cell)
    }
}

/// So many of the numbers below `length`, evenly spread, or all.
fn evenly(length: usize, count: usize) -> Vec<u32> {
    let (length, count) = (length as u64, count.min(length) as u64);
    (0..count).map(|at| (at * length / count) as u32).collect()
}
