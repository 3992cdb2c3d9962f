//! The postings of a unit's terms as one list: most words have a term in each of two fields.

use fixedbitset::FixedBitSet;
use tantivy::postings::{BlockSegmentPostings, TermInfo};
use tantivy::schema::IndexRecordOption;

use super::unit::{Asked, BLOCKS_BETWEEN_CHECKS};
use crate::guard::Stop;

/// Documents in a block of postings.
const BLOCK: usize = 128;
/// The most documents that are handed over at once: two blocks have no more.
pub(super) const BATCH: usize = 2 * BLOCK;
/// Where a list is so many times shorter than the other, the other is copied in runs.
const RUN: usize = 6;

/// The postings of a term in one field, and what one occurrence counts for.
pub(super) type Term<'a> = (usize, &'a TermInfo, f32);

/// Hands over the documents of a term in ascending order, with their occurrences; with `only`, those of them that it has.
pub(super) fn one(
    asked: &Asked<'_>,
    term: Term<'_>,
    only: Option<&FixedBitSet>,
    mut each: impl FnMut(&[u32], &[f32]),
) -> Result<(), Stop> {
    let mut list = List::new(asked, term, only)?;
    while list.fill()? {
        let (documents, occurrences) = list.block.left();
        each(documents, occurrences);
        list.block.pass(documents.len());
    }
    Ok(())
}

/// The same of two terms: a document that has both is handed over once, with the sum.
pub(super) fn both(
    asked: &Asked<'_>,
    [first, second]: [Term<'_>; 2],
    only: Option<&FixedBitSet>,
    mut each: impl FnMut(&[u32], &[f32]),
) -> Result<(), Stop> {
    let (mut first, mut second) = (List::new(asked, first, only)?, List::new(asked, second, only)?);
    let mut merged: Block<BATCH> = Block::new();
    loop {
        match (first.fill()?, second.fill()?) {
            (false, false) => return Ok(()),
            (true, false) => merged.take_all(&mut first.block),
            (false, true) => merged.take_all(&mut second.block),
            (true, true) => merged.take_both(&mut first.block, &mut second.block),
        }
        let (documents, occurrences) = merged.left();
        each(documents, occurrences);
        merged.pass(documents.len());
    }
}

/// Documents in ascending order, each with its occurrences.
struct Block<const MOST: usize> {
    documents: [u32; MOST],
    occurrences: [f32; MOST],
    passed: usize,
    end: usize,
}

impl<const MOST: usize> Block<MOST> {
    fn new() -> Self {
        Self { documents: [0; MOST], occurrences: [0.0; MOST], passed: 0, end: 0 }
    }

    fn left(&self) -> (&[u32], &[f32]) {
        (&self.documents[self.passed..self.end], &self.occurrences[self.passed..self.end])
    }

    fn pass(&mut self, count: usize) {
        self.passed += count;
        if self.passed == self.end {
            (self.passed, self.end) = (0, 0);
        }
    }

    #[inline]
    fn push(&mut self, document: u32, occurrences: f32) {
        self.documents[self.end] = document;
        self.occurrences[self.end] = occurrences;
        self.end += 1;
    }

    fn copy(&mut self, documents: &[u32], occurrences: &[f32]) {
        let end = self.end + documents.len();
        self.documents[self.end..end].copy_from_slice(documents);
        self.occurrences[self.end..end].copy_from_slice(occurrences);
        self.end = end;
    }

    fn take_all(&mut self, from: &mut Block<BLOCK>) {
        let (documents, occurrences) = from.left();
        self.copy(documents, occurrences);
        from.pass(documents.len());
    }

    /// Takes from both, until one has nothing left.
    fn take_both(&mut self, one: &mut Block<BLOCK>, other: &mut Block<BLOCK>) {
        let ((a, _), (b, _)) = (one.left(), other.left());
        let before = |list: &[u32], end: u32| list.partition_point(|document| *document <= end);
        let (of_a, of_b) = (before(a, b[b.len() - 1]), before(b, a[a.len() - 1]));
        if of_a * RUN < of_b {
            self.take_runs(one, other);
        } else if of_b * RUN < of_a {
            self.take_runs(other, one);
        } else {
            self.take_mixed(one, other);
        }
    }

    fn take_runs(&mut self, short: &mut Block<BLOCK>, long: &mut Block<BLOCK>) {
        let ((a, of_a), (b, of_b)) = (short.left(), long.left());
        let (mut at, mut bt) = (0, 0);
        while at < a.len() {
            let run = bt + b[bt..].partition_point(|document| *document < a[at]);
            self.copy(&b[bt..run], &of_b[bt..run]);
            bt = run;
            if bt == b.len() {
                break;
            }
            let has_both = b[bt] == a[at];
            self.push(a[at], if has_both { of_a[at] + of_b[bt] } else { of_a[at] });
            at += 1;
            bt += usize::from(has_both);
        }
        short.pass(at);
        long.pass(bt);
    }

    /// Without branches, since which list goes on is as good as random.
    fn take_mixed(&mut self, one: &mut Block<BLOCK>, other: &mut Block<BLOCK>) {
        let ((a, of_a), (b, of_b)) = (one.left(), other.left());
        let (mut at, mut bt) = (0, 0);
        while at < a.len() && bt < b.len() {
            let document = a[at].min(b[bt]);
            let (in_a, in_b) = (a[at] == document, b[bt] == document);
            self.push(document, if in_a { of_a[at] } else { 0.0 } + if in_b { of_b[bt] } else { 0.0 });
            at += usize::from(in_a);
            bt += usize::from(in_b);
        }
        one.pass(at);
        other.pass(bt);
    }
}

/// The postings of a term on the way.
struct List<'a> {
    asked: &'a Asked<'a>,
    postings: BlockSegmentPostings,
    factor: f32,
    only: Option<&'a FixedBitSet>,
    block: Block<BLOCK>,
    /// Blocks read.
    blocks: usize,
}

impl<'a> List<'a> {
    fn new(asked: &'a Asked<'a>, (field, info, factor): Term<'_>, only: Option<&'a FixedBitSet>) -> Result<Self, Stop> {
        let form = asked.field(field).of(asked.index)?;
        let postings = form.terms.read_block_postings_from_terminfo(info, IndexRecordOption::WithFreqs)?;
        Ok(Self { asked, postings, factor, only, block: Block::new(), blocks: 0 })
    }

    /// Reads on where nothing is left of what was read; false when there is no more.
    fn fill(&mut self) -> Result<bool, Stop> {
        while self.block.end == 0 && self.postings.block_len() > 0 {
            if self.blocks.is_multiple_of(BLOCKS_BETWEEN_CHECKS) {
                self.asked.check()?;
            }
            self.asked.count(self.postings.block_len());
            let (documents, frequencies, block) = (self.postings.docs(), self.postings.freqs(), &mut self.block);
            for (document, frequency) in documents.iter().zip(frequencies) {
                block.documents[block.end] = *document;
                block.occurrences[block.end] = self.factor * *frequency as f32;
                block.end += usize::from(self.only.is_none_or(|only| only.contains(*document as usize)));
            }
            self.postings.advance();
            self.blocks += 1;
        }
        Ok(self.block.end > 0)
    }
}
