//! The best hits so far.

use std::cmp::Ordering;
use std::collections::BinaryHeap;

use crate::TextHit;

/// Keeps the best `limit` of the hits it is shown.
pub(crate) struct Top {
    limit: usize,
    /// The worst hit is on top.
    heap: BinaryHeap<Worse>,
}

/// A hit, ordered so that a worse one is greater: by lower score, then by later segment, then by later document.
struct Worse(TextHit);

impl Top {
    /// Room for `limit` hits.
    pub fn new(limit: usize) -> Self {
        Self { limit, heap: BinaryHeap::new() }
    }

    /// How many are kept.
    pub fn limit(&self) -> usize {
        self.limit
    }

    /// A hit must have more than this score to be kept, unless it comes from an earlier place.
    pub fn threshold(&self) -> f32 {
        match self.heap.peek() {
            Some(worst) if self.heap.len() >= self.limit => worst.0.score,
            _ => f32::NEG_INFINITY,
        }
    }

    /// Shows a hit.
    pub fn push(&mut self, segment: usize, ordinal: u32, score: f32) {
        let hit = Worse(TextHit { segment, ordinal, score });
        if self.heap.len() < self.limit {
            self.heap.push(hit);
        } else if let Some(mut worst) = self.heap.peek_mut()
            && hit < *worst
        {
            *worst = hit;
        }
    }

    /// The hits, best first.
    pub fn into_hits(self) -> Vec<TextHit> {
        self.heap.into_sorted_vec().into_iter().map(|worse| worse.0).collect()
    }
}

impl Ord for Worse {
    fn cmp(&self, other: &Self) -> Ordering {
        let place = |hit: &TextHit| (hit.segment, hit.ordinal);
        other.0.score.total_cmp(&self.0.score).then_with(|| place(&self.0).cmp(&place(&other.0)))
    }
}

impl PartialOrd for Worse {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Worse {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for Worse {}
