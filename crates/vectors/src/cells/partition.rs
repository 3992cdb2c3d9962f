//! Making cells: centroids are found with a sample of the nodes, and all nodes go to the nearest.

use std::{
    sync::{Mutex, PoisonError},
    thread,
};

use super::{Cell, LEAST_NODES, Partition, centroids::Centroids, tree::Tree};
use crate::{
    build::{Caller, CodePoints, FromCode, Points as _, join},
    codes::CodedRows,
    error::{Error, Result},
    parameters::Metric,
};

/// Cells for the root of the nodes' number …
const CELLS_PER_ROOT: f64 = 3.0;
/// … and at most.
const MOST_CELLS: usize = 1 << 16;
/// Nodes between two looks at the cancel flag.
const NODES_BETWEEN_CHECKS: usize = 1024;
/// Nodes that a thread looks up at a time.
const NODES_AT_A_TIME: usize = 1024;

/// The cells of nodes with these codes; none where there are too few nodes, or numbers too large to add.
///
/// # Errors
/// [`Error::Cancelled`], [`Error::OutOfMemory`], or [`Error::Build`] when a thread panicked.
pub(crate) fn partition(
    rows: &CodedRows,
    points: &CodePoints,
    metric: Metric,
    count: usize,
    caller: Caller,
) -> Result<Option<Partition>> {
    if count < LEAST_NODES {
        return Ok(None);
    }
    #[expect(clippy::cast_sign_loss, reason = "it is a count")]
    let cells = ((count as f64).sqrt() * CELLS_PER_ROOT) as usize;
    let nodes = Nodes { rows, points, caller };
    let tree = Tree::new(nodes, cells.min(MOST_CELLS), count)?;
    let homes = nodes.assign(&tree, count)?;
    let means = nodes.means(homes.iter().copied().zip(0..), tree.cells())?;
    nodes.kept(&homes, &means, metric)
}

/// What is shared out.
#[derive(Clone, Copy)]
pub(super) struct Nodes<'a> {
    rows: &'a CodedRows,
    pub(super) points: &'a CodePoints<'a>,
    caller: Caller<'a>,
}

/// What the members of cells add up to.
pub(super) struct Means {
    /// A vector for each cell, one after another; of an empty one zeroes.
    vectors: Vec<f32>,
    counts: Vec<u32>,
    /// The mean squared lengths.
    squares: Vec<f64>,
}

impl Nodes<'_> {
    pub(super) fn dimensions(&self) -> usize {
        self.rows.coding().dimensions()
    }

    /// The cell of each of the first `count` nodes.
    fn assign(&self, tree: &Tree, count: usize) -> Result<Vec<u32>> {
        let mut homes = vec![0; count];
        let parts = Mutex::new(homes.chunks_mut(NODES_AT_A_TIME).zip((0..).step_by(NODES_AT_A_TIME)));
        let work = || {
            loop {
                let part = parts.lock().unwrap_or_else(PoisonError::into_inner).next();
                let Some((homes, first)) = part else { return Ok(()) };
                self.assign_some(tree, first, homes)?;
            }
        };
        thread::scope(|scope| {
            let mut workers = Vec::new();
            for _ in 1..self.caller.threads {
                let worker = thread::Builder::new().name("cutover-build".to_owned());
                let spawned = worker.spawn_scoped(scope, || {
                    (self.caller.on_thread)();
                    work()
                });
                // Those that there are do it all.
                let Ok(worker) = spawned else { break };
                workers.push(worker);
            }
            let own = work();
            own.and(join(workers))
        })?;
        Ok(homes)
    }

    fn assign_some(&self, tree: &Tree, first: u32, homes: &mut [u32]) -> Result<()> {
        if (self.caller.cancel)() {
            return Err(Error::Cancelled);
        }
        let (mut from, mut near) = (FromCode::default(), Vec::new());
        for (home, node) in homes.iter_mut().zip(first..) {
            self.points.prepare(node, &mut from);
            *home = tree.home(&from, &mut near);
        }
        Ok(())
    }

    /// The means of nodes by the cell that they are in.
    pub(super) fn means(&self, homes: impl Iterator<Item = (u32, u32)>, count: usize) -> Result<Means> {
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
    pub(super) fn add(&self, node: u32, vector: &mut [f32]) -> f64 {
        let factor = self.rows.terms(node).factor;
        let mut squares = 0;
        for (sum, &code) in vector.iter_mut().zip(self.rows.code(node)) {
            let number = i32::from(code) - 128;
            squares += number * number;
            *sum += factor * number as f32;
        }
        f64::from(squares) * f64::from(factor).powi(2)
    }

    /// Puts nodes in the order of their cells, of which the empty ones are left out; none where a mean is beyond all numbers.
    fn kept(&self, homes: &[u32], means: &Means, metric: Metric) -> Result<Option<Partition>> {
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
                if !centroids.push(vector) || !spread.is_finite() {
                    return Ok(None);
                }
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
        Ok(Some(Partition { cells, centroids, members, metric }))
    }

    pub(super) fn check(&self, done: usize) -> Result<()> {
        if done.is_multiple_of(NODES_BETWEEN_CHECKS) && (self.caller.cancel)() { Err(Error::Cancelled) } else { Ok(()) }
    }
}

impl Means {
    /// Moves centroids to them; one that has no member stays.
    pub(super) fn move_to(&self, vectors: &mut [f32]) {
        let dimensions = vectors.len() / self.counts.len().max(1);
        for (cell, _) in self.counts.iter().enumerate().filter(|(_, count)| **count > 0) {
            let of_cell = cell * dimensions..(cell + 1) * dimensions;
            vectors[of_cell.clone()].copy_from_slice(&self.vectors[of_cell]);
        }
    }
}
