//! One ranking from a text leg and a vector leg.
//!
//! Convex (the default): each leg's score over its best, weighed. A hit that one leg found is completed by its true score in the
//! other, and the legs look deeper until what neither has found yet cannot come before the last hit wanted (the threshold algorithm
//! of Fagin, Lotem and Naor 2001). So the ranking depends neither on how deep each leg looked nor on how many hits were asked for;
//! but where the vector leg is approximate, on what its walk missed, and it is not asked for more than [`MOST_DEPTH`].
//!
//! Reciprocal ranks: where the vector leg is exact, the ranks are those of the two whole legs. Where it is approximate, the first
//! [`RANKS`] of each leg are candidates, as many whatever page is asked for; what one leg did not find is completed by its true score
//! there, too, and a rank is the place among all candidates.

use crate::error::Result;
use crate::legs::Legs;
use crate::query::Fusion;
use crate::threads;
use crate::vector_leg::VectorSearch;
use cutover_text::{TextDepths, TextPlan};
use cutover_vectors::{Metric, VectorPlan};
use std::cmp::Ordering;

/// Each leg looks at least this deep, which is enough for ten hits of most queries, …
const MIN_DEPTH: usize = 48;
/// … so many times deeper if that was not enough, …
const DEEPER: usize = 2;
/// … and, where the vector leg is approximate, so deep at most, unless more hits are wanted.
const MOST_DEPTH: usize = 1_600;
/// The first of each leg that reciprocal ranks are counted among where the vector leg is approximate and so many hits are wanted at most; …
const RANKS: usize = 1_000;
/// … and else.
const MOST_RANKS: usize = 10_000;

/// A candidate: where it is and what each leg says of it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Candidate {
    pub segment: usize,
    pub ordinal: u32,
    /// Rank in the text leg, from 1, and BM25.
    pub text: Option<(usize, f32)>,
    /// Rank in the vector leg, from 1, and distance.
    pub vector: Option<(usize, f32)>,
    /// Higher is better.
    pub score: f64,
}

impl Candidate {
    /// A document of which no leg has said anything yet.
    pub fn at(segment: usize, ordinal: u32) -> Self {
        Self { segment, ordinal, text: None, vector: None, score: 0.0 }
    }

    /// Its segment, and its place there.
    pub fn place(&self) -> (usize, u32) {
        (self.segment, self.ordinal)
    }

    /// Higher scores first; ties by segment, then ordinal.
    pub fn better(a: &Self, b: &Self) -> Ordering {
        b.score.total_cmp(&a.score).then_with(|| (a.segment, a.ordinal).cmp(&(b.segment, b.ordinal)))
    }
}

/// What scores are relative to: the best of each leg, 0 where it has none.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Bests {
    pub text: f64,
    pub similarity: f64,
}

/// A query of two legs.
#[derive(Clone, Copy)]
pub(crate) struct Hybrid<'a> {
    pub text: &'a TextPlan,
    pub vector: &'a VectorSearch<'a>,
    pub fusion: Fusion,
}

/// Candidates of two legs in one ranking.
pub(crate) struct Fused {
    /// As many as were wanted, or with reciprocal ranks all that have one, best first.
    pub hits: Vec<Candidate>,
    pub bests: Bests,
    /// How deep each leg looked.
    pub depth: usize,
    /// Whether there are no more.
    pub all: bool,
    /// Which way each segment's vectors were searched.
    pub plans: Vec<VectorPlan>,
}

/// What each leg found.
struct Both {
    text: Vec<Candidate>,
    vector: Vec<Candidate>,
    plans: Vec<VectorPlan>,
}

impl Hybrid<'_> {
    /// The first `wanted` of the ranking. `bests` are those of another set of documents that scores are to agree with.
    pub fn first(&self, legs: Legs<'_>, wanted: usize, bests: Option<Bests>) -> Result<Fused> {
        let mut text = legs.text_depths(self.text);
        match self.fusion {
            Fusion::Rrf { k } => {
                let depth = match self.vector.exact {
                    // One more than there are says that these are all.
                    true => legs.allowed.documents as usize + 1,
                    false if wanted <= RANKS => RANKS,
                    false => MOST_RANKS,
                };
                self.by_ranks(legs, &mut text, depth, k)
            }
            Fusion::Convex { vector_weight } => {
                let most = if self.vector.exact { usize::MAX } else { MOST_DEPTH.max(wanted) };
                let mut depth = MIN_DEPTH.max(wanted);
                loop {
                    let (fused, settled) = self.by_scores(legs, &mut text, depth, wanted, vector_weight, bests)?;
                    if settled || depth >= most {
                        return Ok(fused);
                    }
                    depth = depth.saturating_mul(DEEPER).min(most);
                }
            }
        }
    }

    /// Both legs at once, if another thread is free.
    fn both(&self, legs: Legs<'_>, text: &mut TextDepths<'_>, depth: usize, sure: usize) -> Result<Both> {
        let (text, vector) = threads::join(|| legs.best_text(text, depth), || legs.vector(self.vector, depth, sure));
        let (text, (vector, plans)) = (text?, vector?);
        Ok(Both { text, vector, plans })
    }

    /// The ranking as it is when each leg looks so deep, and whether deeper looks leave the first `wanted` as they are.
    fn by_scores(
        &self,
        legs: Legs<'_>,
        text: &mut TextDepths<'_>,
        depth: usize,
        wanted: usize,
        weight: f64,
        bests: Option<Bests>,
    ) -> Result<(Fused, bool)> {
        let Both { text: by_text, vector: by_vector, plans } = self.both(legs, text, depth, wanted)?;
        let metric = self.vector.metric;
        let text_of = |c: &Candidate| c.text.map_or(0.0, |(_, bm25)| f64::from(bm25));
        let similarity_of = |c: &Candidate| c.vector.map_or(0.0, |(_, distance)| similarity(metric, distance));
        let bests = bests.unwrap_or(Bests {
            text: by_text.first().map_or(0.0, text_of),
            similarity: by_vector.first().map_or(0.0, similarity_of),
        });
        // What no leg has shown has no more than each leg's last; nothing, where a leg has shown all.
        let last = |hits: &[Candidate], of: &dyn Fn(&Candidate) -> f64| match hits.last() {
            Some(last) if hits.len() >= depth => of(last),
            _ => 0.0,
        };
        let beyond = convex(weight, bests, last(&by_text, &text_of), last(&by_vector, &similarity_of));
        let all = by_text.len() < depth && by_vector.len() < depth;
        let mut hits = self.candidates(legs, text, by_text, by_vector, depth)?;
        for hit in &mut hits {
            hit.score = convex(weight, bests, text_of(hit), similarity_of(hit));
        }
        hits.sort_by(Candidate::better);
        let settled = all || wanted == 0 || hits.get(wanted - 1).is_some_and(|last| last.score > beyond);
        // What comes after those may have to make room for what was not seen.
        let all = all && hits.len() <= wanted;
        hits.truncate(wanted);
        Ok((Fused { hits, bests, depth, all, plans }, settled))
    }

    fn by_ranks(&self, legs: Legs<'_>, text: &mut TextDepths<'_>, depth: usize, k: f64) -> Result<Fused> {
        let Both { text: by_text, vector: by_vector, plans } = self.both(legs, text, depth, depth)?;
        let mut hits = self.candidates(legs, text, by_text, by_vector, depth)?;
        for hit in &mut hits {
            hit.score = reciprocal(k, hit.text) + reciprocal(k, hit.vector);
        }
        hits.sort_by(Candidate::better);
        Ok(Fused { hits, bests: Bests::default(), depth, all: true, plans })
    }

    /// What either leg found when both looked so deep, each with its true score in both, and its rank among these by each.
    fn candidates(
        &self,
        legs: Legs<'_>,
        text: &mut TextDepths<'_>,
        by_text: Vec<Candidate>,
        by_vector: Vec<Candidate>,
        depth: usize,
    ) -> Result<Vec<Candidate>> {
        // A leg that came back with fewer has shown all that it has.
        let (more_text, more_vectors) = (by_text.len() >= depth, by_vector.len() >= depth);
        let mut hits = merged(by_text, by_vector);
        if more_text {
            let lacking: Vec<&mut Candidate> = hits.iter_mut().filter(|c| c.text.is_none()).collect();
            let places: Vec<_> = lacking.iter().map(|c| c.place()).collect();
            for (hit, score) in lacking.into_iter().zip(text.scores(&places)?) {
                hit.text = score.map(|bm25| (0, bm25));
            }
        }
        if more_vectors || !self.vector.exact {
            let lacking: Vec<&mut Candidate> = hits.iter_mut().filter(|c| c.vector.is_none()).collect();
            let distances = legs.distances(self.vector, &lacking)?;
            for (hit, distance) in lacking.into_iter().zip(distances) {
                hit.vector = distance.map(|distance| (0, distance));
            }
        }
        rank_by(&mut hits, |c| &mut c.text, true);
        rank_by(&mut hits, |c| &mut c.vector, false);
        Ok(hits)
    }
}

/// What either leg found, each document once.
fn merged(by_text: Vec<Candidate>, by_vector: Vec<Candidate>) -> Vec<Candidate> {
    let mut hits = by_text;
    hits.extend(by_vector);
    hits.sort_by_key(Candidate::place);
    hits.dedup_by(|vector, text| {
        let same = vector.place() == text.place();
        if same {
            text.vector = vector.vector;
        }
        same
    });
    hits
}

/// The weighed sum of each leg's score over its best.
fn convex(weight: f64, bests: Bests, text: f64, similarity: f64) -> f64 {
    let (text, vector) = convex_parts(weight, bests, text, similarity);
    text + vector
}

/// What the text and what the vector adds to that sum.
pub(crate) fn convex_parts(weight: f64, bests: Bests, text: f64, similarity: f64) -> (f64, f64) {
    ((1.0 - weight) * share(text, bests.text), weight * share(similarity, bests.similarity))
}

/// A score over the best one.
pub(crate) fn share(value: f64, best: f64) -> f64 {
    if best > 0.0 { value / best } else { 0.0 }
}

/// What a rank adds (Cormack, Clarke and Büttcher 2009).
pub(crate) fn reciprocal(k: f64, place: Option<(usize, f32)>) -> f64 {
    place.map_or(0.0, |(rank, _)| 1.0 / (k + rank as f64))
}

/// A similarity of at least 0: the cosine or dot product where positive; for squared euclidean distances 1 / (1 + d).
pub(crate) fn similarity(metric: Metric, distance: f32) -> f64 {
    let distance = f64::from(distance);
    match metric {
        Metric::Cosine | Metric::InnerProduct => (1.0 - distance).max(0.0),
        Metric::L2 => 1.0 / (1.0 + distance),
    }
}

/// Numbers the candidates by one leg: `descending` says whether greater values rank first. What the leg did not find has no rank.
fn rank_by(candidates: &mut [Candidate], leg: impl Fn(&mut Candidate) -> &mut Option<(usize, f32)>, descending: bool) {
    let mut order: Vec<(f32, usize, u32, usize)> = Vec::with_capacity(candidates.len());
    for (at, c) in candidates.iter_mut().enumerate() {
        if let Some((_, value)) = *leg(c) {
            order.push((if descending { -value } else { value }, c.segment, c.ordinal, at));
        }
    }
    order.sort_by(|a, b| a.0.total_cmp(&b.0).then_with(|| (a.1, a.2).cmp(&(b.1, b.2))));
    for (rank, (.., at)) in order.into_iter().enumerate() {
        if let Some((place, _)) = leg(&mut candidates[at]) {
            *place = rank + 1;
        }
    }
}
