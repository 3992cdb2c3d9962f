//! Ranks the documents of one segment, in the way that costs least.
//!
//! There are two. *Adding up* reads every posting once and adds each unit's part to its document, which also tells how many match. *Visiting*
//! goes from candidate to candidate and skips in the postings: for few candidates. Both give the same hits with the same scores, because
//! a document's parts are added in the same order. What matches is counted exactly, so every posting that can match has to be looked
//! at anyway, and passing over documents by the best score of a block would save nothing.

use fixedbitset::FixedBitSet;

use super::Top;
use super::cursors::{Cursors, lengths, part};
use super::unit::{Asked, Sums};
use crate::guard::Stop;

/// A way to rank candidates.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Way {
    AddUp,
    Visit,
}

/// How often a walk over candidates looks whether it was cancelled, in documents.
const CANDIDATES_BETWEEN_CHECKS: usize = 4096;

// Nanoseconds, measured: what a posting costs to add up, a candidate and term to visit, a document's cell to clear and look at.
const ADD_UP: usize = 3;
const VISIT: usize = 20;
const CELL: usize = 1;

/// The way that is thought to cost least for so many candidates.
pub(crate) fn choose(asked: &Asked<'_>, candidates: usize) -> Way {
    let scored = asked.plan.units.iter().filter(|unit| unit.scored);
    let (terms, postings) = scored.fold((0_usize, 0_usize), |(terms, postings), unit| {
        (terms + unit.sources.len().min(16) + unit.phrases.len(), postings + unit.postings(asked.segment))
    });
    let visit = candidates.saturating_mul(terms).saturating_mul(VISIT);
    let add_up = postings.saturating_mul(ADD_UP).saturating_add((asked.index.len() as usize).saturating_mul(CELL));
    if visit < add_up { Way::Visit } else { Way::AddUp }
}

/// Adds up all scores and shows the documents to `top`: the candidates, or where none are named all that have any of the units.
/// Returns how many those are.
pub(crate) fn add_up(
    asked: &Asked<'_>,
    candidates: Option<&FixedBitSet>,
    allowed: Option<&FixedBitSet>,
    top: &mut Top,
) -> Result<usize, Stop> {
    let documents = asked.index.len() as usize;
    let (mut scores, mut seen) = (vec![0.0_f32; documents], FixedBitSet::with_capacity(documents));
    let (mut sums, lengths) = (Sums::new(), lengths(asked)?);
    for unit in asked.plan.units.iter().filter(|unit| unit.scored) {
        if unit.sources.len() + unit.phrases.len() > 1 || !unit.phrases.is_empty() {
            sums.reserve(documents);
        }
        let (weight, lengths) = (unit.weight(), &lengths[unit.scope]);
        asked.gather(unit, None, &mut sums, |document, occurrences| {
            // Panics, inside the guard, where a damaged block names a document that is not there.
            scores[document as usize] += part(weight, occurrences, lengths.norm(document));
            seen.insert(document as usize);
        })?;
    }
    if let Some(allowed) = allowed {
        seen.intersect_with(allowed);
    }
    let mut count = 0;
    for document in candidates.unwrap_or(&seen).ones() {
        count += 1;
        let score = scores[document];
        if score >= top.threshold() {
            top.push(asked.segment, document as u32, score);
        }
    }
    Ok(count)
}

/// Visits the candidates and shows those that match to `top`; returns how many those are.
pub(crate) fn visit(asked: &Asked<'_>, candidates: &FixedBitSet, top: &mut Top) -> Result<usize, Stop> {
    let mut cursors = Cursors::new(asked, candidates)?;
    let mut count = 0;
    for (number, document) in candidates.ones().enumerate() {
        if number.is_multiple_of(CANDIDATES_BETWEEN_CHECKS) {
            asked.check()?;
        }
        asked.count(1);
        if let Some(score) = cursors.score(document as u32) {
            count += 1;
            top.push(asked.segment, document as u32, score);
        }
    }
    Ok(count)
}
