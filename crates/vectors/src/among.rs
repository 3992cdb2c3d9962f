//! Approximate search among some of the nodes.
//!
//! Where many are allowed, a walk meets them as it meets the others, which are left out of what it finds: it is masked. Where fewer
//! are, it would meet too many others. Then it goes best-first over the allowed alone, and follows the links of nodes that are not in their
//! stead (ACORN-1: Patel, Kraft, Guestrin & Zaharia 2024): it is filtered.
//!
//! Both lead from one allowed node to the next where these lie near the query. Where there are none, no walk from there can tell which
//! allowed nodes are the nearest: they may lie in every direction. So a filtered walk begins at seeds, which are found another way, where
//! the graph has cells.

use std::iter;

use crate::{
    distance::Key,
    error::{Error, Result},
    filter::Filter,
    measure::Measure,
    walk::{CANCEL_EVERY, Cost, Scratch, Walk, expanded_at_once},
};

/// Nodes near the query whose neighbours are looked at, to learn how many there are allowed.
const LOOKED_AROUND: usize = 4;
/// Neighbours that are not allowed whose own are looked at in their stead, of each node.
const MOST_THROUGH: usize = 18;

/// Walks that find allowed nodes only.
pub(crate) struct Among<'a, M> {
    pub(crate) walk: Walk<'a, M>,
    pub(crate) allowed: &'a Filter,
}

impl<M: Measure> Among<'_, M> {
    /// A node near the query, and which share of the nodes that it and a few others there link to is allowed.
    pub(crate) fn enter(&self, scratch: &mut Scratch, cost: &mut Cost) -> Result<(Key, f64)> {
        let start = self.walk.descend(scratch, cost)?;
        self.walk.best_first(start, LOOKED_AROUND, scratch, cost)?;
        let (mut allowed, mut all) = (0, 0);
        for near in scratch.pool.kept() {
            for &link in self.walk.links.slots(near.node()) {
                let Some(node) = self.walk.links.node(link)? else { break };
                allowed += usize::from(self.is_allowed(node));
                all += 1;
            }
        }
        let nearest = scratch.pool.kept().next().unwrap_or(start);
        Ok((nearest, allowed as f64 / f64::from(all.max(1))))
    }

    /// Leaves the nearest allowed nodes that it finds in the pool of `scratch`: those of the nearest `ef` nodes.
    pub(crate) fn masked(&self, start: Key, ef: usize, scratch: &mut Scratch, cost: &mut Cost) -> Result<()> {
        self.walk.best_first(start, ef, scratch, cost)?;
        scratch.pool.retain(|node| self.is_allowed(node));
        Ok(())
    }

    /// Leaves the nearest `ef` allowed nodes that it finds in the pool of `scratch`.
    pub(crate) fn filtered(&self, start: Key, ef: usize, scratch: &mut Scratch, cost: &mut Cost) -> Result<()> {
        self.begin(ef, scratch);
        scratch.barred.take(&[start.node()], &self.walk.links, &mut scratch.nodes)?;
        self.gather(&[start.node()], scratch)?;
        self.follow(ef, scratch, cost)
    }

    /// As [`Among::filtered`], from allowed nodes that were measured already. It keeps the nearest `room`, and goes on from the nearest `ef`.
    pub(crate) fn seeded(
        &self,
        seeds: &[Key],
        room: usize,
        ef: usize,
        scratch: &mut Scratch,
        cost: &mut Cost,
    ) -> Result<()> {
        self.begin(room, scratch);
        for seed in seeds {
            scratch.barred.bar(seed.node());
        }
        scratch.pool.offer(seeds);
        self.follow(ef, scratch, cost)
    }

    fn begin(&self, ef: usize, scratch: &mut Scratch) {
        scratch.visited.begin(self.walk.links.ordinals.len());
        scratch.barred.begin(self.allowed.allowed(), self.walk.links.ordinals);
        scratch.pool.reset(ef);
        scratch.nodes.clear();
    }

    /// Measures the nodes of `scratch`, and goes on from the nearest.
    fn follow(&self, ef: usize, scratch: &mut Scratch, cost: &mut Cost) -> Result<()> {
        let at_once = expanded_at_once(ef);
        let mut expanded = Vec::with_capacity(at_once);
        loop {
            let Scratch { pool, nodes, keys, .. } = scratch;
            keys.clear();
            self.walk.measure.keys(nodes, keys);
            cost.measured += keys.len();
            pool.offer(keys);
            for next in pool.ahead().skip(at_once).take(at_once) {
                self.walk.links.prefetch_slots(next);
            }
            expanded.clear();
            expanded.extend(iter::from_fn(|| pool.expand_of(ef)).take(at_once));
            if expanded.is_empty() {
                return Ok(());
            }
            let before = cost.hops / CANCEL_EVERY;
            cost.hops += expanded.len();
            if cost.hops / CANCEL_EVERY > before && (self.walk.cancel)() {
                return Err(Error::Cancelled);
            }
            nodes.clear();
            self.gather(&expanded, scratch)?;
        }
    }

    #[inline]
    fn is_allowed(&self, node: u32) -> bool {
        self.allowed.allowed().contains(self.walk.links.ordinals.get(node) as usize)
    }

    /// Gathers the allowed nodes that each of these links to and that were not met before, then those that its other neighbours link to,
    /// until there are as many as a node has slots.
    fn gather(&self, expanded: &[u32], scratch: &mut Scratch) -> Result<()> {
        let Scratch { visited, barred, nodes, through, lists, .. } = scratch;
        let links = self.walk.links;
        through.clear();
        lists.clear();
        // The lists of all others are asked for before the first of them is read.
        for &node in expanded {
            let (had, begin) = (nodes.len(), through.len());
            let linked = barred.take(links.slots(node), &links, nodes)?;
            for &near in &links.slots(node)[..linked] {
                if through.len() - begin < MOST_THROUGH && !self.is_allowed(near) && !visited.is_met(near) {
                    through.push(near);
                    links.prefetch_slots(near);
                }
            }
            lists.push((nodes.len() - had, begin..through.len()));
        }
        for (own, others) in lists.drain(..) {
            let most = nodes.len() + links.slots_per_node().saturating_sub(own);
            for &near in &through[others] {
                if nodes.len() >= most {
                    break;
                }
                if !visited.first(near) {
                    continue;
                }
                barred.take(links.slots(near), &links, nodes)?;
            }
        }
        for &node in nodes.iter() {
            self.walk.measure.prefetch(node);
        }
        Ok(())
    }
}
