//! Answers to text queries over the segments of a version.

use fixedbitset::FixedBitSet;

use crate::query::{Cursors, Plan, Top, matched, rank};
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
    /// Its BM25 score (k1 1.2, b 0.75): the sum over fields and distinct terms of boost · idf · saturated frequency.
    pub score: f32,
}

/// What a query found.
#[derive(Debug, Clone, PartialEq)]
pub struct TextHits {
    /// The best, best first; equal scores by segment, then ordinal.
    pub hits: Vec<TextHit>,
    /// How many allowed documents match: exact.
    pub total: u64,
}

/// The best `limit` documents that match `query` and are allowed. 0 only counts.
///
/// # Errors
/// [`Error::Query`] for a field that is not there, not text, or has a boost out of bounds; no words can fail.
/// [`Error::Cancelled`]; [`Error::Corrupt`]; [`Error::OtherSchema`] when the segments are not of one schema.
pub fn search(
    segments: &[SegmentRef<'_>],
    query: &TextQuery,
    limit: usize,
    cancel: &dyn Fn() -> bool,
) -> Result<TextHits> {
    let plan = Plan::new(segments, query, cancel)?;
    let mut top = Top::new(limit);
    let mut total = 0;
    for (number, segment) in segments.iter().enumerate() {
        total += guard::reading(segment.index.path(), "search it", || {
            let mut candidates = matched(&plan, number, segment.index, cancel)?;
            let matching = candidates.count_ones(..);
            let mut count = matching;
            if let Some(allowed) = segment.allowed {
                candidates.intersect_with(allowed);
                count = candidates.count_ones(..);
            }
            if limit > 0 && count > 0 {
                let way = rank::choose(&plan, number, segment.index.len() as usize, count, matching, limit);
                rank::rank(&plan, number, segment.index, &candidates, way, &mut top, cancel)?;
            }
            Ok(count as u64)
        })?;
    }
    Ok(TextHits { hits: top.into_hits(), total })
}

/// For each segment, the allowed documents that match `query`: those that [`search`] counts.
///
/// # Errors
/// As [`search`].
pub fn matches(segments: &[SegmentRef<'_>], query: &TextQuery, cancel: &dyn Fn() -> bool) -> Result<Vec<FixedBitSet>> {
    let plan = Plan::new(segments, query, cancel)?;
    let one = |(number, segment): (usize, &SegmentRef<'_>)| {
        guard::reading(segment.index.path(), "search it", || {
            let mut found = matched(&plan, number, segment.index, cancel)?;
            if let Some(allowed) = segment.allowed {
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
    let known = |(segment, ordinal): &(usize, u32)| segments.get(*segment).is_some_and(|s| *ordinal < s.index.len());
    if let Some((segment, ordinal)) = documents.iter().find(|place| !known(place)) {
        return Err(Error::query("", format!("segment {segment} has no document {ordinal}")));
    }
    let plan = Plan::new(segments, query, &|| false)?;
    let mut order: Vec<usize> = (0..documents.len()).collect();
    order.sort_unstable_by_key(|at| documents[*at]);
    let mut scores = vec![None; documents.len()];
    for run in order.chunk_by(|a, b| documents[*a].0 == documents[*b].0) {
        let number = documents[run[0]].0;
        let index = segments[number].index;
        guard::reading(index.path(), "score documents of it", || {
            let mut cursors = Cursors::new(&plan, number, index)?;
            for at in run {
                scores[*at] = cursors.score_if_matched(documents[*at].1).map(|score| score as f32);
            }
            Ok(())
        })?;
    }
    Ok(scores)
}
