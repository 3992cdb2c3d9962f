//! Which way a search goes, chosen by what each is expected to cost, and what it turned out to cost.

use crate::{cells::Caution, search::LEAST_RERANKED};

/// How the candidates of a search were found.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Strategy {
    /// Every allowed vector was measured.
    Scan,
    /// The graph was walked; all vectors are allowed.
    Walk,
    /// The graph was walked; those that are not allowed were left out of what that led to.
    MaskedWalk,
    /// The graph was walked from one allowed vector to the next, past those that are not.
    FilteredWalk,
    /// The allowed vectors of the cells near the query were measured, and the graph was walked from the nearest of them to others that are
    /// allowed.
    CellWalk,
    /// The cells could not tell which allowed vectors are near: every one was measured, those of the nearest cells first.
    CellScan,
    /// Walks could not tell which allowed vectors are the nearest, because the query is among others, or found too few; so every
    /// allowed vector was measured.
    WalkThenScan,
}

/// Why a search of one segment went the way it did, and what that cost. Counts are of vectors.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct VectorPlan {
    /// What was done.
    pub strategy: Strategy,
    /// How many there are in the segment.
    pub vectors: usize,
    /// How many the filter and the version allow at most.
    pub allowed: usize,
    /// Candidates that the cheapest walk kept, or would have kept.
    pub ef: usize,
    /// What the cheapest walk was expected to cost, as the number of vectors that a scan measures in that time. A scan measures
    /// `allowed`.
    pub walk_estimate: usize,
    /// What was measured, by codes if there are any.
    pub measured: usize,
    /// How many nodes of the graph had their links followed.
    pub hops: usize,
    /// How many were then measured in full, where there are codes.
    pub reranked: usize,
}

/// The candidate-list size of a search for `k` of `vectors` that is given none: (200 + 2.5 k) · (vectors ÷ 340,000)^(1/6), at least 64 and
/// at least 2 k. Measured with m 16 on 340,000 word vectors of 100 dimensions, it finds .97, .96 and .95 of the nearest 1, 10 and 100,
/// and on 118,000 sentence vectors of 384 dimensions .99 of each.
#[must_use]
pub fn default_ef(k: usize, vectors: usize) -> usize {
    let grown = (200.0 + 2.5 * k as f64) * (vectors as f64 / 340_000.0).powf(1.0 / 6.0);
    whole(grown).max(64).max(k.saturating_mul(2))
}

/// What is searched for, where, and in what.
#[derive(Clone, Copy)]
pub(crate) struct Sizes {
    /// At least 1.
    pub(crate) k: usize,
    /// As the caller gave it.
    pub(crate) ef: Option<usize>,
    /// Whether the cells are to be searched whatever that costs.
    pub(crate) by_cells: bool,
    /// Candidates that are to be measured in full.
    pub(crate) wanted: usize,
    /// Whether no vector is left out.
    pub(crate) is_all: bool,
    /// Allowed vectors, at least 1 and at most all.
    pub(crate) available: usize,
    pub(crate) rows: usize,
    /// How many candidates a walk for 10 needed when the graph was made; 0 where that is not known.
    pub(crate) effort: usize,
    /// Which share is allowed where the walk goes.
    pub(crate) share: f64,
    /// Links of a node on level 0.
    pub(crate) slots: usize,
    /// Cache lines of what a distance is taken from.
    pub(crate) lines: usize,
    /// Cells of the graph; 0 where it has none.
    pub(crate) cells: usize,
}

/// One way to walk.
#[derive(Clone, Copy)]
pub(crate) struct Way {
    pub(crate) strategy: Strategy,
    pub(crate) ef: usize,
    /// In nanoseconds on the machine that it was measured on; what matters are ratios.
    pub(crate) cost: f64,
}

/// How many candidates a graph needs beside the default ef is measured with rows for queries. Others may be harder: it counts as this
/// at least.
const LEAST_HARDNESS: f64 = 0.65;
/// A masked walk needs so much of the default ef, for a graph as hard as the default is made for, where half or less is allowed, and all
/// of it where all is: that finds .98 of the nearest 10 on both data sets; …
const MASKED: f64 = 1.03;
/// … and more below this share; …
const FEW: f64 = 0.2;
/// … and so much of it where fewer are allowed around the query than elsewhere.
const MASKED_WHERE_RARE: f64 = 1.2;
/// A filtered walk needs so much of the default ef for as many vectors as are allowed, …
const FILTERED: f64 = 0.87;
/// … where this share is; more below, where allowed nodes lead to fewer others.
const CONNECTED: f64 = 0.1;
/// Vectors near the query are allowed as others are, if their share is at least a quarter of that of all.
pub(crate) const EXPECTED_PER_ENOUGH: f64 = 4.0;
/// Vectors that a walk measures on its way, whatever it keeps, and for each candidate and slot.
const ON_THE_WAY: f64 = 300.0;
const PER_CANDIDATE_AND_SLOT: f64 = 0.5;
/// A search by cells measures so many for the root of those that are allowed, …
const SEEDED: f64 = 16.0;
/// … and walks on from so many of a quarter of the default ef, more where the graph is hard.
const WALKED: f64 = 0.61;
const WALKED_WHERE_HARD: f64 = 0.13;
const WANTED_PER_MORE: f64 = 16.0;
/// Since the walk finds what they miss, they are searched with so much of the caution that they need alone, …
const EASED: f64 = 0.62;
/// … and with more where few nodes are allowed and walks are hard: those lead from few to few others.
const WHERE_RARE: f64 = 0.5;
/// Of what a vector costs a walk, where more are measured at a time.
const IN_LARGER_BATCHES: f64 = 0.85;

impl Sizes {
    /// The cheapest walk.
    pub(crate) fn way(&self) -> Way {
        if self.is_all {
            let ef = self.candidates(self.ef.unwrap_or_else(|| default_ef(self.k, self.rows)), self.rows);
            return Way { strategy: Strategy::Walk, ef, cost: self.walk(ef) };
        }
        let masked = self.masked();
        if self.cells > 0 {
            let by_cells = self.cell_walk();
            return if masked.cost < by_cells.cost && !self.by_cells { masked } else { by_cells };
        }
        // A filtered walk may go another way than where the query is.
        if self.share * EXPECTED_PER_ENOUGH * (self.rows as f64) < self.available as f64 {
            return masked;
        }
        let filtered = self.filtered();
        if masked.cost < filtered.cost { masked } else { filtered }
    }

    /// The cheapest walk, unless measuring all that is allowed is expected to cost no more.
    pub(crate) fn way_before_scan(&self) -> Option<Way> {
        let is_forced = self.by_cells && self.cells > 0;
        Some(self.way()).filter(|way| is_forced || way.cost < self.available as f64 * self.scanned())
    }

    /// What a way costs, as the number of vectors that a scan measures in that time.
    pub(crate) fn in_scanned(&self, way: &Way) -> usize {
        whole(way.cost / self.scanned())
    }

    /// A walk meets the others, too: it is a search for as many more.
    fn masked(&self) -> Way {
        let share = self.share;
        let ef = match self.ef {
            Some(ef) => ef as f64 / share,
            None => self.hardness() * self.masked_part() * default_ef(whole(self.k as f64 / share), self.rows) as f64,
        };
        let ef = self.candidates(whole(ef.max(1.5 * self.k as f64 / share)), self.rows);
        Way { strategy: Strategy::MaskedWalk, ef, cost: self.walk(ef) }
    }

    /// What the graph needs beside the default ef.
    fn hardness(&self) -> f64 {
        let needed = self.effort as f64 / default_ef(10, self.rows) as f64;
        if self.effort == 0 { 1.0 } else { needed.max(LEAST_HARDNESS) }
    }

    /// How much of the default ef a masked walk needs.
    fn masked_part(&self) -> f64 {
        let is_rare_here = self.share * (self.rows as f64) < 0.99 * self.available as f64;
        if is_rare_here {
            return MASKED_WHERE_RARE;
        }
        let few = (FEW / self.share).max(1.0).powf(0.4);
        few * (MASKED + (1.0 - MASKED) * (2.0 * self.share - 1.0).max(0.0))
    }

    fn filtered(&self) -> Way {
        let share = self.share;
        let less_connected = (CONNECTED / share).max(1.0).powf(0.8);
        let ef = self.ef.unwrap_or_else(|| {
            whole(self.hardness() * FILTERED * less_connected * default_ef(self.k, self.available) as f64)
                .max(2 * self.k)
        });
        let ef = self.candidates(ef, self.available);
        Way { strategy: Strategy::FilteredWalk, ef, cost: ON_THE_WAY * self.walked() + ef as f64 * self.hop() }
    }

    /// One hop of a walk from one allowed node to the next.
    fn hop(&self) -> f64 {
        let (slots, share) = (self.slots as f64, self.share);
        // A hop ends when it has met as many allowed nodes as a list has slots.
        let lists = slots * (1.0 - share).min(CONNECTED / share);
        slots.min(slots * slots * share) * self.walked() * IN_LARGER_BATCHES + (1.0 + lists) * self.list()
    }

    /// By the cells, whatever another way would cost.
    pub(crate) fn cell_walk(&self) -> Way {
        let ef = self.ef_by_cells();
        let cells = self.cells as f64 * self.compared();
        let seeds = SEEDED * (self.available as f64).sqrt() * self.scanned();
        Way { strategy: Strategy::CellWalk, ef, cost: cells + seeds + ef as f64 * self.hop() }
    }

    /// How cautious the search of the cells must be from which that walk begins, if one that no walk follows needs this caution.
    pub(crate) fn caution(&self, alone: f64) -> Caution {
        Caution { least: alone * EASED, where_rare: WHERE_RARE * (self.hardness() - LEAST_HARDNESS) }
    }

    fn ef_by_cells(&self) -> usize {
        let ef = self.ef.unwrap_or_else(|| default_ef(self.k, self.rows));
        let base = (ef / 4).max(LEAST_RERANKED).max(2 * self.k);
        // Where codes tell less, more are measured in full, and a walk by codes goes astray more often.
        let base = base as f64 + self.wanted.saturating_sub(base) as f64 / WANTED_PER_MORE;
        whole(base * self.part_by_cells()).max(self.k).min(self.available)
    }

    /// Candidates that the walk by the cells which goes on from `ef` keeps.
    pub(crate) fn room_by_cells(&self, ef: usize) -> usize {
        whole(self.wanted as f64 * self.part_by_cells()).max(ef).min(self.available)
    }

    fn part_by_cells(&self) -> f64 {
        WALKED + WALKED_WHERE_HARD * (self.hardness() - LEAST_HARDNESS)
    }

    fn candidates(&self, ef: usize, available: usize) -> usize {
        ef.max(self.k).max(self.wanted).min(available)
    }

    fn walk(&self, ef: usize) -> f64 {
        let measured = ON_THE_WAY + PER_CANDIDATE_AND_SLOT * ef as f64 * self.slots as f64;
        measured.min(self.rows as f64) * self.walked()
    }

    /// One vector that a walk measures.
    fn walked(&self) -> f64 {
        22.0 + 1.6 * self.lines as f64
    }

    /// One list of links, read out of order; less where a cache holds a good part of all.
    fn list(&self) -> f64 {
        10.0 + 45.0 * (self.rows as f64 * self.slots as f64 / 10e6).min(1.0)
    }

    /// One cell that a query is compared with.
    fn compared(&self) -> f64 {
        8.0 + 1.5 * self.lines as f64
    }

    /// One vector that a scan measures.
    fn scanned(&self) -> f64 {
        11.0 + 2.0 * self.lines as f64
    }
}

#[expect(clippy::cast_sign_loss, reason = "it is a count")]
fn whole(count: f64) -> usize {
    count.ceil() as usize
}
