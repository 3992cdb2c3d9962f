//! A field's vectors, opened: which way to search is decided here.

use cutover_durable::Map;
use fixedbitset::FixedBitSet;

use crate::{
    distance::{Key, Query},
    error::{Error, Result},
    full::{Full, Rows},
    graph::Graph,
    parameters::{Metric, Parameters},
    scan::scan,
    walk::Walk,
};

/// A walk measures about this many rows, at random places, for each candidate it keeps; a scan that measures fewer is faster.
const SCAN_PER_CANDIDATE: u64 = 32;

/// A vector that was found.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Neighbour {
    /// The document's position in its segment.
    pub ordinal: u32,
    /// Its distance from the query. Never NaN; infinite where it exceeds what 32 bits can hold.
    pub distance: f32,
}

/// The vectors and the graph of one field of one segment, mapped. Cheap to open, and searched by any number of threads.
pub struct VectorIndex {
    graph: Graph,
    full: Full,
}

/// The candidate-list size that a search uses when it is given none: `max(128, 2k)`.
#[must_use]
pub fn default_ef(k: usize) -> usize {
    k.saturating_mul(2).max(128)
}

impl VectorIndex {
    /// Opens the two files of a field, checking their structure and that they belong together. Reads a few pages, whatever
    /// their size.
    ///
    /// # Errors
    /// [`Error::Durable`] when a file is malformed or of a newer format, or when the two do not belong together.
    pub fn open(graph: Map, full: Map) -> Result<Self> {
        let graph = Graph::open(graph)?;
        let full = Full::open(full)?;
        let (links, rows) = (graph.params(), full.params());
        if (links.nodes, links.parameters.dimensions, links.ordinal_bound)
            != (rows.rows, rows.dimensions as usize, rows.ordinal_bound)
        {
            return Err(foreign(&graph));
        }
        Ok(Self { graph, full })
    }

    /// How many vectors there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.full.params().rows as usize
    }

    /// Whether there is no vector.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Components of every vector.
    #[must_use]
    pub fn dimensions(&self) -> usize {
        self.parameters().dimensions
    }

    /// How distances are measured.
    #[must_use]
    pub fn metric(&self) -> Metric {
        self.parameters().metric
    }

    /// What the graph was built with.
    #[must_use]
    pub fn parameters(&self) -> &Parameters {
        &self.graph.params().parameters
    }

    /// One more than the greatest ordinal that has a vector, 0 when none has. No search answers an ordinal at or above it, so a
    /// segment that has at least as many documents can look up every answer.
    #[must_use]
    pub fn ordinal_bound(&self) -> u64 {
        self.full.params().ordinal_bound
    }

    /// The `k` nearest allowed vectors, nearest first, those at equal distance by ordinal. Approximate: it may miss some of the
    /// nearest, but returns `k` vectors whenever as many are allowed.
    ///
    /// `ef` is the candidate-list size, raised to `k` where it is below; [`default_ef`] when `None`. `allowed` is a set of
    /// ordinals; `None` allows all. `cancel` is looked at every few hundred nodes. Where few vectors are allowed, or few exist,
    /// they are all measured, and the answer is exact.
    ///
    /// # Errors
    /// [`Error::Dimensions`], [`Error::NotFinite`], for cosine [`Error::Zero`] and [`Error::Length`] when `query` is no vector
    /// of this index; [`Error::Cancelled`]; [`Error::Durable`] when the graph turns out to be damaged.
    pub fn search(
        &self,
        query: &[f32],
        k: usize,
        ef: Option<usize>,
        allowed: Option<&FixedBitSet>,
        cancel: &dyn Fn() -> bool,
    ) -> Result<Vec<Neighbour>> {
        let query = Query::new(self.parameters(), query)?;
        let rows = self.full.rows()?;
        let allowed = allowed.map(|allowed| (allowed, allowed.count_ones(..)));
        let available = allowed.map_or(rows.len(), |(_, count)| count.min(rows.len()));
        let k = k.min(available);
        let ef = ef.unwrap_or_else(|| default_ef(k)).max(k).min(rows.len());
        if k > 0 && is_walk_cheaper(rows.len(), available, ef) {
            let found = self.walk(rows, &query, ef, allowed.map(|(allowed, _)| allowed), available, cancel)?;
            if let Some(mut found) = found.filter(|found| found.len() >= k) {
                found.truncate(k);
                return self.neighbours(rows, &found);
            }
        }
        self.neighbours(rows, &scan(rows, &query, k, allowed, cancel)?)
    }

    /// As [`VectorIndex::search`], but measures every allowed vector, so that nothing is missed.
    ///
    /// # Errors
    /// As [`VectorIndex::search`].
    pub fn search_exact(
        &self,
        query: &[f32],
        k: usize,
        allowed: Option<&FixedBitSet>,
        cancel: &dyn Fn() -> bool,
    ) -> Result<Vec<Neighbour>> {
        let query = Query::new(self.parameters(), query)?;
        let rows = self.full.rows()?;
        let allowed = allowed.map(|allowed| (allowed, allowed.count_ones(..)));
        self.neighbours(rows, &scan(rows, &query, k, allowed, cancel)?)
    }

    /// The distances of `query` to the vectors of documents, to the bit those that searches return; `None` for a document
    /// without a vector.
    ///
    /// # Errors
    /// As [`VectorIndex::search`], for `query`.
    pub fn distances(&self, query: &[f32], ordinals: &[u32]) -> Result<Vec<Option<f32>>> {
        let query = Query::new(self.parameters(), query)?;
        let rows = self.full.rows()?;
        Ok(ordinals.iter().map(|&ordinal| Some(rows.distance(&query, rows.find(ordinal)?))).collect())
    }

    /// The vector of a document, exactly as it was given; `None` when it has none.
    #[must_use]
    pub fn vector(&self, ordinal: u32) -> Option<&[f32]> {
        let rows = self.full.rows().ok()?;
        Some(rows.row(rows.find(ordinal)?))
    }

    pub(crate) fn graph(&self) -> &Graph {
        &self.graph
    }

    pub(crate) fn full(&self) -> &Full {
        &self.full
    }

    /// The best `ef` of a walk that may measure as many rows as a scan would.
    pub(crate) fn walk(
        &self,
        rows: Rows,
        query: &Query,
        ef: usize,
        allowed: Option<&FixedBitSet>,
        budget: usize,
        cancel: &dyn Fn() -> bool,
    ) -> Result<Option<Vec<Key>>> {
        Walk { links: self.graph.links()?, rows, query, allowed, ef, budget, cancel }.run()
    }

    /// Rows as ordinals. The two files each say which is which; a hit is an answer only if they agree.
    fn neighbours(&self, rows: Rows, found: &[Key]) -> Result<Vec<Neighbour>> {
        let links = self.graph.links()?;
        let neighbour = |key: &Key| {
            let ordinal = rows.ordinal(key.node());
            if ordinal == links.ordinal(key.node()) && u64::from(ordinal) < self.ordinal_bound() {
                Ok(Neighbour { ordinal, distance: key.distance() })
            } else {
                Err(foreign(&self.graph))
            }
        };
        found.iter().map(neighbour).collect()
    }
}

/// Whether a walk is expected to cost less than measuring all `available` of `rows`.
///
/// A walk among rows of which a share s is allowed keeps going until it has `ef` of those, so it measures 1/s as many.
fn is_walk_cheaper(rows: usize, available: usize, ef: usize) -> bool {
    let (rows, available, ef) = (rows as u128, available as u128, ef as u128);
    available * available > u128::from(SCAN_PER_CANDIDATE) * ef * rows
}

#[cold]
pub(crate) fn foreign(graph: &Graph) -> Error {
    let detail = "it and the vectors beside it are not of the same documents";
    cutover_durable::Error::malformed(graph.map().path(), detail).into()
}
