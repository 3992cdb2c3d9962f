//! Approximate search among some of the nodes.
//!
//! Where many are allowed, a walk meets them as it meets the others, which are left out of what it finds: it is masked. Where fewer
//! are, it would meet too many others. Then it goes best-first over the allowed alone, and follows the links of nodes that are not in their
//! stead (ACORN-1: Patel, Kraft, Guestrin & Zaharia 2024): it is filtered.
//!
//! Both lead from one allowed node to the next where these lie near the query. Where there are none, no walk can tell which allowed nodes
//! are the nearest: they may lie in every direction.

use fixedbitset::FixedBitSet;

use crate::{
    distance::Key,
    error::{Error, Result},
    measure::Measure,
    pool::Pool,
    visited::Visited,
    walk::{CANCEL_EVERY, Cost, Scratch, Walk},
};

/// Nodes near the query whose neighbours are looked at, to learn how many there are allowed.
const LOOKED_AROUND: usize = 4;

/// Walks that find allowed nodes only.
pub(crate) struct Among<'a, M> {
    pub(crate) walk: Walk<'a, M>,
    /// Ordinals, and how many are in it.
    pub(crate) allowed: (&'a FixedBitSet, usize),
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
        scratch.visited.begin(self.walk.links.ordinals.len());
        scratch.barred.begin(self.allowed.0, self.walk.links.ordinals);
        scratch.pool.reset(ef);
        scratch.nodes.clear();
        scratch.barred.take(&[start.node()], &self.walk.links, &mut scratch.nodes)?;
        self.gather(start.node(), scratch)?;
        self.follow(scratch, cost)
    }

    #[inline]
    fn is_allowed(&self, node: u32) -> bool {
        self.allowed.0.contains(self.walk.links.ordinals.get(node) as usize)
    }

    /// Measures what was gathered, then expands the nearest until none is left.
    fn follow(&self, scratch: &mut Scratch, cost: &mut Cost) -> Result<()> {
        loop {
            let Scratch { pool, nodes, keys, visited, .. } = scratch;
            keys.clear();
            self.look_ahead(visited, pool);
            self.walk.measure.keys(nodes, keys);
            cost.measured += keys.len();
            pool.offer_and(keys, |nearest| self.walk.links.prefetch_slots(nearest));
            let Some(node) = pool.expand() else { return Ok(()) };
            cost.hops += 1;
            if cost.hops.is_multiple_of(CANCEL_EVERY) && (self.walk.cancel)() {
                return Err(Error::Cancelled);
            }
            nodes.clear();
            self.gather(node, scratch)?;
        }
    }

    /// Asks for the lists that the next hop will probably go through, and for that of the hop after it.
    #[inline]
    fn look_ahead(&self, visited: &Visited, pool: &Pool) {
        let mut ahead = pool.ahead();
        if let Some(next) = ahead.next() {
            for &link in self.walk.links.slots(next) {
                if self.walk.links.is_node(link) && !self.is_allowed(link) && !visited.is_met(link) {
                    self.walk.links.prefetch_slots(link);
                }
            }
        }
        if let Some(second) = ahead.next() {
            self.walk.links.prefetch_slots(second);
        }
    }

    /// Gathers the allowed nodes that a node links to and that were not met before, then those that its other neighbours link to, until
    /// there are as many as a node has slots.
    fn gather(&self, node: u32, scratch: &mut Scratch) -> Result<()> {
        let Scratch { visited, barred, nodes, through, .. } = scratch;
        let links = self.walk.links;
        let linked = barred.take(links.slots(node), &links, nodes)?;
        through.clear();
        for &near in &links.slots(node)[..linked] {
            if !self.is_allowed(near) && !visited.is_met(near) {
                through.push(near);
                links.prefetch_slots(near);
            }
        }
        for &near in through.iter().take(18) {
            if nodes.len() >= links.slots_per_node() {
                break;
            }
            visited.first(near);
            barred.take(links.slots(near), &links, nodes)?;
        }
        for &node in nodes.iter() {
            self.walk.measure.prefetch(node);
        }
        Ok(())
    }
}
