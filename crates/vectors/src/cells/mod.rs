//! Cells: a coarse partition of a graph's nodes by where they are, for searches that a filter sends away from the graph.
//!
//! Every node is in the cell of the centroid nearest to it, as in an inverted file (Jégou, Douze & Schmid 2011). Where few nodes
//! are allowed, or those near the query are not, a walk has to look at many that are not answers, and a scan at all that are allowed. A scan by
//! cells looks at the allowed ones of the cells near the query, and stops where what it has seen says that those farther away hold
//! hardly any that is nearer than the nearest found.

mod caution;
mod centroids;
mod found;
mod partition;
mod scan;
mod shares;
mod tree;

use std::path::Path;

use fixedbitset::FixedBitSet;

use crate::{
    codes::{CodeQuery, CodedRows, Codes, Coding, Terms},
    error::{Error, Result},
    format::CELL_WORDS,
    parameters::Metric,
};

pub(crate) use caution::caution;
pub(crate) use partition::partition;
pub(crate) use scan::{Caution, CellScan};
pub(crate) use shares::Shares;

/// A graph of fewer nodes has no cells: a scan of all costs as little.
pub(crate) const LEAST_NODES: usize = 4096;

/// What is kept of a cell besides its centroid's code and its members.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Cell {
    /// Members of the cells up to this one.
    pub(crate) end: u32,
    /// The root of its members' mean squared distance from the centroid.
    pub(crate) spread: f32,
    /// Of the centroid's code.
    pub(crate) terms: Terms,
}

impl Cell {
    pub(crate) fn encode(self) -> [u32; CELL_WORDS] {
        [self.end, self.spread.to_bits(), self.terms.factor.to_bits(), self.terms.norm.to_bits()]
    }

    fn decode([end, spread, factor, norm]: [u32; CELL_WORDS]) -> Self {
        let terms = Terms { factor: f32::from_bits(factor), norm: f32::from_bits(norm) };
        Self { end, spread: f32::from_bits(spread), terms }
    }
}

/// The cells of a graph, wherever they are kept.
#[derive(Clone, Copy)]
pub(crate) struct Cells<'a> {
    metric: Metric,
    words: &'a [[u32; CELL_WORDS]],
    centroids: Codes<'a>,
    members: &'a [u32],
    path: &'a Path,
}

impl<'a> Cells<'a> {
    /// Cells of a field with this coding. The centroids' codes begin at multiples of [`Coding::padded`].
    pub(crate) fn new(
        path: &'a Path,
        coding: &Coding,
        metric: Metric,
        words: &'a [[u32; CELL_WORDS]],
        centroids: &'a [u8],
        members: &'a [u32],
    ) -> Self {
        Self { metric, words, centroids: Codes::new(coding, centroids, coding.padded()), members, path }
    }

    /// How many there are.
    pub(crate) fn len(&self) -> usize {
        self.words.len()
    }

    /// How many nodes they share out.
    pub(crate) fn nodes(&self) -> usize {
        self.members.len()
    }

    /// All, in order.
    pub(crate) fn iter(&self) -> impl Iterator<Item = Cell> + use<'a> {
        self.words.iter().map(|words| Cell::decode(*words))
    }

    /// The nodes in a cell, not yet checked.
    ///
    /// # Errors
    /// The file is malformed.
    pub(crate) fn members(&self, cell: usize) -> Result<&'a [u32]> {
        let start = cell.checked_sub(1).map_or(0, |before| self.words[before][0]);
        self.members.get(start as usize..self.words[cell][0] as usize).ok_or_else(|| self.malformed())
    }

    /// Says that the cells are not what the file says they are.
    #[cold]
    pub(crate) fn malformed(&self) -> Error {
        cutover_durable::Error::malformed(self.path, "its cells do not share out its nodes").into()
    }

    /// The products of a query and some centroids.
    fn products(&self, query: &CodeQuery, numbers: &[u32], products: &mut [i32]) {
        self.centroids.many(query, numbers, products);
    }
}

/// The cells of a graph that is being made.
pub(crate) struct Partition {
    pub(crate) cells: Vec<[u32; CELL_WORDS]>,
    pub(crate) centroids: CodedRows,
    pub(crate) members: Vec<u32>,
    metric: Metric,
}

impl Partition {
    pub(crate) fn cells(&self) -> Cells<'_> {
        let centroids = &self.centroids;
        Cells::new(Path::new(""), centroids.coding(), self.metric, &self.cells, centroids.bytes(), &self.members)
    }
}

/// Fails unless each of the nodes is in one cell.
pub(crate) fn check(cells: &Cells, nodes: usize) -> Result<()> {
    let mut seen = FixedBitSet::with_capacity(nodes);
    let mut before = 0;
    for cell in cells.iter() {
        let numbers = [cell.spread, cell.terms.factor, cell.terms.norm];
        if cell.end < before || !numbers.iter().all(|number| number.is_finite()) {
            return Err(cells.malformed());
        }
        before = cell.end;
    }
    let is_new = |&node: &u32| (node as usize) < nodes && !seen.put(node as usize);
    if before as usize != nodes || !cells.members.iter().all(is_new) {
        return Err(cells.malformed());
    }
    Ok(())
}
