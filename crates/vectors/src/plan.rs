//! Which way a search goes, chosen by what each is expected to cost, and what it turned out to cost.

/// How the candidates of a search were found.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Strategy {
    /// Every allowed vector was measured.
    Scan,
    /// The graph was walked; what is not allowed was left out of what it led to.
    Walk,
    /// The graph was walked, but led to too few allowed vectors, because those near the query are not among them: so every allowed
    /// vector was measured.
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
    /// Candidates that a walk kept, or would have kept.
    pub ef: usize,
    /// What a walk was expected to cost, as the number of vectors that a scan measures in that time.
    pub walk_estimate: usize,
    /// What was measured, by codes if there are any.
    pub measured: usize,
    /// How many nodes of the graph had their links followed.
    pub hops: usize,
    /// How many were then measured in full, where there are codes.
    pub reranked: usize,
}

/// A walk measures about so many vectors for each candidate that it keeps, for each slot of a list, …
const MEASURED_PER_CANDIDATE_AND_SLOT: f64 = 0.5;
/// … and so many on its way, whatever it keeps.
const MEASURED_ON_THE_WAY: f64 = 300.0;
/// A scan measures so many vectors while a walk measures one.
const SCANNED_PER_WALKED: f64 = 4.0;

/// What a walk that keeps `ef` candidates costs, as the number of vectors that a scan measures in that time, in a graph of `rows`
/// nodes with `slots` links each.
pub(crate) fn walk_estimate(ef: usize, rows: usize, slots: usize) -> usize {
    let measured = MEASURED_ON_THE_WAY + MEASURED_PER_CANDIDATE_AND_SLOT * ef as f64 * slots as f64;
    let bounded = measured.min(rows as f64);
    #[expect(clippy::cast_sign_loss, reason = "it is a count")]
    let estimate = (bounded * SCANNED_PER_WALKED) as usize;
    estimate
}
