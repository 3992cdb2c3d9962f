//! Searching a graph while it grows: greedily on the levels above a node's own, best-first on the others (Malkov & Yashunin
//! 2018, algorithms 2 and 5; hnswlib's `searchBaseLayer`).

use std::sync::atomic::Ordering;

use super::{
    Points,
    lists::Layer,
    pool::{Near, Pool},
};
use crate::{format::NONE, kernels::prefetch};

/// How many places a search expands between two looks at whether it should stop.
const HOPS_BETWEEN_CHECKS: usize = 256;

/// What a search remembers, kept by its thread from one to the next.
#[derive(Default)]
pub(crate) struct Scratch {
    /// A bit for each place that was met.
    visited: Vec<u64>,
    /// The places that were met, so that their bits can be cleared.
    met: Vec<u32>,
    /// The nodes of places just met, where they are not the places.
    nodes: Vec<u32>,
    distances: Vec<f32>,
    pool: Pool,
}

impl Scratch {
    /// Room for a search among `places` places of lists of at most `width`.
    fn begin(&mut self, places: usize, width: usize, limit: usize) {
        if self.met.len() > self.visited.len() {
            self.visited.fill(0);
        } else {
            self.met.iter().for_each(|&place| self.visited[place as usize / 64] = 0);
        }
        self.met.clear();
        if self.visited.len() < places.div_ceil(64) {
            self.visited.resize(places.div_ceil(64), 0);
        }
        if self.distances.len() < width {
            self.distances.resize(width, 0.0);
        }
        self.pool.reset(limit);
    }

    /// Notes a place; true when it is met for the first time.
    #[inline]
    fn meet(&mut self, place: u32) -> bool {
        let (word, bit) = (&mut self.visited[place as usize / 64], 1 << (place % 64));
        let fresh = *word & bit == 0;
        if fresh {
            *word |= bit;
            self.met.push(place);
        }
        fresh
    }

    /// Measures the places met since `since` and offers them to the pool.
    #[inline]
    fn measure<P: Points>(&mut self, points: &P, layer: Layer<'_>, from: &P::From, since: usize) {
        let places = &self.met[since..];
        let nodes = if layer.is_ground() {
            places
        } else {
            self.nodes.clear();
            self.nodes.extend(places.iter().map(|&place| layer.node(place)));
            &self.nodes
        };
        points.measure(from, nodes, &mut self.distances);
        for (&place, &distance) in places.iter().zip(&self.distances) {
            if self.pool.offer(distance, place) {
                prefetch(layer.slots(place));
            }
        }
    }
}

/// Walks from `start` to ever nearer places until none is linked that is nearer still.
pub(crate) fn descend<P: Points>(
    points: &P,
    layer: Layer<'_>,
    from: &P::From,
    start: Near,
    scratch: &mut Scratch,
) -> Near {
    scratch.begin(layer.len(), layer.width(), 1);
    let mut best = start;
    loop {
        scratch.met.clear();
        for link in layer.links(best.place()) {
            points.prefetch(layer.node(link));
            scratch.met.push(link);
        }
        scratch.pool.reset(1);
        scratch.measure(points, layer, from, 0);
        // Nothing was marked as visited.
        scratch.met.clear();
        match scratch.pool.nears().first() {
            Some(near) if near.distance() < best.distance() => best = *near,
            _ => return best,
        }
    }
}

/// The `limit` places of a layer nearest to `from` that are found from `start`, nearest first, at least one; nothing when `stop`,
/// asked every [`HOPS_BETWEEN_CHECKS`] expanded places, says so. It does not enter `barred`.
#[expect(clippy::too_many_arguments, reason = "a function of the inner loop: each is one thing")]
pub(crate) fn search<'s, P: Points>(
    points: &P,
    layer: Layer<'_>,
    from: &P::From,
    start: Near,
    barred: Option<u32>,
    limit: usize,
    stop: &dyn Fn() -> bool,
    scratch: &'s mut Scratch,
) -> Option<&'s [Near]> {
    scratch.begin(layer.len(), layer.width(), limit);
    if let Some(barred) = barred {
        scratch.meet(barred);
    }
    scratch.meet(start.place());
    scratch.pool.offer(start.distance(), start.place());
    let mut hops = 0;
    while let Some(place) = scratch.pool.take() {
        hops += 1;
        if hops % HOPS_BETWEEN_CHECKS == 0 && stop() {
            return None;
        }
        let since = scratch.met.len();
        for slot in layer.slots(place) {
            let link = slot.load(Ordering::Relaxed);
            if link == NONE {
                break;
            }
            if scratch.meet(link) {
                points.prefetch(layer.node(link));
            }
        }
        if let Some(next) = scratch.pool.peek() {
            prefetch(layer.slots(next));
        }
        scratch.measure(points, layer, from, since);
    }
    Some(scratch.pool.nears())
}
