//! Which nodes a walk among the allowed need not look at.

use fixedbitset::FixedBitSet;

use crate::{error::Result, graph::Links, ordinals::Ordinals};

/// A bit for each node that is not allowed or was met: one look tells both.
#[derive(Default)]
pub(crate) struct Barred {
    bits: Vec<u64>,
}

impl Barred {
    pub(crate) fn begin(&mut self, allowed: &FixedBitSet, ordinals: Ordinals) {
        let count = ordinals.len();
        self.bits.clear();
        if ordinals.are_rows() {
            self.bits.extend(allowed.as_slice().iter().map(|word| !(*word as u64)));
            self.bits.resize(count.div_ceil(64), u64::MAX);
        } else {
            self.bits.resize(count.div_ceil(64), u64::MAX);
            for node in 0..count as u32 {
                let is_allowed = u64::from(allowed.contains(ordinals.get(node) as usize));
                self.bits[node as usize / 64] &= !(is_allowed << (node % 64));
            }
        }
    }

    /// Bars a node.
    pub(crate) fn bar(&mut self, node: u32) {
        self.bits[node as usize / 64] |= 1 << (node % 64);
    }

    /// Appends the nodes of a list of links, up to its end, that are not barred, and bars them. Returns how many links there are.
    #[inline]
    pub(crate) fn take(&mut self, slots: &[u32], links: &Links, nodes: &mut Vec<u32>) -> Result<usize> {
        let start = nodes.len();
        nodes.resize(start + slots.len(), 0);
        let (mut end, mut count) = (start, 0);
        for &link in slots {
            let Some(node) = links.node(link).inspect_err(|_| nodes.truncate(start))? else { break };
            let (word, bit) = (&mut self.bits[node as usize / 64], 1_u64 << (node % 64));
            // Written whether it is allowed or not, and overwritten if not: a branch here would be a guess.
            nodes[end] = node;
            end += usize::from(*word & bit == 0);
            *word |= bit;
            count += 1;
        }
        nodes.truncate(end);
        Ok(count)
    }
}
