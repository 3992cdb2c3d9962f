//! Which nodes a walk has met.

use crate::{error::Result, graph::Links};

/// A bit for each node, and the nodes that were met in their order.
#[derive(Default)]
pub(crate) struct Visited {
    bits: Vec<u64>,
    met: Vec<u32>,
}

/// Bytes of memory that a thread keeps for the next walk.
const KEPT: usize = 1 << 20;

impl Visited {
    /// Forgets all nodes, of which there are `count` now.
    pub(crate) fn begin(&mut self, count: usize) {
        let words = count.div_ceil(64);
        // After a walk in a large graph, most words are still zero.
        if self.bits.len() == words && self.met.len() < words {
            for node in &self.met {
                self.bits[*node as usize / 64] = 0;
            }
        } else {
            self.bits.clear();
            self.bits.resize(words, 0);
        }
        self.met.clear();
    }

    /// Marks a node; true when it was not marked before.
    #[inline]
    pub(crate) fn first(&mut self, node: u32) -> bool {
        let (word, bit) = (&mut self.bits[node as usize / 64], 1 << (node % 64));
        let first = *word & bit == 0;
        *word |= bit;
        if first {
            self.met.push(node);
        }
        first
    }

    /// Whether a node, below the count that it began with, is marked.
    #[inline]
    pub(crate) fn is_met(&self, node: u32) -> bool {
        self.bits[node as usize / 64] & 1 << (node % 64) != 0
    }

    /// Marks the nodes of a list of links up to its end, and counts those that were not marked before: [`Visited::latest`] of them.
    ///
    /// # Errors
    /// When a link leads to no node.
    #[inline]
    pub(crate) fn meet(&mut self, slots: &[u32], links: &Links) -> Result<usize> {
        let start = self.met.len();
        self.met.resize(start + slots.len(), 0);
        let mut end = start;
        for &link in slots {
            let Some(node) = links.node(link).inspect_err(|_| self.met.truncate(start))? else { break };
            let (word, bit) = (&mut self.bits[node as usize / 64], 1_u64 << (node % 64));
            // Written whether it is new or not, and overwritten if not: a branch here would be a guess.
            self.met[end] = node;
            end += usize::from(*word & bit == 0);
            *word |= bit;
        }
        self.met.truncate(end);
        Ok(end - start)
    }

    /// The nodes that were marked last, in their order; so many were.
    #[inline]
    pub(crate) fn latest(&self, count: usize) -> &[u32] {
        &self.met[self.met.len() - count..]
    }

    /// Gives back memory that only a very large graph needs.
    pub(crate) fn shrink(&mut self) {
        if self.bits.capacity() * size_of::<u64>() > KEPT || self.met.capacity() * size_of::<u32>() > KEPT {
            *self = Self::default();
        }
    }
}
