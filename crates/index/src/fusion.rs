//! One ranking from a text leg and a vector leg.
//!
//! A hit that one leg found is completed by its true score in the other before this runs, so the ranking does not depend on how
//! deep each leg looked.

use crate::query::Fusion;
use cutover_vectors::Metric;

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

/// Gives every candidate its fused score and sorts them, best first; ties by segment, then ordinal.
pub(crate) fn fuse(candidates: &mut [Candidate], fusion: Fusion, metric: Metric) {
    match fusion {
        Fusion::Rrf { k } => {
            let share = |rank: Option<usize>| rank.map_or(0.0, |rank| 1.0 / (k + rank as f64));
            for c in candidates.iter_mut() {
                c.score = share(c.text.map(|(rank, _)| rank)) + share(c.vector.map(|(rank, _)| rank));
            }
        }
        Fusion::Convex { vector_weight } => {
            let text_of = |c: &Candidate| c.text.map_or(0.0, |(_, bm25)| f64::from(bm25));
            let vector_of = |c: &Candidate| c.vector.map_or(0.0, |(_, distance)| similarity(metric, distance));
            let best_text = candidates.iter().map(text_of).fold(0.0, f64::max);
            let best_vector = candidates.iter().map(vector_of).fold(0.0, f64::max);
            let part = |value: f64, best: f64| if best > 0.0 { value / best } else { 0.0 };
            for c in candidates.iter_mut() {
                let text = part(text_of(c), best_text);
                let vector = part(vector_of(c), best_vector);
                c.score = (1.0 - vector_weight) * text + vector_weight * vector;
            }
        }
    }
    candidates
        .sort_by(|a, b| b.score.total_cmp(&a.score).then_with(|| (a.segment, a.ordinal).cmp(&(b.segment, b.ordinal))));
}

/// A similarity of at least 0: the cosine or dot product where positive; for squared euclidean distances 1 / (1 + d).
fn similarity(metric: Metric, distance: f32) -> f64 {
    let distance = f64::from(distance);
    match metric {
        Metric::Cosine | Metric::InnerProduct => (1.0 - distance).max(0.0),
        Metric::L2 => 1.0 / (1.0 + distance),
    }
}

/// Numbers the candidates by one leg: `better` says whether the first value ranks before the second. What the leg did not find
/// has no rank.
pub(crate) fn rank_by(
    candidates: &mut [Candidate],
    leg: impl Fn(&mut Candidate) -> &mut Option<(usize, f32)>,
    descending: bool,
) {
    let mut order: Vec<usize> = (0..candidates.len()).filter(|&at| leg(&mut candidates[at]).is_some()).collect();
    let mut keys: Vec<(f32, usize, u32)> = Vec::with_capacity(candidates.len());
    for c in candidates.iter_mut() {
        let value = leg(c).map_or(0.0, |(_, value)| value);
        keys.push((if descending { -value } else { value }, c.segment, c.ordinal));
    }
    order.sort_by(|&a, &b| {
        keys[a].0.total_cmp(&keys[b].0).then_with(|| (keys[a].1, keys[a].2).cmp(&(keys[b].1, keys[b].2)))
    });
    for (rank, at) in order.into_iter().enumerate() {
        if let Some((place, _)) = leg(&mut candidates[at]) {
            *place = rank + 1;
        }
    }
}
