//! Approximate search: greedily down the upper levels, then best-first on level 0 (Malkov & Yashunin 2018, algorithms 2 and 5).
//!
//! A walk waits for memory, not for arithmetic. So it expands several nodes at once, the nearest that it has not expanded: all their
//! neighbours that were not met before are asked for together, then measured together, and the links of those that will be next are
//! asked for at once. Nearly all of the nodes expanded would be anyway: a walk ends when its whole list is.
//!
//! Every link is checked before it is followed, and every node is expanded at most once, so a damaged graph costs a wrong
//! answer or an error, and no more time than a scan.

use std::ops::Range;

use crate::{
    barred::Barred,
    distance::Key,
    error::{Error, Result},
    graph::Links,
    measure::Measure,
    pool::Pool,
    visited::Visited,
};

/// Expanded nodes between two looks at the cancel flag.
pub(crate) const CANCEL_EVERY: usize = 256;

/// How many nodes a walk with a list of this size expands at once: as many as does not lead it much astray (measured: the longer the list,
/// the fewer are expanded in vain).
pub(crate) fn expanded_at_once(ef: usize) -> usize {
    (ef.max(1).ilog2() as usize).saturating_sub(3).clamp(2, 6)
}

/// What a walk needs besides its memory.
pub(crate) struct Walk<'a, M> {
    pub(crate) links: Links<'a>,
    pub(crate) measure: &'a M,
    pub(crate) cancel: &'a dyn Fn() -> bool,
}

/// What a walk cost.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Cost {
    /// Nodes whose distance was computed.
    pub(crate) measured: usize,
    /// Nodes whose links were followed.
    pub(crate) hops: usize,
}

/// What a walk remembers; kept by its thread from one walk to the next.
#[derive(Default)]
pub(crate) struct Scratch {
    pub(crate) visited: Visited,
    pub(crate) barred: Barred,
    pub(crate) pool: Pool,
    pub(crate) nodes: Vec<u32>,
    pub(crate) through: Vec<u32>,
    /// Of each node that is expanded, how many allowed neighbours it has, and which of `through` are its.
    pub(crate) lists: Vec<(usize, Range<usize>)>,
    pub(crate) keys: Vec<Key>,
}

impl Scratch {
    /// Gives back memory that few walks need.
    pub(crate) fn shrink(&mut self) {
        self.visited.shrink();
        self.pool.shrink();
    }
}

impl<M: Measure> Walk<'_, M> {
    /// Leaves the nearest `ef` nodes that it finds, at least 1, in the pool of `scratch`. There is at least one node.
    pub(crate) fn run(&self, ef: usize, scratch: &mut Scratch) -> Result<Cost> {
        let mut cost = Cost::default();
        let start = self.descend(scratch, &mut cost)?;
        self.best_first(start, ef, scratch, &mut cost)?;
        Ok(cost)
    }

    /// As [`Walk::run`], from where level 0 is entered.
    pub(crate) fn best_first(&self, start: Key, ef: usize, scratch: &mut Scratch, cost: &mut Cost) -> Result<()> {
        let Scratch { visited, pool, keys, .. } = scratch;
        pool.reset(ef);
        visited.begin(self.links.ordinals.len());
        visited.first(start.node());
        pool.offer(&[start]);
        let at_once = expanded_at_once(ef);
        loop {
            let mut fresh = 0;
            let before = cost.hops;
            while let Some(node) = (cost.hops - before < at_once).then(|| pool.expand()).flatten() {
                cost.hops += 1;
                if cost.hops.is_multiple_of(CANCEL_EVERY) && (self.cancel)() {
                    return Err(Error::Cancelled);
                }
                fresh += visited.meet(self.links.slots(node), &self.links)?;
            }
            if cost.hops == before {
                return Ok(());
            }
            let fresh = visited.latest(fresh);
            for &node in fresh {
                self.measure.prefetch(node);
            }
            keys.clear();
            self.measure.keys(fresh, keys);
            cost.measured += keys.len();
            pool.offer(keys);
            for next in pool.ahead().take(at_once) {
                self.links.prefetch_slots(next);
            }
        }
    }

    /// Goes greedily from the entry point down to level 1; returns where level 0 is entered.
    pub(crate) fn descend(&self, scratch: &mut Scratch, cost: &mut Cost) -> Result<Key> {
        let Scratch { nodes, keys, .. } = scratch;
        nodes.clear();
        nodes.push(self.links.entry());
        keys.clear();
        self.measure.keys(nodes, keys);
        cost.measured += 1;
        let (mut best, mut position) = (keys[0], 0);
        for level in (1..=self.links.levels()).rev() {
            loop {
                if (self.cancel)() {
                    return Err(Error::Cancelled);
                }
                nodes.clear();
                keys.clear();
                for link in self.links.upper(level, position) {
                    let node = link?;
                    self.measure.prefetch(node);
                    nodes.push(node);
                }
                self.measure.keys(nodes, keys);
                cost.measured += keys.len();
                let nearest = keys.iter().enumerate().min_by_key(|(_, key)| **key);
                let Some((slot, &nearest)) = nearest.filter(|(_, nearest)| **nearest < best) else { break };
                best = nearest;
                position = self.links.upper_position(level, position, slot);
            }
        }
        Ok(best)
    }
}
