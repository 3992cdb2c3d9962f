//! What a query scores by: a unit is a word, with all the terms that stand for it in all fields, or a phrase.
//!
//! A unit occurs in a document as often as its terms do in all fields together, each occurrence counted as its field's boost says:
//! that sum is saturated once (BM25F, Robertson, Zaragoza and Taylor 2004). Lengths are combined in the same way.

use fixedbitset::FixedBitSet;
use tantivy::postings::TermInfo;
use tantivy::schema::IndexRecordOption;

use super::fields::QueryField;
use super::merge;
use super::phrase::Phrase;
use super::plan::Plan;
use super::work::Work;
use crate::guard::Stop;
use crate::{Error, Result, TextIndex};

/// How often a walk over postings looks whether it was cancelled, in blocks of 128 documents.
pub(super) const BLOCKS_BETWEEN_CHECKS: usize = 256;

/// A term of one field that stands for a word.
#[derive(Debug, Clone)]
pub(crate) struct Source {
    /// Index into the plan's fields.
    pub field: usize,
    pub term: Box<str>,
    /// What one occurrence counts for: less than the field's boost when the term only resembles the word.
    pub factor: f32,
    /// Where its postings are, by segment.
    pub postings: Vec<Option<TermInfo>>,
    /// Documents that have it, over all segments.
    pub frequency: u64,
}

/// What is scored as one.
pub(crate) struct Unit {
    /// As it is told in an explanation.
    pub label: String,
    /// Index into the plan's scopes.
    pub scope: usize,
    pub sources: Vec<Source>,
    pub phrases: Vec<Phrase>,
    /// The rarity: by the documents of its commonest term, or the sum of its words' for a phrase.
    pub idf: f64,
    pub boost: f64,
    /// Whether it adds to scores: what must not be there does not.
    pub scored: bool,
}

impl Unit {
    /// boost · idf · (k1 + 1).
    pub fn weight(&self) -> f32 {
        (self.boost * self.idf * (super::K1 + 1.0)) as f32
    }

    /// About how many documents it occurs in, over all segments: none only when it is in none.
    pub fn frequency(&self) -> u64 {
        self.sources.iter().map(|source| source.frequency).sum::<u64>()
            + self.phrases.iter().map(Phrase::frequency).sum::<u64>()
    }

    /// About how many lists have to be looked into for a document.
    pub fn terms(&self) -> usize {
        self.sources.len().min(16) + self.phrases.len()
    }

    /// About how many postings of a segment it has to read.
    pub fn postings(&self, segment: usize) -> usize {
        let own = self.sources.iter().filter_map(|source| source.postings[segment].as_ref());
        own.map(|info| info.doc_freq as usize).sum::<usize>()
            + self.phrases.iter().map(|phrase| phrase.postings(segment)).sum::<usize>()
    }
}

/// One segment being asked, and what is needed on the way.
pub(crate) struct Asked<'a> {
    pub plan: &'a Plan,
    /// What the query takes so far.
    pub work: &'a Work,
    /// The segment's number.
    pub segment: usize,
    pub index: &'a TextIndex,
    pub cancel: &'a dyn Fn() -> bool,
}

impl Asked<'_> {
    pub fn field(&self, field: usize) -> &QueryField {
        &self.plan.fields[field]
    }

    pub fn count(&self, steps: usize) {
        self.work.count(steps);
    }

    /// Whether to go on: not when cancelled, nor when the query's allowance is spent.
    pub fn check(&self) -> Result<(), Stop> {
        if (self.cancel)() {
            return Err(Error::Cancelled.into());
        }
        Ok(self.work.check()?)
    }

    /// Hands over the postings of a term block by block: documents, and how often each has it where that was asked for.
    pub fn blocks(
        &self,
        field: usize,
        info: &TermInfo,
        detail: IndexRecordOption,
        mut each: impl FnMut(&[u32], &[u32]),
    ) -> Result<(), Stop> {
        let form = self.field(field).of(self.index)?;
        let mut block = form.terms.read_block_postings_from_terminfo(info, detail)?;
        let mut number = 0_usize;
        while block.block_len() > 0 {
            if number.is_multiple_of(BLOCKS_BETWEEN_CHECKS) {
                self.check()?;
            }
            self.count(block.block_len());
            each(block.docs(), block.freqs());
            block.advance();
            number += 1;
        }
        Ok(())
    }

    /// Marks the documents of the segment that have the unit.
    pub fn mark(&self, unit: &Unit, bits: &mut FixedBitSet) -> Result<(), Stop> {
        for source in &unit.sources {
            if let Some(info) = &source.postings[self.segment] {
                self.blocks(source.field, info, IndexRecordOption::Basic, |documents, _| {
                    for document in documents {
                        // Panics, inside the guard, where a damaged block names a document that is not there.
                        bits.insert(*document as usize);
                    }
                })?;
            }
        }
        for phrase in &unit.phrases {
            phrase.each(self, None, &mut |document, _| bits.insert(document as usize))?;
        }
        Ok(())
    }

    /// Hands over every document of the segment that has the unit, some at a time, once, with the sum of its occurrences: at most
    /// [`BATCH`](merge::BATCH) together, and in ascending order where the unit is one term or two.
    ///
    /// `only` may leave out documents, of which nothing is told then.
    pub fn gather(
        &self,
        unit: &Unit,
        only: Option<&FixedBitSet>,
        sums: &mut Sums,
        each: impl FnMut(&[u32], &[f32]),
    ) -> Result<(), Stop> {
        let mut terms =
            unit.sources.iter().filter_map(|own| Some((own.field, own.postings[self.segment].as_ref()?, own.factor)));
        if unit.phrases.is_empty() {
            match (terms.next(), terms.next(), terms.next()) {
                (None, ..) => return Ok(()),
                (Some(term), None, _) => return merge::one(self, term, only, each),
                (Some(first), Some(second), None) => return merge::both(self, [first, second], only, each),
                _ => {}
            }
        }
        sums.reserve(self.index.len() as usize);
        for source in &unit.sources {
            if let Some(info) = &source.postings[self.segment] {
                self.blocks(source.field, info, IndexRecordOption::WithFreqs, |documents, frequencies| {
                    for (document, frequency) in documents.iter().zip(frequencies) {
                        if only.is_none_or(|only| only.contains(*document as usize)) {
                            sums.add(*document, source.factor * *frequency as f32);
                        }
                    }
                })?;
            }
        }
        for phrase in &unit.phrases {
            phrase.each(self, only, &mut |document, count| sums.add(document, phrase.factor * count as f32))?;
        }
        sums.drain(each);
        Ok(())
    }
}

/// Sums by document, made of several lists.
pub(crate) struct Sums {
    amounts: Vec<f32>,
    touched: FixedBitSet,
    order: Vec<u32>,
}

impl Sums {
    /// For a segment of so many documents; takes no room until there is something to add up.
    pub fn new() -> Self {
        Self { amounts: Vec::new(), touched: FixedBitSet::new(), order: Vec::new() }
    }

    /// Makes room for the documents of a segment.
    fn reserve(&mut self, documents: usize) {
        if self.amounts.len() < documents {
            self.amounts.resize(documents, 0.0);
            self.touched.grow(documents);
        }
    }

    #[inline]
    fn add(&mut self, document: u32, amount: f32) {
        if !self.touched.put(document as usize) {
            self.order.push(document);
        }
        self.amounts[document as usize] += amount;
    }

    fn drain(&mut self, mut each: impl FnMut(&[u32], &[f32])) {
        let mut amounts = [0.0; merge::BATCH];
        for documents in self.order.chunks(merge::BATCH) {
            for (document, amount) in documents.iter().zip(&mut amounts) {
                self.touched.remove(*document as usize);
                *amount = std::mem::take(&mut self.amounts[*document as usize]);
            }
            each(documents, &amounts[..documents.len()]);
        }
        self.order.clear();
    }
}
