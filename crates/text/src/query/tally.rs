//! What the postings of one segment add up to so far, so that it can be gone on from there.
//!
//! Units are added rarest first. Common words have most of the postings and add least: once all that the words not yet added could bring
//! a document is less than the best have already, they are looked up for the few that may still be among the best (Turtle and Flood 1995),
//! which become fewer with each of them.

use fixedbitset::FixedBitSet;

use super::cursors::{Reader, part};
use super::fields::Lengths;
use super::merge::BATCH;
use super::rank::{MATCH, READ, VISIT};
use super::unit::{Asked, Sums, Unit};
use crate::guard::Stop;

/// With fewer postings left than this, adding them up is quicker than any thought of how to avoid it.
const WORTH_A_THOUGHT: usize = 4096;
/// What rounding may make of a sum of parts.
const SLACK: f32 = 1e-5;
/// Scores that are looked through together, as many as a word of a set has bits.
const CHUNK: usize = usize::BITS as usize;
/// Of fewer than so many it is quicker to look at each.
const SPARSE: u32 = 8;

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
    /// The documents, in ascending order, and what is added up of each.
    pub documents: Vec<(u32, f32)>,
    /// Whatever will score as much as this is one of them.
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
    pub fn left<'a>(&self, asked: &'a Asked<'_>) -> impl Iterator<Item = &'a Unit> + Clone + use<'a> {
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

    /// The documents that may still be among the best `limit`, which score `least` at least, once all units are added, where going on
    /// with them alone costs less than `worth` for each posting of those units; none where it does not, or where a document without any of
    /// the units before may be one.
    pub fn few(
        &self,
        asked: &Asked<'_>,
        allowed: Option<&FixedBitSet>,
        limit: usize,
        least: f32,
        worth: usize,
    ) -> Option<Few> {
        let left: usize = self.left(asked).map(|unit| unit.postings(asked.segment)).sum();
        let may_come = may_come(self.left(asked));
        let most: f32 = asked.plan.order[..self.added].iter().map(|unit| asked.plan.units[*unit].weight()).sum();
        // No score is more than the weights of what is added.
        if left < WORTH_A_THOUGHT || limit > left / 4 || may_come >= least.max(most) {
            return None;
        }
        // The thought costs about as much for each document seen as adding up a posting.
        if left / 2 < self.seen.count_ones(..) {
            return None;
        }
        // Scores that are no more than what may come could not be needed.
        let mut best: Vec<f32> = Vec::new();
        self.scan(allowed, may_come, |_, score| {
            best.push(score);
            may_come
        });
        let floor = least.max(nth(&mut best, limit));
        let bound = floor * (1.0 - SLACK) - may_come;
        if bound <= 0.0 {
            return None;
        }
        let mut documents = Vec::new();
        self.scan(allowed, bound, |document, score| {
            documents.push((document, score));
            bound
        });
        // Each unit leaves out about half of them.
        let halved = self.left(asked).scan(documents.len(), |count, unit| {
            let (_, cost) = cheapest(asked, unit, *count);
            *count /= 2;
            Some(cost)
        });
        (halved.sum::<usize>() < left.saturating_mul(worth)).then_some(Few { documents, floor })
    }

    /// Those of a few that are among the best `limit`, and perhaps some more, with their whole scores.
    pub fn narrowed(&self, asked: &Asked<'_>, few: Few, limit: usize) -> Result<Few, Stop> {
        let Few { mut documents, mut floor } = few;
        let mut only = FixedBitSet::with_capacity(self.seen.len());
        only.extend(documents.iter().map(|(document, _)| *document as usize));
        let (mut units, mut sums, mut scores) = (self.left(asked), Sums::new(), Vec::new());
        while let Some(unit) = units.next() {
            look_up(asked, unit, &only, &mut sums, &mut documents, |score| score)?;
            if documents.len() / 2 > limit {
                scores.clear();
                scores.extend(documents.iter().map(|(_, score)| *score));
                floor = floor.max(nth(&mut scores, limit));
            }
            let bound = floor * (1.0 - SLACK) - may_come(units.clone());
            documents.retain(|(document, score)| {
                let stays = *score >= bound;
                only.set(*document as usize, stays);
                stays
            });
        }
        Ok(Few { documents, floor })
    }

    /// Hands over the documents that have any of the units added, and a score of at least `bound`, which each may then raise.
    pub fn scan(&self, allowed: Option<&FixedBitSet>, mut bound: f32, mut take: impl FnMut(u32, f32) -> f32) {
        for (number, (scores, seen)) in self.scores.chunks(CHUNK).zip(self.seen.as_slice()).enumerate() {
            if *seen == 0 {
                continue;
            }
            let word = |allowed: &FixedBitSet| allowed.as_slice().get(number).copied().unwrap_or_default();
            let mut here = seen & allowed.map_or(usize::MAX, word);
            if here.count_ones() >= SPARSE {
                let reach = |set, (at, score): (usize, &f32)| set | usize::from(*score >= bound) << at;
                here &= scores.iter().enumerate().fold(0, reach);
            }
            while here != 0 {
                let at = here.trailing_zeros() as usize;
                here &= here - 1;
                if scores[at] >= bound {
                    bound = take((number * CHUNK + at) as u32, scores[at]);
                }
            }
        }
    }

    /// The whole scores of given documents, in ascending order, none for those that have no unit.
    pub fn whole(&self, asked: &Asked<'_>, documents: &FixedBitSet) -> Result<Vec<(u32, Option<f32>)>, Stop> {
        let begun = |at: usize| (at as u32, self.seen.contains(at).then(|| self.scores[at]));
        let mut scores: Vec<_> = documents.ones().map(begun).collect();
        let mut sums = Sums::new();
        for unit in self.left(asked) {
            look_up(asked, unit, documents, &mut sums, &mut scores, |score| score.get_or_insert(0.0))?;
        }
        Ok(scores)
    }
}

/// Adds what a unit adds to the scores of some documents, which are in ascending order.
fn look_up<T>(
    asked: &Asked<'_>,
    unit: &Unit,
    only: &FixedBitSet,
    sums: &mut Sums,
    scores: &mut [(u32, T)],
    of: impl Fn(&mut T) -> &mut f32,
) -> Result<(), Stop> {
    asked.check()?;
    asked.count(scores.len());
    let mut reader = match cheapest(asked, unit, scores.len()).0 {
        Reading::Skip => Reader::new(asked, unit, only, sums)?,
        Reading::Whole => Reader::read(asked, unit, only, sums)?,
    };
    let (weight, lengths) = (unit.weight(), scope(asked, unit)?);
    for (document, score) in scores {
        if let Some(occurrences) = reader.occurrences(*document) {
            *of(score) += part(weight, occurrences, lengths.norm(*document));
        }
    }
    Ok(())
}

/// The most that units can add to a score.
fn may_come<'a>(units: impl Iterator<Item = &'a Unit>) -> f32 {
    units.map(Unit::weight).sum::<f32>() * (1.0 + SLACK)
}

/// The `limit`th best of some scores; less than any where there are fewer.
fn nth(scores: &mut [f32], limit: usize) -> f32 {
    if limit > scores.len() {
        return f32::NEG_INFINITY;
    }
    *scores.select_nth_unstable_by(limit - 1, |a, b| b.total_cmp(a)).1
}

/// How a unit's postings are read for a few documents.
enum Reading {
    Skip,
    Whole,
}

/// The way that is thought to cost least for so many documents, and what it costs.
fn cheapest(asked: &Asked<'_>, unit: &Unit, documents: usize) -> (Reading, usize) {
    let skip = documents.saturating_mul(unit.terms()).saturating_mul(VISIT);
    let whole = unit.postings(asked.segment).saturating_mul(READ).saturating_add(documents.saturating_mul(MATCH));
    if skip < whole { (Reading::Skip, skip) } else { (Reading::Whole, whole) }
}

/// The lengths of the documents as a unit takes them.
fn scope<'a>(asked: &Asked<'a>, unit: &Unit) -> Result<Lengths<'a>, Stop> {
    Ok(asked.plan.scopes[unit.scope].lengths(&asked.plan.fields, asked.index)?)
}
