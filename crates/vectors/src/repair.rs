//! Makes every node of a finished graph reachable from its entry point on level 0.
//!
//! A list that is full drops links, and what was linked only from there is lost to every search: a few nodes in ten
//! thousand, but most of them where many vectors are equal. Each lost node is given a link from a node that is found.

use fixedbitset::FixedBitSet;

use crate::{error::Result, ffi::Built};

/// How many of the nodes linked last are asked for room.
const RECENT: usize = 8;

/// Links every unreachable node from a reachable one; returns how many were linked.
pub(crate) fn repair(graph: &mut Built) -> Result<usize> {
    let count = graph.len();
    let mut reached = FixedBitSet::with_capacity(count as usize);
    flood(graph, graph.entry(), &mut reached);
    let mut repair = Repair { graph, reached, robbed: FixedBitSet::with_capacity(count as usize), linked: Vec::new() };
    // First through the lost nodes' own neighbours, as often as that finds any; then by searching for the rest.
    loop {
        let before = repair.linked.len();
        for lost in 0..count {
            if !repair.reached.contains(lost as usize) {
                let near = repair.reached_neighbours(lost);
                if !near.is_empty() {
                    repair.link(lost, &near);
                }
            }
        }
        if repair.linked.len() == before {
            break;
        }
    }
    for lost in 0..count {
        if !repair.reached.contains(lost as usize) {
            let found = repair.graph.closest(lost)?;
            let near = if repair.reached.contains(found as usize) { found } else { repair.graph.entry() };
            repair.link(lost, &[near]);
        }
    }
    // Nothing is left: the second round may have taken the last link to a node that was still lost, but only to one ahead of it,
    // since those behind it had been reached and had other links.
    Ok(repair.linked.len())
}

struct Repair<'a> {
    graph: &'a mut Built,
    reached: FixedBitSet,
    /// Nodes that gave up a link.
    robbed: FixedBitSet,
    /// Nodes that were lost, in the order in which they were linked.
    linked: Vec<u32>,
}

impl Repair<'_> {
    fn reached_neighbours(&self, node: u32) -> Vec<u32> {
        self.graph.links(node, 0).iter().copied().filter(|&next| self.reached.contains(next as usize)).collect()
    }

    /// Links `lost` from a reached node: from one nearby that has room, or else from one nearby that gives up a link, each no
    /// more than once (with inner products half of all nodes can be lost, and all are near the same few); or else from
    /// one that was lost itself and has room.
    fn link(&mut self, lost: u32, near: &[u32]) {
        let linked = self.append_nearby(lost, near) || self.rob_once(lost, near) || self.append_to_recent(lost);
        if let (false, Some(&parent)) = (linked, near.first()) {
            self.rob(parent, lost);
        }
        self.linked.push(lost);
        flood(self.graph, lost, &mut self.reached);
    }

    fn append_nearby(&mut self, lost: u32, near: &[u32]) -> bool {
        near.iter().any(|&parent| self.graph.append(parent, lost))
            || near.iter().any(|&parent| {
                let farther = self.reached_neighbours(parent);
                farther.iter().any(|&parent| self.graph.append(parent, lost))
            })
    }

    fn append_to_recent(&mut self, lost: u32) -> bool {
        self.linked.iter().rev().take(RECENT).any(|&parent| self.graph.append(parent, lost))
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
        let links = self.graph.links_mut(parent);
        // Spread over the list, or the children of one parent would become a chain.
        let slot = lost as usize % links.len().max(1);
        let Some(link) = links.get_mut(slot) else { return };
        let displaced = std::mem::replace(link, lost);
        if self.graph.links(lost, 0).contains(&displaced) || self.graph.append(lost, displaced) {
            return;
        }
        let links = self.graph.links_mut(lost);
        let spare = links.iter().position(|&node| self.reached.contains(node as usize)).unwrap_or(0);
        if let Some(link) = links.get_mut(spare) {
            *link = displaced;
        }
    }
}

/// Marks all that can be reached from `start`, which is reachable.
fn flood(graph: &Built, start: u32, reached: &mut FixedBitSet) {
    let mut open = vec![start];
    reached.insert(start as usize);
    while let Some(node) = open.pop() {
        for &next in graph.links(node, 0) {
            if !reached.put(next as usize) {
                open.push(next);
            }
        }
    }
}

/// How many nodes can be reached from the entry point on level 0.
#[cfg(test)]
pub(crate) fn reachable(graph: &Built) -> usize {
    let mut reached = FixedBitSet::with_capacity(graph.len() as usize);
    flood(graph, graph.entry(), &mut reached);
    reached.count_ones(..)
}
