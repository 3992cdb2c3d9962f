//! Searching the cells near a query.
//!
//! How far a member of a cell is from the query, is known before it is measured but for the share of its way from the centroid that
//! leads towards the query: in many dimensions nearly a normal number, whose deviation is learned from those that were measured. So
//! cells are visited in the order of the nearest that a member could be, and the search ends where it would take a member more deviations
//! than the allowed members that are left make likely.
//!
//! Where all that is near the query is not allowed, the nearest that are may be on all sides of it, hardly nearer than many others. Then no
//! order of the cells helps, and all are visited. It shows in what was measured: the nearest of so many should be farther from their mean.

use super::{
    Cells, Shares,
    found::{Found, Outlook, normal_quantile},
};
use crate::{
    codes::{CodeQuery, Terms},
    distance::Key,
    error::{Error, Result},
    kernels::prefetch,
    measure::Measure,
    parameters::Metric,
};

/// Nodes that are gathered, and asked for, before those gathered before are measured.
const BATCH: usize = 64;
/// Cells put in order at first; then twice as many each time.
const FIRST_ORDERED: usize = 256;
/// Cells whose members are asked for before they are looked at.
const CELLS_AHEAD: usize = 3;
/// Members near the query are allowed as others are, if their share is at least two thirds of that of all.
const EVEN: f64 = 1.5;
/// Cells near the query of which it is learned how many members are allowed there.
const LOOKED_AROUND: usize = 8;
/// What the deviation is taken to be, as a multiple of that among random directions, before any node was measured.
const EXPECTED: f64 = 1.3;
/// The share of the nearest that may be missed by the normal distribution's measure.
const MISSED: f64 = 0.6;
/// Where more than one allowed member in so many had to be measured, all are.
const FEW: usize = 2;

/// A search of the cells of a field.
pub(crate) struct CellScan<'a, M> {
    pub(crate) cells: Cells<'a>,
    /// The allowed members.
    pub(crate) shares: &'a Shares,
    pub(crate) measure: &'a M,
    pub(crate) query: &'a CodeQuery,
    pub(crate) caution: Caution,
    pub(crate) cancel: &'a dyn Fn() -> bool,
}

/// By how many times the deviation of a normal number members' distances may deviate.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Caution {
    /// Where all members are allowed, or those near the query are not.
    pub(crate) least: f64,
    /// How much of that is added where hardly any is, near the query as elsewhere.
    pub(crate) where_rare: f64,
}

/// What the cells had.
pub(crate) struct Searched {
    /// The nearest, in no order.
    pub(crate) nearest: Vec<Key>,
    /// More of them, in no order, where all were measured.
    pub(crate) all: Option<Vec<Key>>,
    pub(crate) measured: usize,
}

/// Nodes of some cells.
#[derive(Default)]
struct Gathered {
    nodes: Vec<u32>,
    /// Where each cell's end.
    parts: Vec<(usize, Outlook)>,
}

impl<M: Measure> CellScan<'_, M> {
    /// The `sought` nearest allowed nodes but for a few that it misses, and of those met on the way as many others as make `room`; or the
    /// `most` nearest of all.
    pub(crate) fn run(&self, sought: usize, room: usize, most: usize) -> Result<Searched> {
        let missed = MISSED * sought as f64 / self.shares.len().max(1) as f64;
        let deviations = normal_quantile(missed) * self.caution.least;
        let (mut ranked, outlooks, around) = self.rank(deviations);
        let share = self.shares.len() as f64 / self.cells.nodes().max(1) as f64;
        let where_rare = if around.share() * EVEN < share { 0.0 } else { self.caution.where_rare };
        let mut found = Found::new(sought, room, most, deviations, where_rare);
        let (mut now, mut soon, mut keys) = (Gathered::default(), Gathered::default(), Vec::new());
        let (mut rest, mut ordered) = (&mut ranked[..], FIRST_ORDERED);
        let mut is_all = false;
        'cells: while !rest.is_empty() {
            if (self.cancel)() {
                return Err(Error::Cancelled);
            }
            let count = ordered.min(rest.len());
            if count < rest.len() {
                rest.select_nth_unstable(count);
            }
            let (near, far) = rest.split_at_mut(count);
            near.sort_unstable();
            for (at, cell) in near.iter().enumerate() {
                if let Some(ahead) = near.get(at + CELLS_AHEAD) {
                    prefetch(self.shares.of(ahead.node()));
                }
                let outlook = outlooks[cell.node() as usize];
                is_all |= found.seen() * FEW > self.shares.len();
                if !is_all && found.is_beyond(outlook) {
                    if found.is_apart() {
                        break 'cells;
                    }
                    is_all = true;
                }
                for &node in self.shares.of(cell.node()) {
                    self.measure.prefetch(node);
                    soon.nodes.push(node);
                }
                soon.parts.push((soon.nodes.len(), outlook));
                if soon.nodes.len() >= BATCH {
                    self.take(&mut now, &mut keys, &mut found);
                    std::mem::swap(&mut now, &mut soon);
                }
            }
            rest = far;
            ordered *= 2;
        }
        self.take(&mut now, &mut keys, &mut found);
        self.take(&mut soon, &mut keys, &mut found);
        let (measured, is_all) = (found.seen(), found.seen() == self.shares.len());
        let (nearest, all) = found.kept();
        Ok(Searched { nearest, all: is_all.then_some(all), measured })
    }

    /// Each cell that has an allowed member, with about how near one may be; and what is known of the members of all cells.
    fn rank(&self, deviations: f64) -> (Vec<Key>, Vec<Outlook>, Around) {
        let expected = deviations * EXPECTED / (self.query.dimensions() as f64).sqrt();
        let mut ranked = Vec::with_capacity(self.cells.len());
        let mut outlooks = Vec::with_capacity(self.cells.len());
        let (mut numbers, mut products) = ([0_u32; BATCH], [0; BATCH]);
        let (mut cells, mut before) = (self.cells.iter(), 0);
        let mut around = Around::default();
        for start in (0..self.cells.len()).step_by(BATCH) {
            let count = BATCH.min(self.cells.len() - start);
            numbers.iter_mut().zip(start as u32..).for_each(|(number, cell)| *number = cell);
            self.cells.products(self.query, &numbers[..count], &mut products);
            for ((&cell, &product), of) in numbers[..count].iter().zip(&products).zip(&mut cells) {
                let allowed = self.shares.of(cell).len();
                let share = allowed as f32 / of.end.saturating_sub(before).max(1) as f32;
                let outlook = self.outlook(of.terms, of.spread, product, share);
                around.offer(outlook.mean, allowed, of.end.saturating_sub(before));
                before = of.end;
                if allowed > 0 {
                    ranked.push(Key::new(outlook.mean - expected as f32 * outlook.unit, cell));
                }
                outlooks.push(outlook);
            }
        }
        (ranked, outlooks, around)
    }

    fn outlook(&self, terms: Terms, spread: f32, product: i32, share: f32) -> Outlook {
        if self.cells.metric == Metric::L2 {
            let distance = self.query.distance(terms, product).max(0.0);
            let squared = spread * spread;
            Outlook { mean: distance + squared, unit: spread * (4.0 * distance + 2.0 * squared).sqrt(), share }
        } else {
            Outlook { mean: self.query.distance(Terms { norm: 0.0, ..terms }, product), unit: spread, share }
        }
    }

    /// Measures what was gathered.
    fn take(&self, gathered: &mut Gathered, keys: &mut Vec<Key>, found: &mut Found) {
        keys.clear();
        self.measure.keys(&gathered.nodes, keys);
        let mut start = 0;
        for &(end, outlook) in &gathered.parts {
            found.add(&keys[start..end], outlook);
            start = end;
        }
        gathered.nodes.clear();
        gathered.parts.clear();
    }
}

/// The cells nearest to a query, whether their members are allowed or not.
#[derive(Default)]
struct Around {
    /// Their distances, nearest first, with how many members are allowed, and how many there are.
    cells: Vec<(f32, usize, u32)>,
}

impl Around {
    #[inline]
    fn offer(&mut self, distance: f32, allowed: usize, members: u32) {
        if self.cells.len() < LOOKED_AROUND || distance < self.cells[LOOKED_AROUND - 1].0 {
            let at = self.cells.partition_point(|cell| cell.0 <= distance);
            self.cells.insert(at, (distance, allowed, members));
            self.cells.truncate(LOOKED_AROUND);
        }
    }

    /// Which share of their members is allowed.
    fn share(&self) -> f64 {
        let allowed: usize = self.cells.iter().map(|cell| cell.1).sum();
        let members: f64 = self.cells.iter().map(|cell| f64::from(cell.2)).sum();
        allowed as f64 / members.max(1.0)
    }
}
