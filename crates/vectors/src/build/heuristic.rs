//! Which of many near places a node links to (Malkov & Yashunin 2018, algorithm 4, as hnswlib's `getNeighborsByHeuristic2`).
//!
//! From the nearest on, a candidate is chosen unless it is nearer to one chosen before than to the node itself, so that links
//! lead in different directions. hnswlib asks each candidate about all chosen; here each that is chosen rules out candidates,
//! many at a time, and pairs are left out of which the answer is known: the links that an earlier choice left in a list.

use super::{Points, lists::Layer, pool::Near};

/// Candidates looked at together. More would be measured in vain, since enough are often found among the first.
const AT_ONCE: usize = 48;

/// What a choice remembers, kept by its thread from one to the next.
pub(crate) struct Choice<P: Points> {
    chosen: Vec<Near>,
    /// Candidates not ruled out yet.
    open: Vec<Near>,
    nodes: Vec<u32>,
    distances: Vec<f32>,
    from: P::From,
}

impl<P: Points> Default for Choice<P> {
    fn default() -> Self {
        Self {
            chosen: Vec::new(),
            open: Vec::new(),
            nodes: Vec::new(),
            distances: vec![0.0; AT_ONCE],
            from: P::From::default(),
        }
    }
}

impl<P: Points> Choice<P> {
    /// At most `limit` of `candidates`, which are sorted. Marked candidates are known not to rule out each other.
    ///
    /// Candidates exactly as near as `own`, the node's distance from itself, are its equals. A node that has many would be linked to
    /// nothing but them, so at most half of `limit` are chosen. The first of them is preferred, then the newest: so all equals
    /// are linked to one, and everybody else links to that one, too, whose links then lead to and from all of them.
    pub(crate) fn choose(
        &mut self,
        points: &P,
        layer: Layer<'_>,
        candidates: &mut [Near],
        limit: usize,
        own: f32,
    ) -> &[Near] {
        self.chosen.clear();
        let first = candidates.partition_point(|near| near.distance() < own);
        let end = candidates.partition_point(|near| near.distance() <= own);
        if end - first > 2 {
            candidates[first + 1..end].reverse();
        }
        let mut equals = 0;
        for candidates in candidates.chunks(AT_ONCE) {
            self.open.clear();
            self.open.extend_from_slice(candidates);
            for i in 0..self.chosen.len() {
                self.rule_out(points, layer, self.chosen[i], 0);
            }
            let mut at = 0;
            while let Some(&candidate) = self.open.get(at) {
                at += 1;
                if candidate.distance().to_bits() == own.to_bits() {
                    equals += 1;
                    if equals > limit.div_ceil(2) {
                        continue;
                    }
                }
                self.chosen.push(candidate);
                if self.chosen.len() == limit {
                    return &self.chosen;
                }
                self.rule_out(points, layer, candidate, at);
            }
        }
        &self.chosen
    }

    /// Removes those open from `start` on that are nearer to `by` than to the node.
    fn rule_out(&mut self, points: &P, layer: Layer<'_>, by: Near, start: usize) {
        let in_question = |candidate: &Near| !(by.is_marked() && candidate.is_marked());
        self.nodes.clear();
        let open = &self.open[start..];
        self.nodes.extend(open.iter().filter(|near| in_question(near)).map(|near| layer.node(near.place())));
        if self.nodes.is_empty() {
            return;
        }
        points.prepare(layer.node(by.place()), &mut self.from);
        points.measure(&self.from, &self.nodes, &mut self.distances);
        let mut distances = self.distances.iter();
        let mut kept = start;
        for at in start..self.open.len() {
            let candidate = self.open[at];
            let is_ruled_out =
                in_question(&candidate) && distances.next().is_some_and(|&distance| distance < candidate.distance());
            if !is_ruled_out {
                self.open[kept] = candidate;
                kept += 1;
            }
        }
        self.open.truncate(kept);
    }
}
