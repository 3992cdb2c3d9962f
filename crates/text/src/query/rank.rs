//! Ranks the documents of one segment, in the way that costs least.
//!
//! There are two. *Adding up* reads every posting once and adds each unit's part to its document, which also tells how many match. *Visiting*
//! goes from candidate to candidate and skips in the postings: for few candidates. Both give the same hits with the same scores, because
//! a document's parts are added in the same order, rarest first.
//!
//! Where few documents may be among the best whatever the words that are left add to them ([`Tally::few`]), those words are read to be
//! counted alone: the total is exact, so every posting that can match is looked at anyway.

use fixedbitset::FixedBitSet;

use super::Top;
use super::cursors::Cursors;
use super::tally::Tally;
use super::unit::{Asked, Unit};
use crate::guard::Stop;

/// A way to rank candidates.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Way {
    AddUp,
    Visit,
}

/// How often a walk over candidates looks whether it was cancelled, in documents.
const CANDIDATES_BETWEEN_CHECKS: usize = 4096;

// Nanoseconds, measured: what a posting costs to add up, to read for a few documents only, and to mark; one of those documents to match
// with them; a candidate and term to visit; a document's cell to clear and look at.
pub(crate) const ADD_UP: usize = 5;
pub(super) const READ: usize = 3;
pub(super) const MARK: usize = 1;
pub(super) const MATCH: usize = 6;
pub(super) const VISIT: usize = 20;
const CELL: usize = 1;

/// The way that is thought to cost least for so many candidates.
pub(crate) fn choose(asked: &Asked<'_>, candidates: usize) -> Way {
    let postings: usize = scored(asked).map(|unit| unit.postings(asked.segment)).sum();
    let terms: usize = scored(asked).map(Unit::terms).sum();
    let visit = candidates.saturating_mul(terms).saturating_mul(VISIT);
    let add_up = postings.saturating_mul(ADD_UP).saturating_add((asked.index.len() as usize).saturating_mul(CELL));
    if visit < add_up { Way::Visit } else { Way::AddUp }
}

/// The scored units in their order.
fn scored<'a>(asked: &'a Asked<'_>) -> impl Iterator<Item = &'a Unit> {
    asked.plan.order.iter().map(|unit| &asked.plan.units[*unit])
}

/// Adds up all scores and shows the documents to `top`: the candidates, or where none are named all that have any of the units.
/// Returns how many those are.
pub(crate) fn add_up(
    asked: &Asked<'_>,
    candidates: Option<&FixedBitSet>,
    allowed: Option<&FixedBitSet>,
    top: &mut Top,
) -> Result<usize, Stop> {
    let mut tally = Tally::new(asked);
    loop {
        let few = match candidates {
            None => tally.few(asked, allowed, top.limit(), top.threshold(), ADD_UP - MARK),
            Some(_) => None,
        };
        if let Some(few) = few {
            for (document, score) in tally.narrowed(asked, few, top.limit())?.documents {
                top.push(asked.segment, document, score);
            }
            tally.left(asked).try_for_each(|unit| asked.mark(unit, &mut tally.seen))?;
            return Ok(allowed.map_or(tally.seen.count_ones(..), |allowed| tally.seen.intersection_count(allowed)));
        }
        if !tally.add(asked)? {
            break;
        }
    }
    match (candidates, allowed) {
        // A document may match without having any of the units.
        (Some(candidates), _) => tally.seen.clone_from(candidates),
        (None, Some(allowed)) => tally.seen.intersect_with(allowed),
        (None, None) => {}
    }
    tally.scan(None, top.threshold(), |document, score| {
        top.push(asked.segment, document, score);
        top.threshold()
    });
    Ok(tally.seen.count_ones(..))
}

/// Visits the candidates and hands over those that match, with their scores.
pub(crate) fn visit(asked: &Asked<'_>, candidates: &FixedBitSet, mut each: impl FnMut(u32, f32)) -> Result<(), Stop> {
    let mut cursors = Cursors::new(asked, candidates)?;
    for (number, document) in candidates.ones().enumerate() {
        if number.is_multiple_of(CANDIDATES_BETWEEN_CHECKS) {
            asked.check()?;
        }
        asked.count(1);
        if let Some(score) = cursors.score(document as u32) {
            each(document as u32, score);
        }
    }
    Ok(())
}
