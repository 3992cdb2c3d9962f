//! Answers to text queries over the segments of a version.

use fixedbitset::FixedBitSet;

use crate::query::{self, Asked, Cursors, Explanation, Plan, Top, matched, rank};
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

/// The best `limit` documents that match `query` and are allowed. 0 only counts.
///
/// # Errors
/// [`Error::Query`] for a field that is not there, not text, or has a boost out of bounds, and for a regular expression or
/// a beginning that is too much; [`Error::Syntax`] for text in the query language; no words can fail. [`Error::Cancelled`]; [`Error::Corrupt`]; [`Error::OtherSchema`] when the segments are not of one schema.
pub fn search(
    segments: &[SegmentRef<'_>],
    query: &TextQuery,
    limit: usize,
    cancel: &dyn Fn() -> bool,
) -> Result<TextHits> {
    let plan = Plan::new(segments, query, cancel)?;
    let (mut top, mut total) = (Top::new(limit), 0);
    for (number, SegmentRef { index, allowed }) in segments.iter().enumerate() {
        let asked = Asked { plan: &plan, segment: number, index, cancel };
        total += guard::reading(index.path(), "search it", || Ok(answer(&asked, *allowed, limit, &mut top)? as u64))?;
    }
    Ok(TextHits { hits: top.into_hits(), total, work: plan.work.done() })
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
            return rank::visit(asked, allowed, top);
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
            rank::Way::Visit => rank::visit(asked, &candidates, top)?,
            rank::Way::AddUp => rank::add_up(asked, Some(&candidates), None, top)?,
        };
    }
    Ok(count)
}

/// For each segment, the allowed documents that match `query`: those that [`search`] counts.
///
/// # Errors
/// As [`search`].
pub fn matches(segments: &[SegmentRef<'_>], query: &TextQuery, cancel: &dyn Fn() -> bool) -> Result<Vec<FixedBitSet>> {
    let plan = Plan::new(segments, query, cancel)?;
    let one = |(number, SegmentRef { index, allowed }): (usize, &SegmentRef<'_>)| {
        let asked = Asked { plan: &plan, segment: number, index, cancel };
        guard::reading(index.path(), "search it", || {
            let mut found = matched(&asked, &plan.rule)?;
            if let Some(allowed) = allowed {
                found.intersect_with(allowed);
            }
            Ok(found)
        })
    };
    segments.iter().enumerate().map(one).collect()
}

/// The scores of given documents, (segment, ordinal): the very scores that [`search`] gives them. None for one that does not match.
/// What is allowed plays no part.
///
/// # Errors
/// As [`search`]; [`Error::Query`] for a document that no segment has.
pub fn scores(segments: &[SegmentRef<'_>], query: &TextQuery, documents: &[(usize, u32)]) -> Result<Vec<Option<f32>>> {
    documents.iter().try_for_each(|place| known(segments, *place))?;
    let plan = Plan::new(segments, query, &|| false)?;
    let mut order: Vec<usize> = (0..documents.len()).collect();
    order.sort_unstable_by_key(|at| documents[*at]);
    let mut scores = vec![None; documents.len()];
    for run in order.chunk_by(|a, b| documents[*a].0 == documents[*b].0) {
        let segment = documents[run[0]].0;
        let index = segments[segment].index;
        let asked = Asked { plan: &plan, segment, index, cancel: &|| false };
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
/// As [`scores`].
pub fn explain(
    segments: &[SegmentRef<'_>],
    query: &TextQuery,
    (segment, ordinal): (usize, u32),
) -> Result<Option<Explanation>> {
    known(segments, (segment, ordinal))?;
    let plan = Plan::new(segments, query, &|| false)?;
    let index = segments[segment].index;
    let asked = Asked { plan: &plan, segment, index, cancel: &|| false };
    guard::reading(index.path(), "explain a score of it", || query::explain(&asked, ordinal))
}

fn known(segments: &[SegmentRef<'_>], (segment, ordinal): (usize, u32)) -> Result<()> {
    match segments.get(segment) {
        Some(known) if ordinal < known.index.len() => Ok(()),
        _ => Err(Error::query("", format!("segment {segment} has no document {ordinal}"))),
    }
}
