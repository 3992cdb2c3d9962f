//! Tantivy's block-max walk as a sieve, exact although statistics span segments.
//!
//! Each block of postings carries the (length, frequency) of the document that scores best in it *by the average length of its own
//! segment*. Scores here use the average over all segments, by which another document of the block may be best, so Tantivy's bound
//! would be too low. With r = frequency ÷ norm, a score is weight · r ÷ (1 + r); between the two averages r changes at most by the
//! factor c = max(1, average over all ÷ average here), so weight · c · r ÷ (1 + r), by the segment's average, is never below the
//! score. The walk therefore runs with the segment's own average and weights raised by c: what it gives are upper bounds. Each
//! document that it does not rule out gets its true score, and the true scores are what it prunes by.

use fixedbitset::FixedBitSet;
use tantivy::Term;
use tantivy::query::{
    Bm25StatisticsProvider, BooleanWeight, BoostWeight, EnableScoring, Occur, Query, SumCombiner, TermQuery, Weight,
};
use tantivy::schema::{Field, IndexRecordOption};

use super::Top;
use super::plan::{K1, Leaf, Plan};
use super::postings::{Cursors, text};
use crate::guard::Stop;
use crate::{Error, TextIndex};

/// What single precision may lose in a bound, many times over.
const SLACK: f64 = 1.0 + 1e-4;

/// Shows `top` the candidates that can be among the best.
pub(super) fn rank(
    plan: &Plan,
    segment: usize,
    index: &TextIndex,
    candidates: &FixedBitSet,
    top: &mut Top,
    cancel: &dyn Fn() -> bool,
) -> Result<(), Stop> {
    let mut weights = Vec::with_capacity(plan.leaves.len());
    for leaf in plan.leaves.iter().filter(|leaf| leaf.postings[segment].is_some()) {
        weights.push((Occur::Should, bound(plan, leaf, index)?));
    }
    let union = BooleanWeight::with_minimum_number_should_match(weights, 1, true, Box::new(SumCombiner::default));
    let mut cursors = Cursors::new(plan, segment, index)?;
    let mut cancelled = false;
    union.for_each_pruning(top.threshold(), index.reader(), &mut |document, _| {
        cancelled = cancelled || cancel();
        if cancelled {
            // Nothing exceeds this: the walk ends.
            return f32::INFINITY;
        }
        if candidates.contains(document as usize) {
            top.push(segment, document, cursors.score(document) as f32);
        }
        top.threshold()
    })?;
    if cancelled { Err(Error::Cancelled.into()) } else { Ok(()) }
}

/// A weight that bounds what the term adds to a score from above.
fn bound(plan: &Plan, leaf: &Leaf, index: &TextIndex) -> Result<Box<dyn Weight>, Stop> {
    let (terms, _) = text(plan, leaf, index)?;
    let here = SegmentStatistics { documents: u64::from(index.len()), tokens: terms.total_num_tokens() };
    let scoring = EnableScoring::enabled_from_statistics_provider(&here, index.searcher());
    let query = TermQuery::new(leaf.term.clone(), IndexRecordOption::WithFreqs);
    let raised = (plan.fields[leaf.field].average / here.average()).max(1.0);
    let boost = leaf.weight * raised * SLACK / (here.idf() * (K1 + 1.0));
    Ok(Box::new(BoostWeight::new(query.weight(scoring)?, boost as f32)))
}

/// The statistics by which a segment's block maxima were chosen. Rarity is no part of that choice, and our own weight replaces it.
struct SegmentStatistics {
    documents: u64,
    tokens: u64,
}

impl SegmentStatistics {
    fn average(&self) -> f64 {
        self.tokens as f64 / self.documents as f64
    }

    /// The rarity that Tantivy computes for a frequency of 1: never 0.
    fn idf(&self) -> f64 {
        ((self.documents as f64 - 0.5) / 1.5).ln_1p()
    }
}

impl Bm25StatisticsProvider for SegmentStatistics {
    fn total_num_tokens(&self, _: Field) -> tantivy::Result<u64> {
        Ok(self.tokens)
    }

    fn total_num_docs(&self) -> tantivy::Result<u64> {
        Ok(self.documents)
    }

    fn doc_freq(&self, _: &Term) -> tantivy::Result<u64> {
        Ok(1)
    }
}
