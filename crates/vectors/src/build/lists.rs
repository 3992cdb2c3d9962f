//! The links of a graph under construction, in the layout of its file, shared by the threads that build it.
//!
//! Level 0 has a list of 2m slots for each node; a level above it has a list of m slots for each of its nodes, which are
//! numbered by descending level, so that level l holds the first of them and one number serves all upper levels. A *place*
//! is a node on level 0 and such a number above it.
//!
//! A list is changed under its lock and read without: a reader sees each slot as it was at some time, a place or the end,
//! and a place that it misses is one that it could have come too early for.

use std::{
    cmp::Reverse,
    sync::{
        Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU16, AtomicU32, Ordering},
    },
};

use crate::format::NONE;

/// The nodes above level 0, the tallest first, of equals the one that comes first.
pub(crate) struct Tall {
    nodes: Vec<u32>,
    /// How many nodes are on level 1, 2, …
    counts: Vec<u32>,
    /// Nodes with their numbers, ascending.
    numbers: Vec<(u32, u32)>,
}

impl Tall {
    fn new(levels: &[u8]) -> Self {
        let level = |node: u32| levels[node as usize];
        let mut nodes: Vec<u32> = (0..levels.len() as u32).filter(|&node| level(node) > 0).collect();
        nodes.sort_by_key(|&node| (Reverse(level(node)), node));
        let top = nodes.first().map_or(0, |&node| level(node));
        let counts = (1..=top).map(|least| nodes.partition_point(|&node| level(node) >= least) as u32).collect();
        let mut numbers: Vec<(u32, u32)> = nodes.iter().copied().zip(0..).collect();
        numbers.sort_unstable();
        Self { nodes, counts, numbers }
    }

    /// The nodes by their numbers.
    pub(crate) fn nodes(&self) -> &[u32] {
        &self.nodes
    }

    /// How many nodes are on level 1, 2, …
    pub(crate) fn counts(&self) -> &[u32] {
        &self.counts
    }

    /// Whether a node is one of them.
    pub(crate) fn is(&self, node: u32) -> bool {
        self.number(node).is_some()
    }

    fn number(&self, node: u32) -> Option<u32> {
        let found = self.numbers.binary_search_by_key(&node, |&(node, _)| node).ok()?;
        Some(self.numbers[found].1)
    }
}

/// How many links at the head of a list came from one choice of the heuristic: none of them is nearer to another of them than
/// to the list's own node.
///
/// Atomic though it is locked: `ThreadSanitizer` cannot see into the standard library's locks, and would call it a race.
pub(crate) type Chosen = AtomicU16;

/// All lists of a graph.
pub(crate) struct Lists {
    m: usize,
    tall: Tall,
    level0: Vec<AtomicU32>,
    upper: Vec<AtomicU32>,
    /// One for each list, those of level 0 first.
    locks: Vec<Mutex<Chosen>>,
    /// For level 1, 2, …, how many upper lists come before its first.
    starts: Vec<usize>,
}

impl Lists {
    /// Empty lists for nodes of these levels; none when there is not enough memory.
    pub(crate) fn new(m: usize, levels: &[u8]) -> Option<Self> {
        let tall = Tall::new(levels);
        let (mut starts, mut lists) = (Vec::with_capacity(tall.counts.len()), 0);
        for &count in &tall.counts {
            starts.push(lists);
            lists += count as usize;
        }
        Some(Self {
            m,
            level0: filled(levels.len() * 2 * m, || AtomicU32::new(NONE))?,
            upper: filled(lists * m, || AtomicU32::new(NONE))?,
            locks: filled(levels.len() + lists, Mutex::default)?,
            tall,
            starts,
        })
    }

    /// Bytes of a graph of so many nodes, but for the few percent that vary with chance.
    pub(crate) fn bytes(m: usize, nodes: usize) -> usize {
        let upper = nodes.div_ceil(m - 1);
        let list = |slots| slots * size_of::<AtomicU32>() + size_of::<Mutex<Chosen>>();
        nodes * list(2 * m) + upper * (list(m) + size_of::<[u32; 3]>())
    }

    pub(crate) fn tall(&self) -> &Tall {
        &self.tall
    }

    /// Levels above level 0.
    pub(crate) fn top(&self) -> u8 {
        self.tall.counts.len() as u8
    }

    /// The node at which all searches begin: the first of the tallest.
    pub(crate) fn entry(&self) -> u32 {
        self.tall.nodes.first().copied().unwrap_or(0)
    }

    /// The number of a node on the levels above 0; on level 0 its place is the node itself.
    pub(crate) fn place(&self, node: u32, level: u8) -> u32 {
        if level == 0 { node } else { self.tall.number(node).unwrap_or(0) }
    }

    /// The lists of a level that there is.
    pub(crate) fn layer(&self, level: u8) -> Layer<'_> {
        if level == 0 {
            let nodes = self.level0.len() / (2 * self.m);
            return Layer { slots: &self.level0, locks: &self.locks[..nodes], width: 2 * self.m, tall: None };
        }
        let above = usize::from(level) - 1;
        let (start, count) = (self.starts[above], self.tall.counts[above] as usize);
        let locks = self.locks.len() - self.upper.len() / self.m + start;
        Layer {
            slots: &self.upper[start * self.m..][..count * self.m],
            locks: &self.locks[locks..][..count],
            width: self.m,
            tall: Some(&self.tall.nodes),
        }
    }
}

fn filled<T>(count: usize, mut item: impl FnMut() -> T) -> Option<Vec<T>> {
    let mut items = Vec::new();
    items.try_reserve_exact(count).ok()?;
    items.resize_with(count, &mut item);
    Some(items)
}

/// The lists of one level.
#[derive(Clone, Copy)]
pub(crate) struct Layer<'a> {
    slots: &'a [AtomicU32],
    locks: &'a [Mutex<Chosen>],
    width: usize,
    /// What nodes the places are; none where they are nodes.
    tall: Option<&'a [u32]>,
}

impl<'a> Layer<'a> {
    /// The most links of a list.
    pub(crate) fn width(&self) -> usize {
        self.width
    }

    /// How many places there are.
    pub(crate) fn len(&self) -> usize {
        self.locks.len()
    }

    #[inline]
    pub(crate) fn node(&self, place: u32) -> u32 {
        self.tall.map_or(place, |tall| tall[place as usize])
    }

    /// Whether places are nodes.
    #[inline]
    pub(crate) fn is_ground(&self) -> bool {
        self.tall.is_none()
    }

    /// The slots of a list, those behind its end too.
    #[inline]
    pub(crate) fn slots(&self, place: u32) -> &'a [AtomicU32] {
        &self.slots[place as usize * self.width..][..self.width]
    }

    /// The links of a place, as they are now.
    #[inline]
    pub(crate) fn links(&self, place: u32) -> impl Iterator<Item = u32> + use<'a> {
        self.slots(place).iter().map(|slot| slot.load(Ordering::Relaxed)).take_while(|&link| link != NONE)
    }

    /// The list of a place, to be changed by nobody else for as long as this lives.
    pub(crate) fn lock(&self, place: u32) -> Locked<'a> {
        // A thread that panicked left links that are places all the same, and its build ends in an error.
        let chosen = self.locks[place as usize].lock().unwrap_or_else(PoisonError::into_inner);
        Locked { chosen, slots: self.slots(place) }
    }
}

/// A list and its lock, held.
pub(crate) struct Locked<'a> {
    chosen: MutexGuard<'a, Chosen>,
    slots: &'a [AtomicU32],
}

impl Locked<'_> {
    /// How many links it has.
    pub(crate) fn len(&self) -> usize {
        self.slots.iter().position(|slot| slot.load(Ordering::Relaxed) == NONE).unwrap_or(self.slots.len())
    }

    /// How many at its head the heuristic chose at once.
    pub(crate) fn chosen(&self) -> usize {
        usize::from(self.chosen.load(Ordering::Relaxed))
    }

    /// Adds a link; false when there is no room.
    pub(crate) fn append(&mut self, link: u32) -> bool {
        let room = self.slots.get(self.len());
        if let Some(slot) = room {
            slot.store(link, Ordering::Relaxed);
        }
        room.is_some()
    }

    /// Replaces one link; those from there on are no longer chosen.
    pub(crate) fn replace(&mut self, at: usize, link: u32) {
        self.slots[at].store(link, Ordering::Relaxed);
        self.chosen.fetch_min(at as u16, Ordering::Relaxed);
    }

    /// Replaces all links by at most as many as there are slots. `chosen` says whether the heuristic chose them.
    pub(crate) fn fill(&mut self, links: impl Iterator<Item = u32>, chosen: bool) {
        let mut count = 0;
        let mut slots = self.slots.iter();
        for (link, slot) in links.zip(&mut slots) {
            slot.store(link, Ordering::Relaxed);
            count += 1;
        }
        slots.for_each(|slot| slot.store(NONE, Ordering::Relaxed));
        // At most 2m of them, which is a few thousand where another program built the graph.
        self.chosen.store(if chosen { count } else { 0 }, Ordering::Relaxed);
    }
}
