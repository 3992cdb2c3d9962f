//! Answers to text queries over the segments of a version.
//!
//! A query is planned once, and what is made of the plan (hits, scores of given documents, their explanations, highlights) shares it.

use fixedbitset::FixedBitSet;

use crate::query::{self, Asked, Cursors, Explanation, Plan, Top, Work, matched, rank};
use crate::{Error, Result, TextIndex, TextQuery, guard};

/// A segment and what of it may be found.
#[derive(Debug, Clone, Copy)]
pub struct SegmentRef<'a> {
    /// The segment's text.
    pub index: &'a TextIndex,
    /// Ordinals that may be found: live and allowed by the filter. None: all. Statistics are those of all documents either way.
    pub allowed: Option<&'a FixedBitSet>,
}

/// A document found.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct TextHit {
    /// Which of the segments searched.
    pub segment: usize,
    /// The document in it.
    pub ordinal: u32,
    /// Its BM25F score (k1 1.2, b 0.75): the sum over distinct words of idf · saturated occurrences, which are counted over all fields,
    /// each as its boost says, as lengths are.
    pub score: f32,
}

/// What a query found.
#[derive(Debug, Clone, PartialEq)]
pub struct TextHits {
    /// The best, best first; equal scores by segment, then ordinal.
    pub hits: Vec<TextHit>,
    /// How many allowed documents match: exact.
    pub total: u64,
    /// What it took: terms looked at, postings and positions read.
    pub work: u64,
}

/// A query as it is carried out on the segments of one version: the terms that it stands for, where they are, and what they weigh.
///
/// Its methods take the very segments that it was made for, in their order; what of them is allowed may differ from call to call.
pub struct TextPlan(pub(crate) Plan);

impl TextPlan {
    /// Plans `query` over `segments`. What is allowed plays no part.
    ///
    /// # Errors
    /// [`Error::Query`] for a field that is not there, not text, or has a boost out of bounds, and for a regular expression or
    /// a beginning that is too much; [`Error::Syntax`] for text in the query language; no words can fail. [`Error::Cancelled`];
    /// [`Error::Corrupt`]; [`Error::OtherSchema`] when the segments are not of one schema.
    pub fn new(segments: &[SegmentRef<'_>], query: &TextQuery, cancel: &dyn Fn() -> bool) -> Result<Self> {
        Ok(Self(Plan::new(segments, query, cancel)?))
    }

    /// The best `limit` documents that match and are allowed. 0 only counts.
    ///
    /// # Errors
    /// [`Error::Refused`] for a query that asks for too much work; [`Error::Cancelled`]; [`Error::Corrupt`].
    pub fn search(&self, segments: &[SegmentRef<'_>], limit: usize, cancel: &dyn Fn() -> bool) -> Result<TextHits> {
        let work = self.0.spent.go_on();
        let (mut top, mut count) = (Top::new(limit), 0);
        for (segment, SegmentRef { index, allowed }) in segments.iter().enumerate() {
            let asked = self.asked(&work, segment, index, cancel);
            let found = || Ok(answer(&asked, *allowed, limit, &mut top)? as u64);
            count += guard::reading(index.path(), "search it", found)?;
        }
        Ok(TextHits { hits: top.into_hits(), total: count, work: work.done() })
    }

    /// For each segment, the allowed documents that match: those that [`TextPlan::search`] counts.
    ///
    /// # Errors
    /// As [`TextPlan::search`].
    pub fn matches(&self, segments: &[SegmentRef<'_>], cancel: &dyn Fn() -> bool) -> Result<Vec<FixedBitSet>> {
        let work = self.0.spent.go_on();
        let one = |(segment, SegmentRef { index, allowed }): (usize, &SegmentRef<'_>)| {
            let asked = self.asked(&work, segment, index, cancel);
            guard::reading(index.path(), "search it", || {
                let mut found = matched(&asked, &self.0.rule)?;
                if let Some(allowed) = allowed {
                    found.intersect_with(allowed);
                }
                Ok(found)
            })
        };
        segments.iter().enumerate().map(one).collect()
    }

    /// The scores of given documents, (segment, ordinal): the very scores that [`TextPlan::search`] gives them. None for one that does not
    /// match. What is allowed plays no part.
    ///
    /// # Errors
    /// As [`TextPlan::search`]; [`Error::Query`] for a document that no segment has.
    pub fn scores(&self, segments: &[SegmentRef<'_>], documents: &[(usize, u32)]) -> Result<Vec<Option<f32>>> {
        documents.iter().try_for_each(|place| known(segments, *place))?;
        let work = self.0.spent.go_on();
        let mut order: Vec<usize> = (0..documents.len()).collect();
        order.sort_unstable_by_key(|at| documents[*at]);
        let mut scores = vec![None; documents.len()];
        for run in order.chunk_by(|a, b| documents[*a].0 == documents[*b].0) {
            let segment = documents[run[0]].0;
            let index = segments[segment].index;
            let asked = self.asked(&work, segment, index, &|| false);
            guard::reading(index.path(), "score documents of it", || {
                let mut only = FixedBitSet::with_capacity(index.len() as usize);
                for at in run {
                    only.insert(documents[*at].1 as usize);
                }
                let mut cursors = Cursors::new(&asked, &only)?;
                for at in run {
                    scores[*at] = cursors.score(documents[*at].1);
                }
                Ok(())
            })?;
        }
        Ok(scores)
    }

    /// Why a document, (segment, ordinal), has its score; none when it does not match. What is allowed plays no part.
    ///
    /// # Errors
    /// As [`TextPlan::scores`].
    pub fn explain(
        &self,
        segments: &[SegmentRef<'_>],
        (segment, ordinal): (usize, u32),
    ) -> Result<Option<Explanation>> {
        known(segments, (segment, ordinal))?;
        let (work, index) = (self.0.spent.go_on(), segments[segment].index);
        let asked = self.asked(&work, segment, index, &|| false);
        guard::reading(index.path(), "explain a score of it", || query::explain(&asked, ordinal))
    }

    pub(crate) fn asked<'a>(
        &'a self,
        work: &'a Work,
        segment: usize,
        index: &'a TextIndex,
        cancel: &'a dyn Fn() -> bool,
    ) -> Asked<'a> {
        Asked { plan: &self.0, work, segment, index, cancel }
    }
}

/// Plans `query` and finds its best `limit` documents.
///
/// # Errors
/// As [`TextPlan::new`] and [`TextPlan::search`].
pub fn search(
    segments: &[SegmentRef<'_>],
    query: &TextQuery,
    limit: usize,
    cancel: &dyn Fn() -> bool,
) -> Result<TextHits> {
    TextPlan::new(segments, query, cancel)?.search(segments, limit, cancel)
}

/// Shows the best of one segment to `top`; returns how many match.
fn answer(
    asked: &Asked<'_>,
    allowed: Option<&FixedBitSet>,
    limit: usize,
    top: &mut Top,
) -> std::result::Result<usize, guard::Stop> {
    if asked.plan.rule.is_plain() {
        if let Some(allowed) = allowed
            && rank::choose(asked, allowed.count_ones(..)) == rank::Way::Visit
        {
            return visit(asked, allowed, top);
        }
        if limit > 0 {
            return rank::add_up(asked, None, allowed, top);
        }
    }
    let mut candidates = matched(asked, &asked.plan.rule)?;
    if let Some(allowed) = allowed {
        candidates.intersect_with(allowed);
    }
    let count = candidates.count_ones(..);
    if limit > 0 && count > 0 {
        match rank::choose(asked, count) {
            rank::Way::Visit => visit(asked, &candidates, top)?,
            rank::Way::AddUp => rank::add_up(asked, Some(&candidates), None, top)?,
        };
    }
    Ok(count)
}

fn visit(asked: &Asked<'_>, candidates: &FixedBitSet, top: &mut Top) -> std::result::Result<usize, guard::Stop> {
    let mut count = 0;
    rank::visit(asked, candidates, |document, score| {
        count += 1;
        top.push(asked.segment, document, score);
    })?;
    Ok(count)
}

/// # Errors
/// [`Error::Query`] for a document that no segment has.
pub(crate) fn known(segments: &[SegmentRef<'_>], (segment, ordinal): (usize, u32)) -> Result<()> {
    match segments.get(segment) {
        Some(known) if ordinal < known.index.len() => Ok(()),
        _ => Err(Error::query("", format!("segment {segment} has no document {ordinal}"))),
    }
}
