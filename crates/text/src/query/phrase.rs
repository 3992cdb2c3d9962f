//! Phrases: terms at their places, or nearly.
//!
//! Move the position of each term back by its place in the phrase: where the phrase stands word for word, all are then equal. A document
//! has the phrase with slop s where one position of each term can be chosen, no position twice for the same term, so that they
//! differ by at most s. It occurs as often as there are different least positions of such choices.

use std::collections::HashMap;

use fixedbitset::FixedBitSet;
use tantivy::postings::{Postings, SegmentPostings, TermInfo};
use tantivy::schema::IndexRecordOption;
use tantivy::{DocSet, TERMINATED};

use super::unit::Asked;
use crate::guard::Stop;

/// How often a walk over documents looks whether it was cancelled.
const DOCUMENTS_BETWEEN_CHECKS: usize = 1024;

/// A term and its place.
#[derive(Debug, Clone)]
pub(crate) struct Word {
    pub place: u32,
    pub term: Box<str>,
    /// Where its postings are, by segment.
    pub postings: Vec<Option<TermInfo>>,
    /// Documents that have it, over all segments.
    pub frequency: u64,
}

/// A phrase in one field.
#[derive(Debug, Clone)]
pub(crate) struct Phrase {
    /// Index into the plan's fields.
    pub field: usize,
    /// At least one, by ascending place.
    pub words: Vec<Word>,
    pub slop: u32,
    /// What one occurrence counts for.
    pub factor: f32,
}

impl Phrase {
    /// At most so many documents have it, over all segments.
    pub fn frequency(&self) -> u64 {
        self.words.iter().map(|word| word.frequency).min().unwrap_or(0)
    }

    /// About how many postings of a segment are read.
    pub fn postings(&self, segment: usize) -> usize {
        self.words.iter().map(|word| word.postings[segment].as_ref().map_or(0, |info| info.doc_freq as usize)).sum()
    }

    /// Hands over every document that has the phrase, in their order, and how often; of those in `only` where that is given.
    pub fn each(
        &self,
        asked: &Asked<'_>,
        only: Option<&FixedBitSet>,
        each: &mut dyn FnMut(u32, usize),
    ) -> Result<(), Stop> {
        let Some(mut walk) = Walk::new(self, asked)? else { return Ok(()) };
        let mut document = walk.next(0);
        let mut seen = 0_usize;
        while document != TERMINATED {
            if seen.is_multiple_of(DOCUMENTS_BETWEEN_CHECKS) {
                asked.check()?;
            }
            seen += 1;
            if only.is_none_or(|only| only.contains(document as usize)) {
                let count = walk.occurrences(self, asked)?;
                if count > 0 {
                    each(document, count);
                }
            }
            document = walk.next(document + 1);
        }
        Ok(())
    }
}

/// The different terms of a phrase, positioned in one segment.
struct Walk {
    terms: Vec<SegmentPostings>,
    /// For each word of the phrase, its term.
    word_terms: Vec<usize>,
    /// By documents that have the term, the rarest first.
    order: Vec<usize>,
    positions: Vec<Vec<u32>>,
}

impl Walk {
    /// None when the segment lacks one of the terms.
    fn new(phrase: &Phrase, asked: &Asked<'_>) -> Result<Option<Self>, Stop> {
        let form = asked.field(phrase.field).of(asked.index)?;
        let mut names: HashMap<&str, usize> = HashMap::new();
        let (mut terms, mut word_terms): (Vec<(u32, SegmentPostings)>, Vec<usize>) = Default::default();
        for word in &phrase.words {
            if let Some(known) = names.get(&*word.term) {
                word_terms.push(*known);
                continue;
            }
            let Some(info) = &word.postings[asked.segment] else { return Ok(None) };
            let postings = form.terms.read_postings_from_terminfo(info, IndexRecordOption::WithFreqsAndPositions)?;
            word_terms.push(terms.len());
            names.insert(&word.term, names.len());
            terms.push((info.doc_freq, postings));
        }
        let mut order: Vec<usize> = (0..terms.len()).collect();
        order.sort_by_key(|at| terms[*at].0);
        let positions = vec![Vec::new(); terms.len()];
        Ok(Some(Self {
            terms: terms.into_iter().map(|(_, postings)| postings).collect(),
            word_terms,
            order,
            positions,
        }))
    }

    /// The first document from `from` on that has all terms; [`TERMINATED`] when there is none.
    fn next(&mut self, from: u32) -> u32 {
        let mut target = from;
        'again: loop {
            for at in &self.order {
                let postings = &mut self.terms[*at];
                let mut document = postings.doc();
                if document < target {
                    document = postings.seek(target);
                }
                if document == TERMINATED {
                    return TERMINATED;
                }
                if document > target {
                    target = document;
                    continue 'again;
                }
            }
            return target;
        }
    }

    /// How often the document at which all terms stand has the phrase.
    fn occurrences(&mut self, phrase: &Phrase, asked: &Asked<'_>) -> Result<usize, Stop> {
        for (postings, positions) in self.terms.iter_mut().zip(&mut self.positions) {
            positions.clear();
            postings.positions(positions);
            asked.count(positions.len());
        }
        if phrase.slop > 0 {
            // Each position may begin a choice, which is tried with each word in turn, looking at every word and what it took before.
            let starts: usize = self.word_terms.iter().map(|at| self.positions[*at].len()).sum();
            let words = self.word_terms.len();
            asked.count(starts.saturating_mul(words * words));
            asked.check()?;
        }
        let words: Vec<(u32, &[u32])> =
            phrase.words.iter().zip(&self.word_terms).map(|(word, at)| (word.place, &*self.positions[*at])).collect();
        Ok(occurrences(&words, &self.word_terms, phrase.slop))
    }
}

/// How often words at these places, each with the positions of its term, are a phrase. `terms` tells words of one term by equal numbers.
pub(super) fn occurrences(words: &[(u32, &[u32])], terms: &[usize], slop: u32) -> usize {
    starts(words, terms, slop).count()
}

/// The positions at which words are a phrase, each moved back by its word's place. See [`occurrences`].
pub(crate) fn starts(words: &[(u32, &[u32])], terms: &[usize], slop: u32) -> impl Iterator<Item = i64> {
    let moved = |place: u32, position: u32| i64::from(position) - i64::from(place);
    let mut starts: Vec<i64> = match words {
        // Word for word, the rarest word's positions are all there can be.
        _ if slop == 0 => {
            let rarest = words.iter().min_by_key(|(_, positions)| positions.len());
            rarest.map_or_else(Vec::new, |(place, positions)| positions.iter().map(|p| moved(*place, *p)).collect())
        }
        _ => words.iter().flat_map(|(place, positions)| positions.iter().map(|p| moved(*place, *p))).collect(),
    };
    starts.sort_unstable();
    starts.dedup();
    starts.into_iter().filter(move |start| begins(words, terms, *start, i64::from(slop)))
}

/// Whether positions can be chosen of which `start` is the least, moved, and none is more than `slop` above it.
fn begins(words: &[(u32, &[u32])], terms: &[usize], start: i64, slop: i64) -> bool {
    // Words of one term take their positions in the order of their places, each the first that is left: since the ranges allowed
    // begin and end in the same order, that finds a choice whenever there is one.
    let choose = |fixed: Option<usize>| {
        let mut taken: Vec<(usize, u32)> = Vec::with_capacity(words.len());
        if let Some(word) = fixed {
            let position = start + i64::from(words[word].0);
            let Ok(position) = u32::try_from(position) else { return false };
            if words[word].1.binary_search(&position).is_err() {
                return false;
            }
            taken.push((terms[word], position));
        }
        words.iter().enumerate().all(|(word, (place, positions))| {
            if fixed == Some(word) {
                return true;
            }
            let least = start + i64::from(*place);
            let from = positions.partition_point(|position| i64::from(*position) < least);
            let free = positions[from..]
                .iter()
                .take_while(|position| i64::from(**position) <= least + slop)
                .find(|position| !taken.contains(&(terms[word], **position)));
            free.is_some_and(|position| {
                taken.push((terms[word], *position));
                true
            })
        })
    };
    if slop == 0 { choose(None) } else { (0..words.len()).any(|word| choose(Some(word))) }
}
