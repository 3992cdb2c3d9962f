//! Searching a field: candidates by the cheapest way, then their true distances.

use std::cell::Cell;

use fixedbitset::FixedBitSet;

use crate::{
    distance::{Key, Query},
    error::Result,
    full::Rows,
    graph::Links,
    index::{VectorIndex, foreign},
    measure::{ByCode, ByRow, Measure},
    plan::{Strategy, VectorPlan, default_ef, ef_among, walk_estimate},
    rerank::{rerank, rerank_enough},
    scan::scan,
    walk::{Scratch, Walk},
};

/// The fewest candidates that are measured in full where codes found them, unless the field has more of them measured.
pub(crate) const LEAST_RERANKED: usize = 32;
/// Of what a scan measures by codes, one in so many may be measured in full: among vectors that are all far from the query codes tell
/// less. How many are, is decided by what is found.
const SCANNED_PER_RERANKED: usize = 8;
/// … up to this.
const MOST_RERANKED: usize = 16_384;

thread_local! {
    static SCRATCH: Cell<Scratch> = Cell::default();
}

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
    pub allowed: Option<&'a FixedBitSet>,
    /// Vectors farther than this are not wanted, say because other segments have enough that are nearer. Infinite: all are.
    pub within: f32,
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
        allowed: Option<&FixedBitSet>,
        cancel: &dyn Fn() -> bool,
    ) -> Result<Vec<Neighbour>> {
        let search = Search { k, ef, allowed, within: f32::INFINITY, cancel };
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
        let allowed = search.allowed.map(|allowed| (allowed, allowed.count_ones(..)));
        let available = allowed.map_or(rows.len(), |(_, count)| count.min(rows.len()));
        let k = search.k.min(available);
        let ef = search.ef.unwrap_or_else(|| default_ef(k, rows.len())).max(k);
        let mut ask = Ask { links, allowed, available, k, wanted: k, scanned: k, search };
        let (found, plan) = if let Some((coding, quarters)) = links.coding() {
            let quarters = usize::from(quarters);
            ask.wanted = (ef * quarters / 4).max(LEAST_RERANKED * quarters).max(2 * k);
            ask.scanned = (available / SCANNED_PER_RERANKED).clamp(ask.wanted, ask.wanted.max(MOST_RERANKED));
            let (mut candidates, mut plan) = ask.candidates(&ByCode::new(links, &coding, query))?;
            let (found, reranked) = match plan.strategy {
                Strategy::Walk => rerank(rows, query, k, search.within, &candidates),
                Strategy::Scan | Strategy::WalkThenScan => {
                    rerank_enough(rows, query, k, search.within, ask.wanted, &mut candidates)
                }
            };
            plan.reranked = reranked;
            (found, plan)
        } else {
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
        allowed: Option<&FixedBitSet>,
        cancel: &dyn Fn() -> bool,
    ) -> Result<Vec<Neighbour>> {
        self.find_exact(query, &Search { k, ef: None, allowed, within: f32::INFINITY, cancel })
    }

    /// As [`VectorIndex::search_exact`].
    ///
    /// # Errors
    /// As [`VectorIndex::search`].
    pub fn find_exact(&self, query: &[f32], search: &Search) -> Result<Vec<Neighbour>> {
        let query = Query::new(self.parameters(), query)?;
        let (links, rows) = (self.graph().links()?, self.full().rows()?);
        let allowed = search.allowed.map(|allowed| (allowed, allowed.count_ones(..)));
        let measure = ByRow { rows, query: &query };
        let mut found = scan(rows.ordinals, &measure, search.k, search.within, allowed, search.cancel)?.keys;
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

/// One search, whose numbers are bounded.
struct Ask<'a> {
    links: Links<'a>,
    /// With how many are in it.
    allowed: Option<(&'a FixedBitSet, usize)>,
    available: usize,
    k: usize,
    /// Candidates that a walk has to find.
    wanted: usize,
    /// Candidates that a scan keeps.
    scanned: usize,
    search: &'a Search<'a>,
}

impl Ask<'_> {
    /// The nearest by `measure`, nearest first: as many as are wanted, where so many are allowed.
    fn candidates(&self, measure: &impl Measure) -> Result<(Vec<Key>, VectorPlan)> {
        let rows = self.links.ordinals.len();
        let ef =
            ef_among(self.k, self.search.ef.map(|ef| ef.max(self.k)), self.available, rows).max(self.wanted).min(rows);
        let mut plan = VectorPlan {
            strategy: Strategy::Scan,
            vectors: rows,
            allowed: self.available,
            ef,
            walk_estimate: walk_estimate(ef, rows, self.links.slots_per_node()),
            measured: 0,
            hops: 0,
            reranked: 0,
        };
        if self.wanted == 0 {
            return Ok((Vec::new(), plan));
        }
        if plan.walk_estimate < self.available {
            let found = self.walk(measure, &mut plan)?;
            if found.len() >= self.wanted.min(self.available) {
                return Ok((found, plan));
            }
            plan.strategy = Strategy::WalkThenScan;
        }
        let scanned =
            scan(self.links.ordinals, measure, self.scanned, f32::INFINITY, self.allowed, self.search.cancel)?;
        plan.measured += scanned.measured;
        Ok((scanned.keys, plan))
    }

    fn walk(&self, measure: &impl Measure, plan: &mut VectorPlan) -> Result<Vec<Key>> {
        plan.strategy = Strategy::Walk;
        // Taken, not borrowed: a cancel function may search, too.
        let mut scratch = SCRATCH.take();
        let walk = Walk { links: self.links, measure, cancel: self.search.cancel };
        let cost = walk.run(plan.ef, &mut scratch);
        let ordinals = self.links.ordinals;
        let is_allowed =
            |key: &Key| self.allowed.is_none_or(|(allowed, _)| allowed.contains(ordinals.get(key.node()) as usize));
        let found = scratch.pool.kept().filter(is_allowed).take(self.wanted).collect();
        scratch.shrink();
        SCRATCH.set(scratch);
        let cost = cost?;
        plan.measured = cost.measured;
        plan.hops = cost.hops;
        Ok(found)
    }
}
