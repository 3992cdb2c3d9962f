//! The units of a plan in one segment, positioned for documents in ascending order.

use fixedbitset::FixedBitSet;
use tantivy::postings::{Postings, SegmentPostings};
use tantivy::schema::IndexRecordOption;
use tantivy::{DocSet, TERMINATED};

use super::fields::Lengths;
use super::unit::{Asked, Sums, Unit};
use crate::guard::Stop;

/// A unit of more terms than this is read whole, once, for the documents that are asked for.
const MOST_CURSORS: usize = 16;

/// Every unit of a plan.
pub(crate) struct Cursors<'a> {
    asked: &'a Asked<'a>,
    units: Vec<Reader>,
    lengths: Vec<Lengths<'a>>,
    /// For each unit, whether the document visited last has it.
    having: Vec<bool>,
    occurrences: Vec<f32>,
}

/// One unit.
pub(super) enum Reader {
    /// The terms' postings, and what an occurrence of each counts for.
    Terms(Vec<(SegmentPostings, f32)>),
    /// Documents and occurrences, read already, and how many were passed.
    List(Vec<(u32, f32)>, usize),
}

impl<'a> Cursors<'a> {
    /// For the documents in `only`.
    pub fn new(asked: &'a Asked<'a>, only: &FixedBitSet) -> Result<Self, Stop> {
        let mut sums = Sums::new();
        let mut units = Vec::with_capacity(asked.plan.units.len());
        for unit in &asked.plan.units {
            units.push(Reader::new(asked, unit, only, &mut sums)?);
        }
        let lengths = asked.plan.scopes.iter().map(|scope| scope.lengths(&asked.plan.fields, asked.index));
        let lengths = lengths.collect::<crate::Result<_>>()?;
        let (having, occurrences) = (vec![false; units.len()], vec![0.0; units.len()]);
        Ok(Self { asked, units, lengths, having, occurrences })
    }

    /// The score of a document, if it matches. It must not be before the last one asked for, and be one of those named.
    pub fn score(&mut self, document: u32) -> Option<f32> {
        for (at, reader) in self.units.iter_mut().enumerate() {
            let occurrences = reader.occurrences(document);
            self.having[at] = occurrences.is_some();
            self.occurrences[at] = occurrences.unwrap_or(0.0);
        }
        if !self.asked.plan.rule.holds(&self.having) {
            return None;
        }
        let mut score = 0.0;
        for &at in &self.asked.plan.order {
            if self.having[at] {
                let unit = &self.asked.plan.units[at];
                score += part(unit.weight(), self.occurrences[at], self.lengths[unit.scope].norm(document));
            }
        }
        Some(score)
    }

    /// Of the document visited last, the occurrences of a unit and its norm.
    pub fn told(&self, unit: usize, document: u32) -> Option<(f32, f32)> {
        let norm = self.lengths[self.asked.plan.units[unit].scope].norm(document);
        self.having[unit].then_some((self.occurrences[unit], norm))
    }
}

/// What a unit adds to a score.
#[inline]
pub(super) fn part(weight: f32, occurrences: f32, norm: f32) -> f32 {
    weight * occurrences / (occurrences + norm)
}

impl Reader {
    /// For the documents in `only`.
    pub fn new(asked: &Asked<'_>, unit: &Unit, only: &FixedBitSet, sums: &mut Sums) -> Result<Self, Stop> {
        if !unit.phrases.is_empty() || unit.sources.len() > MOST_CURSORS {
            return Self::read(asked, unit, only, sums);
        }
        let mut terms = Vec::with_capacity(unit.sources.len());
        for source in &unit.sources {
            if let Some(info) = &source.postings[asked.segment] {
                let form = asked.field(source.field).of(asked.index)?;
                let postings = form.terms.read_postings_from_terminfo(info, IndexRecordOption::WithFreqs)?;
                terms.push((postings, source.factor));
            }
        }
        Ok(Self::Terms(terms))
    }

    /// The same, with all postings read now: for many documents.
    pub fn read(asked: &Asked<'_>, unit: &Unit, only: &FixedBitSet, sums: &mut Sums) -> Result<Self, Stop> {
        let mut list: Vec<(u32, f32)> = Vec::new();
        asked.gather(unit, Some(only), sums, |documents, occurrences| {
            list.extend(documents.iter().copied().zip(occurrences.iter().copied()));
        })?;
        list.sort_unstable_by_key(|(document, _)| *document);
        Ok(Self::List(list, 0))
    }

    /// How often the document has the unit; none when it has not. It must not be before the last one asked for, and be one of those
    /// named.
    pub fn occurrences(&mut self, document: u32) -> Option<f32> {
        match self {
            Self::List(list, passed) => {
                while list.get(*passed).is_some_and(|(other, _)| *other < document) {
                    *passed += 1;
                }
                list.get(*passed).filter(|(other, _)| *other == document).map(|(_, occurrences)| *occurrences)
            }
            Self::Terms(terms) => {
                let (mut sum, mut found) = (0.0, false);
                for (postings, factor) in terms {
                    let mut at = postings.doc();
                    if at < document {
                        at = postings.seek(document);
                    }
                    if at == document && at != TERMINATED {
                        found = true;
                        sum += *factor * postings.term_freq() as f32;
                    }
                }
                found.then_some(sum)
            }
        }
    }
}
