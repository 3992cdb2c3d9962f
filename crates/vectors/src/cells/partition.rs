//! Making cells: k-means over the nodes' codes, in two levels, so that a node is compared with few of the centroids.
//!
//! A sample is shared out among groups, about as many as the root of the cells, and each group among cells of its own (Lloyd 1982).
//! All nodes then go to the nearest cell of the groups nearest to them.

use std::{ops::Range, thread};

use super::{Cell, LEAST_NODES, Partition, assign::Centroids};
use crate::{
    build::{CodePoints, FromCode, Points as _},
    codes::CodedRows,
    error::{Error, Result},
    parameters::Metric,
};

/// Cells for the root of the nodes' number …
const CELLS_PER_ROOT: f64 = 3.0;
/// … and at most.
const MOST_CELLS: usize = 1 << 16;
/// Nodes of the sample for each cell.
const SAMPLED_PER_CELL: usize = 24;
/// Nodes that groups are found with, for each group.
const SAMPLED_PER_GROUP: usize = 64;
/// Times that centroids are moved to the means of what is nearest to them.
const MOVES: usize = 5;
/// Groups whose cells a node is compared with.
const GROUPS_TRIED: usize = 8;
/// Nodes between two looks at the cancel flag.
const NODES_BETWEEN_CHECKS: usize = 1024;

/// Who shares the work.
#[derive(Clone, Copy)]
pub(crate) struct Crew<'a> {
    /// At least 1.
    pub(crate) threads: usize,
    /// The first thing that each thread calls.
    pub(crate) on_thread: &'a (dyn Fn() + Sync),
    /// Asked every thousand nodes.
    pub(crate) cancel: &'a (dyn Fn() -> bool + Sync),
}

/// The cells of nodes with these codes; none where there are too few nodes.
///
/// # Errors
/// [`Error::Cancelled`], [`Error::OutOfMemory`], or [`Error::Build`] when a thread panicked.
pub(crate) fn partition(
    rows: &CodedRows,
    points: &CodePoints,
    metric: Metric,
    count: usize,
    crew: Crew,
) -> Result<Option<Partition>> {
    if count < LEAST_NODES {
        return Ok(None);
    }
    #[expect(clippy::cast_sign_loss, reason = "it is a count")]
    let cells = ((count as f64).sqrt() * CELLS_PER_ROOT) as usize;
    let nodes = Nodes { rows, points, crew };
    let tree = nodes.train(cells.min(MOST_CELLS), count)?;
    let homes = nodes.assign(&tree, count)?;
    let means = nodes.means(homes.iter().copied().zip(0..), tree.cells.len())?;
    Ok(Some(nodes.kept(&homes, &means, metric)?))
}

/// Centroids of cells, and of the groups that they are found through.
struct Tree {
    groups: Centroids,
    cells: Centroids,
    /// The cells of each group.
    ranges: Vec<Range<usize>>,
}

/// What is shared out.
#[derive(Clone, Copy)]
struct Nodes<'a> {
    rows: &'a CodedRows,
    points: &'a CodePoints<'a>,
    crew: Crew<'a>,
}

/// What the members of cells add up to.
struct Means {
    /// A vector for each cell, one after another; of an empty one zeroes.
    vectors: Vec<f32>,
    counts: Vec<u32>,
    /// The mean squared lengths.
    squares: Vec<f64>,
}

impl Nodes<'_> {
    fn dimensions(&self) -> usize {
        self.rows.coding().dimensions()
    }

    fn train(&self, cells: usize, count: usize) -> Result<Tree> {
        #[expect(clippy::cast_sign_loss, reason = "it is a count")]
        let groups = (cells as f64).sqrt().round() as usize;
        let sample = evenly(0..count, SAMPLED_PER_CELL * cells);
        let few: Vec<u32> =
            evenly(0..sample.len(), SAMPLED_PER_GROUP * groups).iter().map(|&at| sample[at as usize]).collect();
        let groups = Centroids::new(self.dimensions(), &self.k_means(&few, groups)?)?;
        let mut shares = vec![Vec::new(); groups.len()];
        let mut from = FromCode::default();
        for (at, &node) in sample.iter().enumerate() {
            self.check(at)?;
            self.points.prepare(node, &mut from);
            shares[groups.nearest(&from, 0..groups.len()).1 as usize].push(node);
        }
        let (mut vectors, mut ranges) = (Vec::new(), Vec::new());
        for share in &shares {
            let start = vectors.len() / self.dimensions();
            let own = (cells * share.len()).div_ceil(sample.len());
            vectors.extend(self.k_means(share, own)?);
            ranges.push(start..vectors.len() / self.dimensions());
        }
        let mut tree = Tree { groups, cells: Centroids::new(self.dimensions(), &vectors)?, ranges };
        // Once more across the groups' borders.
        let mut homes = Vec::with_capacity(sample.len());
        let mut near = Vec::new();
        for (at, &node) in sample.iter().enumerate() {
            self.check(at)?;
            self.points.prepare(node, &mut from);
            homes.push((tree.home(&from, &mut near), node));
        }
        let means = self.means(homes.into_iter(), tree.cells.len())?;
        means.move_to(&mut vectors);
        tree.cells = Centroids::new(self.dimensions(), &vectors)?;
        Ok(tree)
    }

    /// The centroids of `count` cells of these nodes, at most as many as there are nodes.
    fn k_means(&self, nodes: &[u32], count: usize) -> Result<Vec<f32>> {
        let first = evenly(0..nodes.len(), count);
        let mut vectors = vec![0.0; first.len() * self.dimensions()];
        for (&at, vector) in first.iter().zip(vectors.chunks_exact_mut(self.dimensions())) {
            self.add(nodes[at as usize], vector);
        }
        let mut from = FromCode::default();
        for _ in 0..MOVES {
            let centroids = Centroids::new(self.dimensions(), &vectors)?;
            let mut homes = Vec::with_capacity(nodes.len());
            for (at, &node) in nodes.iter().enumerate() {
                self.check(at)?;
                self.points.prepare(node, &mut from);
                homes.push((centroids.nearest(&from, 0..centroids.len()).1, node));
            }
            self.means(homes.into_iter(), centroids.len())?.move_to(&mut vectors);
        }
        Ok(vectors)
    }

    /// The cell of each of the first `count` nodes.
    fn assign(&self, tree: &Tree, count: usize) -> Result<Vec<u32>> {
        let mut homes = vec![0; count];
        let per_thread = count.div_ceil(self.crew.threads).max(1);
        thread::scope(|scope| {
            let mut workers = Vec::new();
            let mut own = Ok(());
            for (part, homes) in homes.chunks_mut(per_thread).enumerate() {
                let first = (part * per_thread) as u32;
                if part == 0 {
                    own = self.assign_some(tree, first, homes);
                    continue;
                }
                let worker = thread::Builder::new().name("cutover-build".to_owned());
                workers.push(
                    worker
                        .spawn_scoped(scope, move || {
                            (self.crew.on_thread)();
                            self.assign_some(tree, first, homes)
                        })
                        .map_err(Error::Thread)?,
                );
            }
            let join = |worker: thread::ScopedJoinHandle<Result<()>>| {
                let panicked = |_| Err(Error::Build { message: "a thread of the build panicked".to_owned() });
                worker.join().unwrap_or_else(panicked)
            };
            let results: Vec<Result<()>> = workers.into_iter().map(join).collect();
            results.into_iter().fold(own, Result::and)
        })?;
        Ok(homes)
    }

    fn assign_some(&self, tree: &Tree, first: u32, homes: &mut [u32]) -> Result<()> {
        let (mut from, mut near) = (FromCode::default(), Vec::new());
        for (at, (home, node)) in homes.iter_mut().zip(first..).enumerate() {
            self.check(at)?;
            self.points.prepare(node, &mut from);
            *home = tree.home(&from, &mut near);
        }
        Ok(())
    }

    /// The means of nodes by the cell that they are in.
    fn means(&self, homes: impl Iterator<Item = (u32, u32)>, count: usize) -> Result<Means> {
        let dimensions = self.dimensions();
        let mut means =
            Means { vectors: vec![0.0; count * dimensions], counts: vec![0; count], squares: vec![0.0; count] };
        for (at, (home, node)) in homes.enumerate() {
            self.check(at)?;
            let home = home as usize;
            means.squares[home] += self.add(node, &mut means.vectors[home * dimensions..][..dimensions]);
            means.counts[home] += 1;
        }
        let of_cells = means.vectors.chunks_exact_mut(dimensions).zip(&mut means.squares).zip(&means.counts);
        for ((vector, squares), &count) in of_cells.filter(|(_, count)| **count > 0) {
            let share = 1.0 / f64::from(count);
            *squares *= share;
            for x in vector {
                *x *= share as f32;
            }
        }
        Ok(means)
    }

    /// Adds what a node's code stands for to a vector; returns its squared length.
    fn add(&self, node: u32, vector: &mut [f32]) -> f64 {
        let factor = self.rows.terms(node).factor;
        let mut squares = 0;
        for (sum, &code) in vector.iter_mut().zip(self.rows.code(node)) {
            let number = i32::from(code) - 128;
            squares += number * number;
            *sum += factor * number as f32;
        }
        f64::from(squares) * f64::from(factor).powi(2)
    }

    /// Puts nodes in the order of their cells, of which the empty ones are left out.
    fn kept(&self, homes: &[u32], means: &Means, metric: Metric) -> Result<Partition> {
        let dimensions = self.dimensions();
        let mut cells = Vec::new();
        let mut centroids = CodedRows::new(Centroids::coding(dimensions), means.counts.len())?;
        let mut ends = Vec::with_capacity(means.counts.len());
        let mut end = 0;
        for (cell, &count) in means.counts.iter().enumerate() {
            ends.push(end);
            if count > 0 {
                end += count;
                let vector = &means.vectors[cell * dimensions..][..dimensions];
                let square: f64 = vector.iter().map(|x| f64::from(*x).powi(2)).sum();
                let spread = (means.squares[cell] - square).max(0.0).sqrt() as f32;
                let _ = centroids.push(vector);
                let terms = centroids.terms(cells.len() as u32);
                cells.push(Cell { end, spread, terms }.encode());
            }
        }
        let mut members = vec![0; homes.len()];
        for (&home, node) in homes.iter().zip(0..) {
            let end = &mut ends[home as usize];
            members[*end as usize] = node;
            *end += 1;
        }
        Ok(Partition { cells, centroids, members, metric })
    }

    fn check(&self, done: usize) -> Result<()> {
        if done.is_multiple_of(NODES_BETWEEN_CHECKS) && (self.crew.cancel)() { Err(Error::Cancelled) } else { Ok(()) }
    }
}

impl Tree {
    /// The cell nearest to a node.
    fn home(&self, from: &FromCode, near: &mut Vec<(f32, u32)>) -> u32 {
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

impl Means {
    /// Moves centroids to them; one that has no member stays.
    fn move_to(&self, vectors: &mut [f32]) {
        let dimensions = vectors.len() / self.counts.len().max(1);
        for (cell, _) in self.counts.iter().enumerate().filter(|(_, count)| **count > 0) {
            let of_cell = cell * dimensions..(cell + 1) * dimensions;
            vectors[of_cell.clone()].copy_from_slice(&self.vectors[of_cell]);
        }
    }
}

/// So many numbers of a range, evenly spread, or all.
fn evenly(range: Range<usize>, count: usize) -> Vec<u32> {
    let (length, count) = (range.len() as u64, count.min(range.len()) as u64);
    (0..count).map(|at| (range.start as u64 + at * length / count) as u32).collect()
}
