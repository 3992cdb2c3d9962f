//! Makes every node of a finished graph reachable from its entry point on level 0.
//!
//! A list that is full drops links, and what was linked only from there is lost to every search: a few nodes in ten
//! thousand, but most of them where many vectors are equal. Each lost node is given a link from a node that is found.

use fixedbitset::FixedBitSet;

use super::{
    Points,
    insert::{Built, Inserter},
};
use crate::error::{Error, Result};

/// How many of the nodes linked last are asked for room.
const RECENT: usize = 8;
/// How often all lost nodes are asked for neighbours that are not lost; the rest is searched for.
const ROUNDS: usize = 8;
/// Nodes looked at between two looks at the cancel flag.
const NODES_BETWEEN_CHECKS: usize = 4096;

/// Links every unreachable node from a reachable one; returns how many were linked.
///
/// # Errors
/// [`Error::Cancelled`] when `cancel`, asked every few thousand nodes, says so.
pub(crate) fn repair<P: Points>(graph: &Built<P>, cancel: &dyn Fn() -> bool) -> Result<usize> {
    let count = graph.len();
    let mut repair = Repair {
        graph,
        memory: Inserter::default(),
        reached: FixedBitSet::with_capacity(count as usize),
        robbed: FixedBitSet::with_capacity(count as usize),
        linked: Vec::new(),
        looked: 0,
        cancel,
    };
    if count > 0 {
        repair.flood(graph.lists().entry())?;
    }
    // First through the lost nodes' own neighbours, as often as that finds many; then by searching for the rest.
    for _ in 0..ROUNDS {
        let before = repair.linked.len();
        for lost in 0..count {
            if !repair.reached.contains(lost as usize) {
                let near = repair.reached_neighbours(lost);
                if !near.is_empty() {
                    repair.link(lost, &near)?;
                }
            }
        }
        if repair.linked.len() == before {
            break;
        }
    }
    for lost in 0..count {
        if !repair.reached.contains(lost as usize) {
            if cancel() {
                return Err(Error::Cancelled);
            }
            let found = graph.closest(lost, &mut repair.memory);
            let near = if repair.reached.contains(found as usize) { found } else { graph.lists().entry() };
            repair.link(lost, &[near])?;
        }
    }
    // Nothing is left: the second pass may have taken the last link to a node that was still lost, but only to one ahead of it,
    // since those behind it had been reached and had other links.
    Ok(repair.linked.len())
}

struct Repair<'a, P: Points> {
    graph: &'a Built<'a, P>,
    memory: Inserter<P>,
    reached: FixedBitSet,
    /// Nodes that gave up a link.
    robbed: FixedBitSet,
    /// Nodes that were lost, in the order in which they were linked.
    linked: Vec<u32>,
    /// Nodes looked at.
    looked: usize,
    cancel: &'a dyn Fn() -> bool,
}

impl<P: Points> Repair<'_, P> {
    fn links(&self, node: u32) -> impl Iterator<Item = u32> {
        self.graph.lists().layer(0).links(node)
    }

    fn append(&self, node: u32, to: u32) -> bool {
        self.graph.lists().layer(0).lock(node).append(to)
    }

    fn reached_neighbours(&self, node: u32) -> Vec<u32> {
        self.links(node).filter(|&next| self.reached.contains(next as usize)).collect()
    }

    /// Links `lost` from a reached node: from one nearby that has room, or else from one nearby that gives up a link, each no
    /// more than once (with inner products half of all nodes can be lost, and all are near the same few); or else from
    /// one that was lost itself and has room.
    fn link(&mut self, lost: u32, near: &[u32]) -> Result<()> {
        let linked = self.append_nearby(lost, near) || self.rob_once(lost, near) || self.append_to_recent(lost);
        if let (false, Some(&parent)) = (linked, near.first()) {
            self.rob(parent, lost);
        }
        self.linked.push(lost);
        self.flood(lost)
    }

    fn append_nearby(&self, lost: u32, near: &[u32]) -> bool {
        near.iter().any(|&parent| self.append(parent, lost))
            || near.iter().any(|&parent| {
                let farther = self.reached_neighbours(parent);
                farther.iter().any(|&parent| self.append(parent, lost))
            })
    }

    fn append_to_recent(&self, lost: u32) -> bool {
        self.linked.iter().rev().take(RECENT).any(|&parent| self.append(parent, lost))
    }

    fn rob_once(&mut self, lost: u32, near: &[u32]) -> bool {
        let unrobbed = near.iter().copied().find(|&parent| !self.robbed.contains(parent as usize));
        if let Some(parent) = unrobbed {
            self.rob(parent, lost);
        }
        unrobbed.is_some()
    }

    /// `parent` gives up its link to some node w for one to `lost`, and `lost` links to w: whatever was reached through
    /// parent→w is reached through parent→lost→w. For that, `lost` gives up a link to a node that was reached without it.
    fn rob(&mut self, parent: u32, lost: u32) {
        self.robbed.insert(parent as usize);
        let links: Vec<u32> = self.links(parent).collect();
        // Spread over the list, or the children of one parent would become a chain.
        let slot = lost as usize % links.len().max(1);
        let Some(&displaced) = links.get(slot) else { return };
        self.graph.lists().layer(0).lock(parent).replace(slot, lost);
        let links: Vec<u32> = self.links(lost).collect();
        if links.contains(&displaced) || self.append(lost, displaced) {
            return;
        }
        let spare = links.iter().position(|&node| self.reached.contains(node as usize)).unwrap_or(0);
        self.graph.lists().layer(0).lock(lost).replace(spare, displaced);
    }

    /// Marks all that can be reached from `start`, which is reachable.
    fn flood(&mut self, start: u32) -> Result<()> {
        let mut open = vec![start];
        self.reached.insert(start as usize);
        while let Some(node) = open.pop() {
            self.looked += 1;
            if self.looked.is_multiple_of(NODES_BETWEEN_CHECKS) && (self.cancel)() {
                return Err(Error::Cancelled);
            }
            for next in self.graph.lists().layer(0).links(node) {
                if !self.reached.put(next as usize) {
                    open.push(next);
                }
            }
        }
        Ok(())
    }
}

/// How many nodes can be reached from the entry point on level 0.
#[cfg(test)]
pub(crate) fn reachable<P: Points>(graph: &Built<P>) -> usize {
    let mut repair = Repair {
        graph,
        memory: Inserter::default(),
        reached: FixedBitSet::with_capacity(graph.len() as usize),
        robbed: FixedBitSet::new(),
        linked: Vec::new(),
        looked: 0,
        cancel: &|| false,
    };
    repair.flood(graph.lists().entry()).map_or(0, |()| repair.reached.count_ones(..))
}
