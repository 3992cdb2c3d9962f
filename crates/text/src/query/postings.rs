//! Reading the postings of a plan's terms in one segment.

use fixedbitset::FixedBitSet;
use tantivy::fieldnorm::FieldNormReader;
use tantivy::index::InvertedIndexReader;
use tantivy::postings::{Postings, SegmentPostings};
use tantivy::schema::IndexRecordOption;
use tantivy::{DocSet, TERMINATED};

use super::plan::{Leaf, Plan};
use crate::guard::Stop;
use crate::index::FieldData;
use crate::{Error, TextIndex};

/// How often a walk over postings looks whether it was cancelled, in blocks of 128 documents.
const BLOCKS_BETWEEN_CHECKS: usize = 256;

/// Every document of the segment that matches the plan; `segment` is the segment's number in it.
pub(crate) fn matched(
    plan: &Plan,
    segment: usize,
    index: &TextIndex,
    cancel: &dyn Fn() -> bool,
) -> Result<FixedBitSet, Stop> {
    let nothing = || FixedBitSet::with_capacity(index.len() as usize);
    let mark = |bits: &mut FixedBitSet, leaf: usize| {
        blocks(plan, &plan.leaves[leaf], segment, index, IndexRecordOption::Basic, cancel, |documents, _| {
            for document in documents {
                // Panics, inside the guard, where a damaged block names a document that is not there.
                bits.insert(*document as usize);
            }
        })
    };
    let mut bits = nothing();
    if !plan.all {
        (0..plan.leaves.len()).try_for_each(|leaf| mark(&mut bits, leaf))?;
        return Ok(bits);
    }
    for (at, word) in plan.words.iter().enumerate() {
        let mut having = nothing();
        word.iter().try_for_each(|leaf| mark(&mut having, *leaf))?;
        if at == 0 {
            bits = having;
        } else {
            bits.intersect_with(&having);
        }
        if bits.is_clear() {
            break;
        }
    }
    Ok(bits)
}

/// Hands over the postings of a term block by block: documents, and how often each has the term where that was asked for.
pub(super) fn blocks(
    plan: &Plan,
    leaf: &Leaf,
    segment: usize,
    index: &TextIndex,
    detail: IndexRecordOption,
    cancel: &dyn Fn() -> bool,
    mut each: impl FnMut(&[u32], &[u32]),
) -> Result<(), Stop> {
    let Some(info) = &leaf.postings[segment] else { return Ok(()) };
    let (terms, _) = text(plan, leaf, index)?;
    let mut block = terms.read_block_postings_from_terminfo(info, detail)?;
    let mut number = 0_usize;
    while block.block_len() > 0 {
        if number.is_multiple_of(BLOCKS_BETWEEN_CHECKS) && cancel() {
            return Err(Error::Cancelled.into());
        }
        each(block.docs(), block.freqs());
        block.advance();
        number += 1;
    }
    Ok(())
}

/// The terms and the lengths of a leaf's field.
pub(super) fn text<'a>(
    plan: &Plan,
    leaf: &Leaf,
    index: &'a TextIndex,
) -> Result<(&'a InvertedIndexReader, &'a FieldNormReader), Stop> {
    match &index.fields()[plan.fields[leaf.field].number].data {
        FieldData::Text { terms, lengths, .. } => Ok((terms, lengths)),
        _ => Err(Stop::Theirs("a field that is not text has no postings to rank by".to_owned())),
    }
}

/// A plan's terms in one segment, positioned for documents in ascending order.
pub(crate) struct Cursors<'a> {
    plan: &'a Plan,
    terms: Vec<Cursor<'a>>,
    /// For each leaf, whether the document visited last has it.
    having: Vec<bool>,
}

struct Cursor<'a> {
    leaf: usize,
    postings: SegmentPostings,
    lengths: &'a FieldNormReader,
}

impl<'a> Cursors<'a> {
    pub fn new(plan: &'a Plan, segment: usize, index: &'a TextIndex) -> Result<Self, Stop> {
        let mut cursors = Vec::with_capacity(plan.leaves.len());
        for (number, leaf) in plan.leaves.iter().enumerate() {
            if let Some(info) = &leaf.postings[segment] {
                let (terms, lengths) = text(plan, leaf, index)?;
                let postings = terms.read_postings_from_terminfo(info, IndexRecordOption::WithFreqs)?;
                cursors.push(Cursor { leaf: number, postings, lengths });
            }
        }
        Ok(Self { plan, terms: cursors, having: vec![false; plan.leaves.len()] })
    }

    /// The score of a document, which must not be before the last one asked for; 0 when it has none of the terms.
    pub fn score(&mut self, document: u32) -> f64 {
        let mut score = 0.0;
        for cursor in &mut self.terms {
            let mut at = cursor.postings.doc();
            if at < document {
                at = cursor.postings.seek(document);
            }
            self.having[cursor.leaf] = at == document && at != TERMINATED;
            if self.having[cursor.leaf] {
                let length = cursor.lengths.fieldnorm_id(document);
                score += self.plan.part(&self.plan.leaves[cursor.leaf], length, cursor.postings.term_freq());
            }
        }
        score
    }

    /// The score of a document if it matches the plan.
    pub fn score_if_matched(&mut self, document: u32) -> Option<f64> {
        let score = self.score(document);
        let has = |word: &Vec<usize>| word.iter().any(|leaf| self.having[*leaf]);
        let matches = if self.plan.all {
            !self.plan.words.is_empty() && self.plan.words.iter().all(has)
        } else {
            self.plan.words.iter().any(has)
        };
        matches.then_some(score)
    }
}
