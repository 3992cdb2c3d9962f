//! Searching a field: candidates by the cheapest way, then their true distances.

use crate::{
    candidates::{Ask, AskCells},
    distance::{Key, Query},
    error::Result,
    filter::Filter,
    full::Rows,
    graph::Links,
    index::{VectorIndex, foreign},
    kernels::LINE,
    measure::{ByCode, ByRow},
    plan::{Strategy, VectorPlan, default_ef},
    rerank::{rerank, rerank_enough},
    scan::scan,
};

/// The fewest candidates that are measured in full where codes found them, unless the field has more of them measured.
pub(crate) const LEAST_RERANKED: usize = 24;
/// Of what a scan measures by codes, one in so many may be measured in full: among vectors that are all far from the query codes tell
/// less. How many are, is decided by what is found.
const SCANNED_PER_RERANKED: usize = 8;
/// … but as many as this, …
const LEAST_SCANNED: usize = 512;
/// … and up to this.
const MOST_RERANKED: usize = 16_384;

/// A vector that was found.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Neighbour {
    /// The document's position in its segment.
    pub ordinal: u32,
    /// Its distance from the query. Never NaN; infinite where it exceeds what 32 bits can hold.
    pub distance: f32,
}

/// What is asked of an index besides the query itself.
#[derive(Clone, Copy)]
pub struct Search<'a> {
    /// How many of the nearest are wanted.
    pub k: usize,
    /// The candidate-list size, raised to `k` where it is below; [`default_ef`] when `None`.
    pub ef: Option<usize>,
    /// The ordinals that may be answered; `None` allows all.
    pub allowed: Option<&'a Filter>,
    /// Vectors farther than this are not wanted, say because other segments have enough that are nearer. Infinite: all are.
    pub within: f32,
    /// Whether a filtered search goes by the cells, where there are some, whatever that is expected to cost: to try and to measure it.
    pub by_cells: bool,
    /// Looked at every few hundred nodes; true ends the search.
    pub cancel: &'a dyn Fn() -> bool,
}

impl VectorIndex {
    /// The `k` nearest allowed vectors, nearest first, those at equal distance by ordinal. Approximate: it may miss some of the
    /// nearest, but returns `k` vectors whenever as many are allowed.
    ///
    /// `ef` is the candidate-list size, raised to `k` where it is below; [`default_ef`] when `None`, and more where a filter needs it. `allowed` is a set of
    /// ordinals; `None` allows all. `cancel` is looked at every few hundred nodes.
    ///
    /// # Errors
    /// [`crate::Error::Dimensions`], [`crate::Error::NotFinite`], for cosine [`crate::Error::Zero`] and [`crate::Error::Length`] when
    /// `query` is no vector of this index; [`crate::Error::Cancelled`]; [`crate::Error::Durable`] when the graph turns out to be damaged.
    pub fn search(
        &self,
        query: &[f32],
        k: usize,
        ef: Option<usize>,
        allowed: Option<&Filter>,
        cancel: &dyn Fn() -> bool,
    ) -> Result<Vec<Neighbour>> {
        let search = Search { k, ef, allowed, within: f32::INFINITY, by_cells: false, cancel };
        self.find(query, &search).map(|(found, _)| found)
    }

    /// As [`VectorIndex::search`], and says how it went about it.
    ///
    /// # Errors
    /// As [`VectorIndex::search`].
    pub fn find(&self, query: &[f32], search: &Search) -> Result<(Vec<Neighbour>, VectorPlan)> {
        let query = Query::new(self.parameters(), query)?;
        self.find_prepared(&query, search)
    }

    pub(crate) fn find_prepared(&self, query: &Query, search: &Search) -> Result<(Vec<Neighbour>, VectorPlan)> {
        let (links, rows) = (self.graph().links()?, self.full().rows()?);
        let allowed = search.allowed;
        let available = allowed.map_or(rows.len(), |allowed| allowed.count().min(rows.len()));
        let k = search.k.min(available);
        let ef = search.ef.unwrap_or_else(|| default_ef(k, rows.len())).max(k);
        let measure;
        let mut ask = Ask { links, allowed, available, k, wanted: k, scanned: k, lines: 0, search, cells: None };
        let (found, plan) = if let Some((coding, quarters)) = links.coding() {
            let quarters = usize::from(quarters);
            ask.wanted = (ef * quarters / 4).max(LEAST_RERANKED * quarters).max(2 * k);
            ask.lines = self.dimensions().div_ceil(LINE);
            let may_rerank = (available / SCANNED_PER_RERANKED).clamp(LEAST_SCANNED, MOST_RERANKED);
            ask.scanned = ask.wanted.max(may_rerank);
            measure = ByCode::new(links, &coding, query);
            if allowed.is_some() {
                ask.cells = self.graph().cells()?.map(|cells| AskCells {
                    cells,
                    query: measure.query(),
                    caution: f64::from(self.graph().params().caution),
                    field: self.number(),
                });
            }
            let (mut candidates, mut plan) = ask.candidates(&measure)?;
            let (found, reranked) = match plan.strategy {
                Strategy::Walk | Strategy::MaskedWalk | Strategy::FilteredWalk | Strategy::CellWalk => {
                    rerank(rows, query, k, search.within, &candidates)
                }
                Strategy::Scan | Strategy::CellScan | Strategy::WalkThenScan => {
                    rerank_enough(rows, query, k, search.within, ask.wanted, &mut candidates)
                }
            };
            plan.reranked = reranked;
            (found, plan)
        } else {
            ask.lines = rows.lines();
            let (mut found, plan) = ask.candidates(&ByRow { rows, query })?;
            found.sort_unstable();
            (found, plan)
        };
        let within = found.iter().take(k).take_while(|key| key.distance() <= search.within);
        Ok((self.neighbours(links, rows, within)?, plan))
    }

    /// As [`VectorIndex::search`], but measures every allowed vector in full, so that nothing is missed.
    ///
    /// # Errors
    /// As [`VectorIndex::search`].
    pub fn search_exact(
        &self,
        query: &[f32],
        k: usize,
        allowed: Option<&Filter>,
        cancel: &dyn Fn() -> bool,
    ) -> Result<Vec<Neighbour>> {
        self.find_exact(query, &Search { k, ef: None, allowed, within: f32::INFINITY, by_cells: false, cancel })
    }

    /// As [`VectorIndex::search_exact`].
    ///
    /// # Errors
    /// As [`VectorIndex::search`].
    pub fn find_exact(&self, query: &[f32], search: &Search) -> Result<Vec<Neighbour>> {
        let query = Query::new(self.parameters(), query)?;
        let (links, rows) = (self.graph().links()?, self.full().rows()?);
        let measure = ByRow { rows, query: &query };
        let mut found = scan(rows.ordinals, &measure, search.k, search.within, search.allowed, search.cancel)?.keys;
        found.sort_unstable();
        self.neighbours(links, rows, found.iter())
    }

    /// Rows as ordinals. The two files each say which is which; a hit is an answer only if they agree.
    fn neighbours<'a>(&self, links: Links, rows: Rows, found: impl Iterator<Item = &'a Key>) -> Result<Vec<Neighbour>> {
        let neighbour = |key: &Key| {
            let ordinal = rows.ordinals.get(key.node());
            if ordinal == links.ordinals.get(key.node()) && u64::from(ordinal) < self.ordinal_bound() {
                Ok(Neighbour { ordinal, distance: key.distance() })
            } else {
                Err(foreign(self.graph()))
            }
        };
        found.map(neighbour).collect()
    }
}
