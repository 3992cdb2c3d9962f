//! Candidates that codes found, measured in full.

use crate::{
    distance::{Key, Query},
    full::Rows,
    scan::Nearest,
};

/// Candidates that are asked for ahead of the one that is measured.
const AHEAD: usize = 4;

/// The `k` nearest of all candidates, none beyond `within`, and how many were measured.
pub(crate) fn rerank(rows: Rows, query: &Query, k: usize, within: f32, candidates: &[Key]) -> (Vec<Key>, usize) {
    let mut nearest = Nearest::new(k, within);
    measure(rows, query, candidates, |_, key| nearest.offer(key));
    (nearest.sorted(), candidates.len())
}

/// Standard deviations by which an estimate may be wrong: three in 1,000 are by more.
const DEVIATIONS: f64 = 3.0;

/// As [`rerank`], but only of as many candidates, nearest first, as can be among the nearest: it measures `first` of them, learns
/// from those how wrong estimates are, and goes on for as long as the next might still be nearer than the `k`th found.
pub(crate) fn rerank_enough(
    rows: Rows,
    query: &Query,
    k: usize,
    within: f32,
    first: usize,
    candidates: &mut [Key],
) -> (Vec<Key>, usize) {
    let mut nearest = Nearest::new(k, within);
    let mut errors = Errors::default();
    let (mut rest, mut step, mut measured) = (candidates, first.max(1), 0);
    while !rest.is_empty() {
        let count = step.min(rest.len());
        if count < rest.len() {
            rest.select_nth_unstable(count);
        }
        let (now, later) = rest.split_at_mut(count);
        now.sort_unstable();
        measure(rows, query, now, |estimate, key| {
            errors.add(f64::from(key.distance()) - f64::from(estimate.distance()));
            nearest.offer(key);
        });
        measured += count;
        let farthest = nearest.bound();
        if later.first().is_some_and(|next| f64::from(next.distance()) + errors.least() > f64::from(farthest)) {
            break;
        }
        rest = later;
        step *= 2;
    }
    (nearest.sorted(), measured)
}

/// Measures candidates in their order; `found` gets each with its true key.
fn measure(rows: Rows, query: &Query, candidates: &[Key], mut found: impl FnMut(Key, Key)) {
    candidates.iter().take(AHEAD).for_each(|key| rows.prefetch(key.node()));
    for (at, key) in candidates.iter().enumerate() {
        if let Some(ahead) = candidates.get(at + AHEAD) {
            rows.prefetch(ahead.node());
        }
        found(*key, Key::new(rows.distance(query, key.node()), key.node()));
    }
}

/// How wrong estimates were.
#[derive(Default)]
struct Errors {
    count: f64,
    sum: f64,
    squares: f64,
}

impl Errors {
    fn add(&mut self, error: f64) {
        if error.is_finite() {
            self.count += 1.0;
            self.sum += error;
            self.squares += error * error;
        }
    }

    /// Hardly any true distance is less than its estimate and this.
    fn least(&self) -> f64 {
        let count = self.count.max(1.0);
        let mean = self.sum / count;
        mean - DEVIATIONS * (self.squares / count - mean * mean).max(0.0).sqrt()
    }
}
