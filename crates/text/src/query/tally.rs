//! What the postings of one segment add up to so far, so that it can be gone on from there.
//!
//! Units are added rarest first. Common words have most of the postings and add least: once all that the words not yet added could bring
//! a document is less than the best have already, they are looked up for the few that may still be among the best (Turtle and Flood 1995).

use fixedbitset::FixedBitSet;

use super::cursors::{Reader, part};
use super::fields::Lengths;
use super::merge::BATCH;
use super::rank::{READ, VISIT};
use super::unit::{Asked, Sums, Unit};
use crate::guard::Stop;

/// With fewer postings left than this, adding them up is quicker than any thought of how to avoid it.
const WORTH_A_THOUGHT: usize = 4096;
/// What rounding may make of a sum of parts.
const SLACK: f32 = 1e-5;

/// The scores of a segment's documents, as far as they are added up.
pub(crate) struct Tally {
    /// What is added up of each document.
    pub scores: Vec<f32>,
    /// The documents that have any of the units that are added.
    pub seen: FixedBitSet,
    sums: Sums,
    /// How many of the scored units are added.
    added: usize,
}

/// Documents of which alone one may still be among the best.
pub(crate) struct Few {
    /// The documents.
    pub documents: FixedBitSet,
    /// Whatever scores as much as this is one of them.
    pub floor: f32,
}

impl Tally {
    /// Of nothing yet.
    pub fn new(asked: &Asked<'_>) -> Self {
        let documents = asked.index.len() as usize;
        let (scores, seen) = (vec![0.0; documents], FixedBitSet::with_capacity(documents));
        Self { scores, seen, sums: Sums::new(), added: 0 }
    }

    /// The units not added yet.
    pub fn left<'a>(&self, asked: &'a Asked<'_>) -> impl Iterator<Item = &'a Unit> + use<'a> {
        asked.plan.order[self.added..].iter().map(|unit| &asked.plan.units[*unit])
    }

    /// Adds the next unit to every document that has it; false when there is none.
    pub fn add(&mut self, asked: &Asked<'_>) -> Result<bool, Stop> {
        let Some(unit) = self.left(asked).next() else { return Ok(false) };
        self.added += 1;
        let (weight, lengths) = (unit.weight(), scope(asked, unit)?);
        let Self { scores, seen, sums, .. } = self;
        let mut parts = [0.0; BATCH];
        asked.gather(unit, None, sums, |documents, occurrences| {
            // Panics, inside the guard, where a damaged block names a document that is not there.
            let parts = &mut parts[..documents.len()];
            lengths.norms(documents, parts);
            for (part, occurrences) in parts.iter_mut().zip(occurrences) {
                *part = self::part(weight, *occurrences, *part);
            }
            for (document, part) in documents.iter().zip(parts) {
                scores[*document as usize] += *part;
                seen.insert(*document as usize);
            }
        })?;
        Ok(true)
    }

    /// The documents that may still be among the best `limit`, which score `least` at least, once all units are added, where visiting
    /// them costs less than `worth` for each posting of those units; none where it does not, or where a document without any of the units before may be
    /// one.
    pub fn few(
        &self,
        asked: &Asked<'_>,
        allowed: Option<&FixedBitSet>,
        limit: usize,
        least: f32,
        worth: usize,
    ) -> Option<Few> {
        if self.added == 0 {
            return None;
        }
        let left: usize = self.left(asked).map(|unit| unit.postings(asked.segment)).sum();
        let may_come = self.left(asked).map(Unit::weight).sum::<f32>() * (1.0 + SLACK);
        // The thought costs about as much for each document seen as adding up a posting.
        if left < WORTH_A_THOUGHT.max(self.seen.count_ones(..).saturating_mul(2)) || limit > left / 4 {
            return None;
        }
        let found = || self.seen.ones().filter(|document| allowed.is_none_or(|allowed| allowed.contains(*document)));
        // Scores that are no more than what may come could not be needed.
        let enough = |score: &f32| *score * (1.0 - SLACK) > may_come;
        let mut best: Vec<f32> = found().map(|document| self.scores[document]).filter(enough).collect();
        let mut floor = least;
        if limit <= best.len() {
            let (_, nth, _) = best.select_nth_unstable_by(limit - 1, |a, b| b.total_cmp(a));
            floor = floor.max(*nth);
        }
        let needed = floor * (1.0 - SLACK);
        if may_come >= needed {
            return None;
        }
        let mut documents = FixedBitSet::with_capacity(self.seen.len());
        documents.extend(found().filter(|document| self.scores[*document] + may_come >= needed));
        let count = documents.count_ones(..);
        let cost: usize = self.left(asked).map(|unit| cheapest(asked, unit, count).1).sum();
        (cost < left.saturating_mul(worth)).then_some(Few { documents, floor })
    }

    /// The whole scores of given documents, in ascending order, none for those that have no unit.
    pub fn whole(&self, asked: &Asked<'_>, documents: &FixedBitSet) -> Result<Vec<(u32, Option<f32>)>, Stop> {
        let begun = |at: usize| (at as u32, self.seen.contains(at).then(|| self.scores[at]));
        let mut scores: Vec<_> = documents.ones().map(begun).collect();
        let mut sums = Sums::new();
        for unit in self.left(asked) {
            asked.check()?;
            asked.count(scores.len());
            let mut reader = match cheapest(asked, unit, scores.len()).0 {
                Reading::Skip => Reader::new(asked, unit, documents, &mut sums)?,
                Reading::Whole => Reader::read(asked, unit, documents, &mut sums)?,
            };
            let (weight, lengths) = (unit.weight(), scope(asked, unit)?);
            for (document, score) in &mut scores {
                if let Some(occurrences) = reader.occurrences(*document) {
                    *score.get_or_insert(0.0) += part(weight, occurrences, lengths.norm(*document));
                }
            }
        }
        Ok(scores)
    }
}

/// How a unit's postings are read for a few documents.
enum Reading {
    Skip,
    Whole,
}

/// The way that is thought to cost least for so many documents, and what it costs.
fn cheapest(asked: &Asked<'_>, unit: &Unit, documents: usize) -> (Reading, usize) {
    let skip = documents.saturating_mul(unit.terms()).saturating_mul(VISIT);
    let whole = unit.postings(asked.segment).saturating_mul(READ);
    if skip < whole { (Reading::Skip, skip) } else { (Reading::Whole, whole) }
}

/// The lengths of the documents as a unit takes them.
fn scope<'a>(asked: &Asked<'a>, unit: &Unit) -> Result<Lengths<'a>, Stop> {
    Ok(asked.plan.scopes[unit.scope].lengths(&asked.plan.fields, asked.index)?)
}
