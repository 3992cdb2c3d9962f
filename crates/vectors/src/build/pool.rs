//! The nearest places found so far, in one sorted array: candidates to expand and results at once.
//!
//! hnswlib keeps two heaps; an array of a few hundred keys that fit the first cache is faster.

/// A place on a layer with its distance, in one integer that sorts by distance, then by place, and has room for one mark.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) struct Near(u64);

impl Near {
    /// `place` is below 2³¹, as all nodes are.
    #[inline]
    pub(crate) fn new(distance: f32, place: u32) -> Self {
        Self(u64::from(sortable(distance)) << 32 | u64::from(place << 1))
    }

    #[inline]
    pub(crate) fn place(self) -> u32 {
        self.0 as u32 >> 1
    }

    #[inline]
    pub(crate) fn distance(self) -> f32 {
        let sortable = (self.0 >> 32) as u32;
        f32::from_bits(if sortable >> 31 == 1 { sortable & !(1 << 31) } else { !sortable })
    }

    /// The same with its mark set.
    #[inline]
    pub(crate) fn marked(self) -> Self {
        Self(self.0 | 1)
    }

    /// The same with its mark cleared.
    #[inline]
    pub(crate) fn unmarked(self) -> Self {
        Self(self.0 & !1)
    }

    #[inline]
    pub(crate) fn is_marked(self) -> bool {
        self.0 & 1 == 1
    }
}

/// The bits of a distance as an integer in the same order.
#[inline]
fn sortable(distance: f32) -> u32 {
    let bits = distance.to_bits();
    // Negative floats sort backwards by their bits, and before positive ones.
    if bits >> 31 == 1 { !bits } else { bits | 1 << 31 }
}

/// A place before which so few are to be taken will be taken soon.
const SOON: usize = 4;

/// At most `limit` places, the nearest of all that were offered. A mark says that one was taken to be expanded.
#[derive(Default)]
pub(crate) struct Pool {
    nears: Vec<Near>,
    limit: usize,
    /// All before this one are marked.
    next: usize,
    /// What is not nearer than this is not kept.
    bound: u32,
}

impl Pool {
    /// Forgets all, to keep `limit` (at least 1) from now on.
    pub(crate) fn reset(&mut self, limit: usize) {
        self.nears.clear();
        self.limit = limit;
        self.next = 0;
        self.bound = u32::MAX;
    }

    /// Keeps a place that was not offered before, if there is room or it is nearer than the farthest kept. Of places as far as
    /// the farthest those stay that came first: else a walk among equal points would never end. Returns whether it is one of
    /// the next few to be taken.
    #[inline]
    pub(crate) fn offer(&mut self, distance: f32, place: u32) -> bool {
        if sortable(distance) >= self.bound {
            return false;
        }
        if self.nears.len() == self.limit {
            self.nears.pop();
        }
        let near = Near::new(distance, place);
        let at = self.nears.partition_point(|kept| *kept < near);
        self.nears.insert(at, near);
        self.next = self.next.min(at);
        if self.nears.len() == self.limit {
            self.bound = self.nears.last().map_or(u32::MAX, |last| (last.0 >> 32) as u32);
        }
        at < self.next + SOON
    }

    /// Takes the nearest place that was not taken yet.
    #[inline]
    pub(crate) fn take(&mut self) -> Option<u32> {
        let place = self.peek()?;
        let taken = &mut self.nears[self.next];
        *taken = taken.marked();
        self.next += 1;
        Some(place)
    }

    /// The place that would be taken next.
    #[inline]
    pub(crate) fn peek(&mut self) -> Option<u32> {
        while let Some(near) = self.nears.get(self.next) {
            if !near.is_marked() {
                return Some(near.place());
            }
            self.next += 1;
        }
        None
    }

    /// All that is kept, nearest first.
    pub(crate) fn nears(&self) -> &[Near] {
        &self.nears
    }
}
