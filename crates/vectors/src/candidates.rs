//! Finding the candidates of one search, by the way that is expected to cost least, or by another where that one misleads.

use std::cell::Cell;

use crate::{
    among::Among,
    cells::{CellScan, Cells},
    codes::CodeQuery,
    distance::Key,
    error::Result,
    filter::Filter,
    graph::Links,
    measure::Measure,
    plan::{EXPECTED_PER_ENOUGH, Sizes, Strategy, VectorPlan, Way},
    scan::scan,
    search::Search,
    walk::{Cost, Scratch, Walk},
};

/// What is taken for the share that is allowed near the query where none of those looked at is.
const LEAST_SHARE: f64 = 1.0 / 256.0;
/// A masked walk meets enough that are allowed, if it meets two of three that were foreseen.
const FORESEEN_PER_ENOUGH: f64 = 1.5;
/// Where more are allowed, a filter does not remember which cells they are in, and no cell is looked at.
const MOST_IN_CELLS: usize = 1 << 20;

thread_local! {
    static SCRATCH: Cell<Scratch> = Cell::default();
}

/// One search, whose numbers are bounded.
pub(crate) struct Ask<'a> {
    pub(crate) links: Links<'a>,
    /// All, where there is no filter.
    pub(crate) allowed: Option<&'a Filter>,
    /// Vectors that are allowed at most.
    pub(crate) available: usize,
    pub(crate) k: usize,
    /// Candidates that a walk has to find.
    pub(crate) wanted: usize,
    /// Candidates that a scan keeps.
    pub(crate) scanned: usize,
    /// Cache lines of what a distance is taken from.
    pub(crate) lines: usize,
    pub(crate) search: &'a Search<'a>,
    /// Where a filtered search may begin.
    pub(crate) cells: Option<AskCells<'a>>,
}

/// The cells of a field, how cautious a search of them must be that no walk follows, and a query to compare them with.
#[derive(Clone, Copy)]
pub(crate) struct AskCells<'a> {
    pub(crate) cells: Cells<'a>,
    pub(crate) query: &'a CodeQuery,
    pub(crate) caution: f64,
    /// The number of the field's index.
    pub(crate) field: u64,
}

/// Candidates, and how they were found.
type Found = (Vec<Key>, Strategy);

impl Ask<'_> {
    /// The nearest by `measure`: as many as are wanted, where so many are allowed.
    pub(crate) fn candidates(&self, measure: &impl Measure) -> Result<(Vec<Key>, VectorPlan)> {
        let sizes = self.sizes();
        let way = sizes.way();
        let mut plan = VectorPlan {
            strategy: Strategy::Scan,
            vectors: self.links.ordinals.len(),
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
            let mut cost = Cost::default();
            // Taken, not borrowed: a cancel function may search, too.
            let mut scratch = SCRATCH.take();
            let walk = Walk { links: self.links, measure, cancel: self.search.cancel };
            let found = self.go(walk, &sizes, &mut scratch, &mut cost);
            scratch.shrink();
            SCRATCH.set(scratch);
            plan.measured = cost.measured;
            plan.hops = cost.hops;
            if let Some((found, strategy)) = found? {
                plan.strategy = strategy;
                return Ok((found, plan));
            }
            plan.strategy = Strategy::WalkThenScan;
        }
        let scanned =
            scan(self.links.ordinals, measure, self.scanned, f32::INFINITY, self.allowed, self.search.cancel)?;
        plan.measured += scanned.measured;
        Ok((scanned.keys, plan))
    }

    fn sizes(&self) -> Sizes {
        let rows = self.links.ordinals.len();
        let expected = self.expected().max(1);
        Sizes {
            k: self.k.max(1),
            ef: self.search.ef,
            by_cells: self.search.by_cells,
            wanted: self.wanted,
            is_all: self.allowed.is_none(),
            available: expected,
            rows: rows.max(1),
            effort: self.links.effort(),
            share: expected as f64 / rows.max(1) as f64,
            slots: self.links.slots_per_node(),
            lines: self.lines,
            cells: self.cells().map_or(0, |ask| ask.cells.len()),
        }
    }

    /// The cells, if they may be looked at.
    fn cells(&self) -> Option<&AskCells<'_>> {
        self.cells.as_ref().filter(|_| self.available <= MOST_IN_CELLS)
    }

    /// How many are allowed, if documents without a vector are as often as others.
    fn expected(&self) -> usize {
        let rows = self.links.ordinals.len();
        match self.allowed {
            Some(allowed) if !self.links.ordinals.are_rows() => {
                (allowed.count() * rows / allowed.allowed().len().max(1)).min(self.available)
            }
            _ => self.available,
        }
    }

    /// What is found by the cheapest way, or by another that leads farther; none where that is too little, or need not be the nearest.
    fn go<M: Measure>(
        &self,
        walk: Walk<M>,
        sizes: &Sizes,
        scratch: &mut Scratch,
        cost: &mut Cost,
    ) -> Result<Option<Found>> {
        let Some(allowed) = self.allowed else {
            *cost = walk.run(sizes.way().ef, scratch)?;
            return Ok(self.enough(scratch, Strategy::Walk));
        };
        let among = Among { walk, allowed };
        if let Some(way) = sizes.way_before_scan().filter(|way| way.strategy == Strategy::CellWalk) {
            return self.by_cells(&among, sizes, way, scratch, cost);
        }
        let (start, share) = among.enter(scratch, cost)?;
        let mut sizes = *sizes;
        if share * EXPECTED_PER_ENOUGH < sizes.share {
            if self.cells().is_some() {
                return self.by_cells(&among, &sizes, sizes.cell_walk(), scratch, cost);
            }
            sizes.share = share.max(LEAST_SHARE);
        }
        while let Some(way) = sizes.way_before_scan() {
            if way.strategy == Strategy::FilteredWalk {
                among.filtered(start, way.ef, scratch, cost)?;
                return Ok(self.enough(scratch, Strategy::FilteredWalk));
            }
            among.masked(start, way.ef, scratch, cost)?;
            let found = scratch.pool.kept().len() as f64 / way.ef as f64;
            // Else the farther from the query, the fewer are allowed: the walk must be a wider one.
            if found * FORESEEN_PER_ENOUGH >= sizes.share {
                return Ok(Some(self.found(scratch, Strategy::MaskedWalk)));
            }
            if self.cells().is_some() {
                return self.by_cells(&among, &sizes, sizes.cell_walk(), scratch, cost);
            }
            sizes.share = found.max(LEAST_SHARE).min(sizes.share / FORESEEN_PER_ENOUGH);
        }
        Ok(None)
    }

    /// What a walk finds that begins at the nearest of what the cells near the query have, or a scan of them all.
    fn by_cells<M: Measure>(
        &self,
        among: &Among<M>,
        sizes: &Sizes,
        way: Way,
        scratch: &mut Scratch,
        cost: &mut Cost,
    ) -> Result<Option<Found>> {
        let Some(&AskCells { cells, query, caution, field }) = self.cells() else { return Ok(None) };
        let (measure, cancel) = (among.walk.measure, self.search.cancel);
        let shares = among.allowed.shares(field, &cells, self.links.ordinals, cancel)?;
        let caution = sizes.caution(caution);
        let scan = CellScan { cells, shares: &shares, measure, query, caution, cancel };
        let room = sizes.room_by_cells(way.ef);
        let searched = scan.run(way.ef, room, self.scanned)?;
        cost.measured += searched.measured;
        if let Some(all) = searched.all {
            return Ok((all.len() >= self.k).then_some((all, Strategy::CellScan)));
        }
        among.seeded(&searched.nearest, room, way.ef, scratch, cost)?;
        let is_enough = scratch.pool.kept().len() >= self.k;
        Ok(is_enough.then(|| self.found(scratch, Strategy::CellWalk)))
    }

    /// What a walk left, if it is as many as are wanted.
    fn enough(&self, scratch: &Scratch, strategy: Strategy) -> Option<Found> {
        let is_enough = scratch.pool.kept().len() >= self.wanted.min(self.available);
        is_enough.then(|| self.found(scratch, strategy))
    }

    fn found(&self, scratch: &Scratch, strategy: Strategy) -> Found {
        (scratch.pool.kept().take(self.wanted).collect(), strategy)
    }
}
