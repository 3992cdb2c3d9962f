//! Ranks the candidates of one segment, in the way that costs least.
//!
//! There are three. *Adding up* reads every posting once and adds each term's part to its document: it costs what the postings cost.
//! *Visiting* goes from candidate to candidate and skips in the postings: for few candidates. *Pruning* lets Tantivy's block-max walk
//! pass over documents that cannot reach the hits so far: for long postings, few terms and few hits. All three give the same
//! hits with the same scores.

use fixedbitset::FixedBitSet;
use tantivy::schema::IndexRecordOption;

use super::plan::Plan;
use super::postings::{Cursors, blocks, text};
use super::{Top, pruned};
use crate::guard::Stop;
use crate::{Error, TextIndex};

/// A way to rank candidates.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Way {
    AddUp,
    Visit,
    Prune,
}

/// How often a walk over candidates looks whether it was cancelled, in documents.
const CANDIDATES_BETWEEN_CHECKS: usize = 4096;

// Nanoseconds, measured: what a posting costs to add up, a candidate and term to visit, a document's cell to clear and look at.
const ADD_UP: usize = 3;
const VISIT: usize = 20;
const CELL: usize = 1;
/// Pruning has to set up a walk; it is not tried where another way takes no longer than this.
const WORTH_PRUNING: usize = 100_000;
/// With more terms than this, the walk spends its time on keeping them in order.
const MOST_TERMS_TO_PRUNE: usize = 12;

/// The way that is thought to cost least.
pub(crate) fn choose(
    plan: &Plan,
    segment: usize,
    documents: usize,
    candidates: usize,
    matching: usize,
    limit: usize,
) -> Way {
    let lists = plan.leaves.iter().filter_map(|leaf| leaf.postings[segment].as_ref());
    let (terms, postings) = lists.fold((0_usize, 0_usize), |(n, sum), info| (n + 1, sum + info.doc_freq as usize));
    let visit = candidates.saturating_mul(terms).saturating_mul(VISIT);
    let add_up = postings.saturating_mul(ADD_UP).saturating_add(documents.saturating_mul(CELL));
    let (way, cost) = if visit < add_up { (Way::Visit, visit) } else { (Way::AddUp, add_up) };
    // Pruning lives on a threshold that rises soon: on many candidates for few places, and few walks into documents not allowed.
    let promising =
        terms <= MOST_TERMS_TO_PRUNE && limit.saturating_mul(16) <= candidates && candidates >= matching / 4;
    if cost > WORTH_PRUNING && promising { Way::Prune } else { way }
}

/// Shows every candidate that may be among the best to `top`. The candidates match the plan.
pub(crate) fn rank(
    plan: &Plan,
    segment: usize,
    index: &TextIndex,
    candidates: &FixedBitSet,
    way: Way,
    top: &mut Top,
    cancel: &dyn Fn() -> bool,
) -> Result<(), Stop> {
    match way {
        Way::AddUp => add_up(plan, segment, index, candidates, top, cancel),
        Way::Visit => visit(plan, segment, index, candidates, top, cancel),
        Way::Prune => pruned::rank(plan, segment, index, candidates, top, cancel),
    }
}

fn add_up(
    plan: &Plan,
    segment: usize,
    index: &TextIndex,
    candidates: &FixedBitSet,
    top: &mut Top,
    cancel: &dyn Fn() -> bool,
) -> Result<(), Stop> {
    let mut scores = vec![0.0_f64; index.len() as usize];
    for leaf in &plan.leaves {
        let (_, lengths) = text(plan, leaf, index)?;
        blocks(plan, leaf, segment, index, IndexRecordOption::WithFreqs, cancel, |documents, frequencies| {
            for (document, frequency) in documents.iter().zip(frequencies) {
                scores[*document as usize] += plan.part(leaf, lengths.fieldnorm_id(*document), *frequency);
            }
        })?;
    }
    for document in candidates.ones() {
        top.push(segment, document as u32, scores[document] as f32);
    }
    Ok(())
}

fn visit(
    plan: &Plan,
    segment: usize,
    index: &TextIndex,
    candidates: &FixedBitSet,
    top: &mut Top,
    cancel: &dyn Fn() -> bool,
) -> Result<(), Stop> {
    let mut cursors = Cursors::new(plan, segment, index)?;
    for (number, document) in candidates.ones().enumerate() {
        if number.is_multiple_of(CANDIDATES_BETWEEN_CHECKS) && cancel() {
            return Err(Error::Cancelled.into());
        }
        top.push(segment, document as u32, cursors.score(document as u32) as f32);
    }
    Ok(())
}
