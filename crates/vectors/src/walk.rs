//! Approximate search: greedily down the upper levels, then best-first on level 0 (Malkov & Yashunin 2018, algorithms 2 and 5).
//!
//! Every link is checked before it is followed, and every node is expanded at most once, so a damaged graph costs a wrong
//! answer or an error, and no more time than a scan.

use std::{cell::Cell, cmp::Reverse, collections::BinaryHeap};

use fixedbitset::FixedBitSet;

use crate::{
    distance::{Key, Query},
    error::{Error, Result},
    full::Rows,
    graph::Links,
    kernels::prefetch,
};

/// Expanded nodes between two looks at the cancel flag.
const CANCEL_EVERY: usize = 256;

/// What a walk needs besides its memory.
pub(crate) struct Walk<'a> {
    pub(crate) links: Links<'a>,
    /// As many as the graph has nodes.
    pub(crate) rows: Rows<'a>,
    pub(crate) query: &'a Query<'a>,
    /// Ordinals that may be answered. Others are walked through.
    pub(crate) allowed: Option<&'a FixedBitSet>,
    /// How many of the nearest are kept, at least 1.
    pub(crate) ef: usize,
    /// Distances after which a walk gives up.
    pub(crate) budget: usize,
    pub(crate) cancel: &'a dyn Fn() -> bool,
}

/// What a walk remembers; kept by its thread from one walk to the next.
#[derive(Default)]
struct Scratch {
    /// A bit for each node that was offered.
    visited: Vec<u64>,
    /// Nodes to expand.
    candidates: BinaryHeap<Reverse<Key>>,
    /// The best allowed nodes, at most `ef`.
    nearest: BinaryHeap<Key>,
    /// Neighbours that were met for the first time.
    fresh: Vec<u32>,
}

thread_local! {
    static SCRATCH: Cell<Scratch> = Cell::default();
}

impl Walk<'_> {
    /// The allowed nodes found nearest, at most `ef`, nearest first; nothing when the budget did not suffice.
    pub(crate) fn run(&self) -> Result<Option<Vec<Key>>> {
        if self.rows.len() == 0 {
            return Ok(Some(Vec::new()));
        }
        // Taken, not borrowed: a cancel function may search, too.
        let mut scratch = SCRATCH.take();
        scratch.visited.clear();
        scratch.visited.resize(self.rows.len().div_ceil(64), 0);
        scratch.candidates.clear();
        scratch.nearest.clear();
        let finished = self.descend().and_then(|start| self.spread(start, &mut scratch));
        let found = finished.map(|finished| finished.then(|| sorted(&mut scratch.nearest)));
        SCRATCH.set(scratch);
        found
    }

    /// Goes greedily from the entry point down to level 1; returns where level 0 is entered.
    fn descend(&self) -> Result<Key> {
        let mut best = self.measure(self.links.entry());
        let mut position = 0;
        for level in (1..=self.links.levels()).rev() {
            let mut moved = true;
            while moved {
                moved = false;
                if (self.cancel)() {
                    return Err(Error::Cancelled);
                }
                for link in self.links.upper(level, position) {
                    let (other, node) = link?;
                    let key = self.measure(node);
                    if key < best {
                        best = key;
                        position = other;
                        moved = true;
                    }
                }
            }
        }
        Ok(best)
    }

    /// Expands the nearest known node again and again until none can improve on what is kept; false when over budget.
    fn spread(&self, start: Key, scratch: &mut Scratch) -> Result<bool> {
        let Scratch { visited, candidates, nearest, fresh } = scratch;
        visit(visited, start.node());
        self.offer(start, candidates, nearest);
        let (mut hops, mut measured) = (0, 1);
        while let Some(Reverse(candidate)) = candidates.pop() {
            if nearest.len() == self.ef && nearest.peek().is_some_and(|worst| candidate > *worst) {
                break;
            }
            if measured > self.budget {
                return Ok(false);
            }
            hops += 1;
            if hops % CANCEL_EVERY == 0 && (self.cancel)() {
                return Err(Error::Cancelled);
            }
            fresh.clear();
            for &link in self.links.slots(candidate.node()) {
                let Some(node) = self.links.node(link)? else { break };
                if visit(visited, node) {
                    prefetch(self.rows.row(node));
                    fresh.push(node);
                }
            }
            measured += fresh.len();
            for &node in &*fresh {
                self.offer(self.measure(node), candidates, nearest);
            }
        }
        Ok(true)
    }

    /// Keeps a measured node if it is better than the worst that is kept, or if there is room.
    #[inline]
    fn offer(&self, key: Key, candidates: &mut BinaryHeap<Reverse<Key>>, nearest: &mut BinaryHeap<Key>) {
        let full = nearest.len() == self.ef;
        if full && nearest.peek().is_some_and(|worst| key > *worst) {
            return;
        }
        candidates.push(Reverse(key));
        if self.is_allowed(key.node()) {
            if full {
                nearest.pop();
            }
            nearest.push(key);
        }
    }

    #[inline]
    fn measure(&self, node: u32) -> Key {
        Key::new(self.rows.distance(self.query, node), node)
    }

    #[inline]
    fn is_allowed(&self, node: u32) -> bool {
        self.allowed.is_none_or(|allowed| allowed.contains(self.links.ordinal(node) as usize))
    }
}

/// Marks a node; true when it was not marked before.
#[inline]
fn visit(visited: &mut [u64], node: u32) -> bool {
    let (word, bit) = (&mut visited[node as usize / 64], 1 << (node % 64));
    let fresh = *word & bit == 0;
    *word |= bit;
    fresh
}

fn sorted(heap: &mut BinaryHeap<Key>) -> Vec<Key> {
    let mut keys: Vec<Key> = heap.drain().collect();
    keys.sort_unstable();
    keys
}
