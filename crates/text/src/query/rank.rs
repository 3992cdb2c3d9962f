//! Ranks the documents of one segment, in the way that costs least.
//!
//! There are two. *Adding up* reads every posting once and adds each unit's part to its document, which also tells how many match. *Visiting*
//! goes from candidate to candidate and skips in the postings: for few candidates. Both give the same hits with the same scores, because
//! a document's parts are added in the same order, rarest first.
//!
//! Common words have most of the postings and add least. Once all that the words not yet added could bring a document is less than the
//! best have already, those words are looked up for the few that may still be among the best (Turtle and Flood 1995), and else read
//! to be counted alone: the total is exact, so every posting that can match is looked at anyway.

use fixedbitset::FixedBitSet;

use super::Top;
use super::cursors::{Cursors, Reader, lengths, part};
use super::fields::Lengths;
use super::unit::{Asked, Sums, Unit};
use crate::guard::Stop;

/// A way to rank candidates.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Way {
    AddUp,
    Visit,
}

/// Whether what matches is counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Total {
    Exact,
    /// The count is of any documents, but not more than match.
    Unasked,
}

/// How often a walk over candidates looks whether it was cancelled, in documents.
const CANDIDATES_BETWEEN_CHECKS: usize = 4096;

// Nanoseconds, measured: what a posting costs to add up, a candidate and term to visit, a document's cell to clear and look at.
const ADD_UP: usize = 3;
const VISIT: usize = 20;
const CELL: usize = 1;

/// With fewer postings left than this, adding them up is quicker than any thought of how to avoid it.
const WORTH_A_THOUGHT: usize = 4096;
/// What rounding may make of a sum of parts.
const SLACK: f32 = 1e-5;

/// The way that is thought to cost least for so many candidates.
pub(crate) fn choose(asked: &Asked<'_>, candidates: usize) -> Way {
    let postings: usize = scored(asked).map(|unit| unit.postings(asked.segment)).sum();
    let visit = visiting(asked, 0, candidates);
    let add_up = postings.saturating_mul(ADD_UP).saturating_add((asked.index.len() as usize).saturating_mul(CELL));
    if visit < add_up { Way::Visit } else { Way::AddUp }
}

/// The scored units in their order.
fn scored<'a>(asked: &'a Asked<'_>) -> impl Iterator<Item = &'a Unit> {
    asked.plan.order.iter().map(|unit| &asked.plan.units[*unit])
}

/// What visiting so many candidates costs, with the first `done` of the scored units added already.
fn visiting(asked: &Asked<'_>, done: usize, candidates: usize) -> usize {
    let terms: usize = scored(asked).skip(done).map(|unit| unit.sources.len().min(16) + unit.phrases.len()).sum();
    candidates.saturating_mul(terms).saturating_mul(VISIT)
}

/// Adds up all scores and shows the documents to `top`: the candidates, or where none are named all that have any of the units.
/// Returns how many those are, as `total` asks.
pub(crate) fn add_up(
    asked: &Asked<'_>,
    candidates: Option<&FixedBitSet>,
    allowed: Option<&FixedBitSet>,
    total: Total,
    top: &mut Top,
) -> Result<usize, Stop> {
    let documents = asked.index.len() as usize;
    let (mut scores, mut seen) = (vec![0.0_f32; documents], FixedBitSet::with_capacity(documents));
    let (mut sums, lengths) = (Sums::new(), lengths(asked)?);
    for (number, unit) in scored(asked).enumerate() {
        if number > 0
            && candidates.is_none()
            && let Some(few) = contenders(asked, number, &scores, &seen, allowed, top)
        {
            if total == Total::Exact {
                scored(asked).skip(number).try_for_each(|unit| asked.mark(unit, &mut seen))?;
            }
            if let Some(allowed) = allowed {
                seen.intersect_with(allowed);
            }
            add_rest(asked, number, &few, &mut scores, &lengths, &mut sums, top)?;
            return Ok(seen.count_ones(..));
        }
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

/// Those of the documents seen that may still be among the best once the units from `next` on are added, where visiting them costs less
/// than adding those units up; none where it does not, or where a document without any of the units before may be among the best.
fn contenders(
    asked: &Asked<'_>,
    next: usize,
    scores: &[f32],
    seen: &FixedBitSet,
    allowed: Option<&FixedBitSet>,
    top: &Top,
) -> Option<FixedBitSet> {
    let left: usize = scored(asked).skip(next).map(|unit| unit.postings(asked.segment)).sum();
    let may_come = scored(asked).skip(next).map(Unit::weight).sum::<f32>() * (1.0 + SLACK);
    // The thought costs about as much for each document seen as adding up a posting.
    if left < WORTH_A_THOUGHT.max(seen.count_ones(..).saturating_mul(2)) || top.limit() > left / 4 {
        return None;
    }
    let found = || seen.ones().filter(|document| allowed.is_none_or(|allowed| allowed.contains(*document)));
    let mut best: Vec<f32> = found().map(|document| scores[document]).collect();
    let mut needed = top.threshold();
    if top.limit() <= best.len() {
        let (_, last, _) = best.select_nth_unstable_by(top.limit() - 1, |a, b| b.total_cmp(a));
        needed = needed.max(*last);
    }
    needed *= 1.0 - SLACK;
    if may_come >= needed {
        return None;
    }
    let mut few = FixedBitSet::with_capacity(seen.len());
    few.extend(found().filter(|document| scores[*document] + may_come >= needed));
    (visiting(asked, next, few.count_ones(..)) < left.saturating_mul(ADD_UP)).then_some(few)
}

/// Adds the units from `next` on to the scores of a few documents, and shows those to `top`.
fn add_rest(
    asked: &Asked<'_>,
    next: usize,
    few: &FixedBitSet,
    scores: &mut [f32],
    lengths: &[Lengths<'_>],
    sums: &mut Sums,
    top: &mut Top,
) -> Result<(), Stop> {
    for unit in scored(asked).skip(next) {
        asked.check()?;
        let (mut reader, weight) = (Reader::new(asked, unit, few, sums)?, unit.weight());
        for document in few.ones() {
            asked.count(1);
            if let Some(occurrences) = reader.occurrences(document as u32) {
                scores[document] += part(weight, occurrences, lengths[unit.scope].norm(document as u32));
            }
        }
    }
    few.ones().for_each(|document| top.push(asked.segment, document as u32, scores[document]));
    Ok(())
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
