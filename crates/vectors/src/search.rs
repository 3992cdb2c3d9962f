//! Searching a field: candidates by the cheapest way, then their true distances.

use std::cell::Cell;

use fixedbitset::FixedBitSet;

use crate::{
    among::Among,
    distance::{Key, Query},
    error::Result,
    full::Rows,
    graph::Links,
    index::{VectorIndex, foreign},
    kernels::LINE,
    measure::{ByCode, ByRow, Measure},
    plan::{EXPECTED_PER_ENOUGH, Sizes, Strategy, VectorPlan, default_ef},
    rerank::{rerank, rerank_enough},
    scan::scan,
    walk::{Cost, Scratch, Walk},
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
/// What is taken for the share that is allowed near the query where none of those looked at is.
const LEAST_SHARE: f64 = 1.0 / 256.0;
/// A masked walk meets enough that are allowed, if it meets two of three that were foreseen.
const FORESEEN_PER_ENOUGH: f64 = 1.5;

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
        let mut ask = Ask { links, allowed, available, k, wanted: k, scanned: k, lines: 0, search };
        let (found, plan) = if let Some((coding, quarters)) = links.coding() {
            let quarters = usize::from(quarters);
            ask.wanted = (ef * quarters / 4).max(LEAST_RERANKED * quarters).max(2 * k);
            ask.lines = self.dimensions().div_ceil(LINE);
            let may_rerank = (available / SCANNED_PER_RERANKED).clamp(LEAST_SCANNED, MOST_RERANKED);
            ask.scanned = ask.wanted.max(may_rerank);
            let (mut candidates, mut plan) = ask.candidates(&ByCode::new(links, &coding, query))?;
            let (found, reranked) = match plan.strategy {
                Strategy::Walk | Strategy::MaskedWalk | Strategy::FilteredWalk => {
                    rerank(rows, query, k, search.within, &candidates)
                }
                Strategy::Scan | Strategy::WalkThenScan => {
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
    /// Cache lines of what a distance is taken from.
    lines: usize,
    search: &'a Search<'a>,
}

impl Ask<'_> {
    /// The nearest by `measure`, nearest first: as many as are wanted, where so many are allowed.
    fn candidates(&self, measure: &impl Measure) -> Result<(Vec<Key>, VectorPlan)> {
        let rows = self.links.ordinals.len();
        let expected = self.expected().max(1);
        let sizes = Sizes {
            k: self.k.max(1),
            ef: self.search.ef,
            wanted: self.wanted,
            is_all: self.allowed.is_none(),
            available: expected,
            rows: rows.max(1),
            effort: self.links.effort(),
            share: expected as f64 / rows.max(1) as f64,
            slots: self.links.slots_per_node(),
            lines: self.lines,
        };
        let way = sizes.way();
        let mut plan = VectorPlan {
            strategy: Strategy::Scan,
            vectors: rows,
            allowed: self.available,
            ef: way.ef,
            walk_estimate: sizes.in_scanned(&way),
            measured: 0,
            hops: 0,
            reranked: 0,
        };
        if self.wanted == 0 || self.available == 0 {
            return Ok((Vec::new(), plan));
        }
        if sizes.way_before_scan().is_some() {
            if let Some(found) = self.walk(measure, &sizes, &mut plan)? {
                return Ok((found, plan));
            }
            plan.strategy = Strategy::WalkThenScan;
        }
        let scanned =
            scan(self.links.ordinals, measure, self.scanned, f32::INFINITY, self.allowed, self.search.cancel)?;
        plan.measured += scanned.measured;
        Ok((scanned.keys, plan))
    }

    /// How many are allowed, if documents without a vector are as often as others.
    fn expected(&self) -> usize {
        let rows = self.links.ordinals.len();
        match self.allowed {
            Some((allowed, count)) if !self.links.ordinals.are_rows() => {
                (count * rows / allowed.len().max(1)).min(self.available)
            }
            _ => self.available,
        }
    }

    /// What a walk finds; none where that is too little, or need not be the nearest.
    fn walk(&self, measure: &impl Measure, sizes: &Sizes, plan: &mut VectorPlan) -> Result<Option<Vec<Key>>> {
        // Taken, not borrowed: a cancel function may search, too.
        let mut scratch = SCRATCH.take();
        let walk = Walk { links: self.links, measure, cancel: self.search.cancel };
        let mut cost = Cost::default();
        let gone = self.go(walk, sizes, &mut scratch, &mut cost);
        let found = scratch.pool.kept().take(self.wanted).collect();
        scratch.shrink();
        SCRATCH.set(scratch);
        plan.measured = cost.measured;
        plan.hops = cost.hops;
        Ok(gone?.map(|strategy| {
            plan.strategy = strategy;
            found
        }))
    }

    /// Goes that way, or another that leads farther; says which, if the pool of `scratch` has the nearest now.
    fn go<M: Measure>(
        &self,
        walk: Walk<M>,
        sizes: &Sizes,
        scratch: &mut Scratch,
        cost: &mut Cost,
    ) -> Result<Option<Strategy>> {
        let Some(allowed) = self.allowed else {
            *cost = walk.run(sizes.way().ef, scratch)?;
            return Ok((scratch.pool.kept().len() >= self.wanted).then_some(Strategy::Walk));
        };
        let among = Among { walk, allowed };
        let (start, share) = among.enter(scratch, cost)?;
        let mut sizes = *sizes;
        if share * EXPECTED_PER_ENOUGH < sizes.share {
            sizes.share = share.max(LEAST_SHARE);
        }
        while let Some(way) = sizes.way_before_scan() {
            if way.strategy == Strategy::FilteredWalk {
                among.filtered(start, way.ef, scratch, cost)?;
                let is_enough = scratch.pool.kept().len() >= self.wanted.min(self.available);
                return Ok(is_enough.then_some(Strategy::FilteredWalk));
            }
            among.masked(start, way.ef, scratch, cost)?;
            let found = scratch.pool.kept().len() as f64 / way.ef as f64;
            // Else the farther from the query, the fewer are allowed: the walk must be a wider one.
            if found * FORESEEN_PER_ENOUGH >= sizes.share {
                return Ok(Some(Strategy::MaskedWalk));
            }
            sizes.share = found.max(LEAST_SHARE).min(sizes.share / FORESEEN_PER_ENOUGH);
        }
        Ok(None)
    }
}
