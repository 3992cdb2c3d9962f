//! The nearest nodes that a walk has met, and which of them it has still to expand.

use crate::distance::Key;

/// A sorted array of the nearest `room` keys. Which are expanded is a bit in each.
#[derive(Default)]
pub(crate) struct Pool {
    /// Keys with room for the bit: see [`pack`].
    packed: Vec<u64>,
    room: usize,
    /// All before it are expanded.
    next: usize,
    /// Keys of one hop that are near enough.
    fresh: Vec<u64>,
}

const EXPANDED: u64 = 1;
/// Keys whose memory a thread keeps for the next walk.
const KEPT: usize = 1 << 15;

/// The node's number is below 2³¹, so one bit is free behind it.
#[inline]
fn pack(key: Key) -> u64 {
    let distance = key.bits() & !u64::from(u32::MAX);
    distance | u64::from(key.node()) << 1
}

#[inline]
fn unpack(packed: u64) -> Key {
    Key::of_bits(packed & !u64::from(u32::MAX) | u64::from(packed as u32 >> 1))
}

impl Pool {
    /// Empties it, and gives it room for `room` keys, at least one.
    pub(crate) fn reset(&mut self, room: usize) {
        self.packed.clear();
        self.room = room;
        self.next = 0;
    }

    /// Whether a key would be kept.
    #[inline]
    fn bound(&self) -> u64 {
        if self.packed.len() < self.room { u64::MAX } else { self.packed[self.room - 1] }
    }

    /// Keeps those of `keys` that are among the nearest.
    #[inline]
    pub(crate) fn offer(&mut self, keys: &[Key]) {
        let bound = self.bound();
        self.fresh.clear();
        self.fresh.extend(keys.iter().map(|key| pack(*key)).filter(|key| *key < bound));
        self.fresh.sort_unstable();
        self.merge();
    }

    /// Puts the sorted fresh keys where they belong, from the last, moving what is behind each at once.
    #[inline]
    fn merge(&mut self) {
        let mut end = self.packed.len();
        self.packed.resize(end + self.fresh.len(), 0);
        for (before, &key) in self.fresh.iter().enumerate().rev() {
            let at = self.packed[..end].partition_point(|kept| *kept < key);
            self.packed.copy_within(at..end, at + before + 1);
            self.packed[at + before] = key;
            end = at;
        }
        if !self.fresh.is_empty() {
            self.next = self.next.min(end);
        }
        self.packed.truncate(self.room);
    }

    /// The nearest that is not expanded yet, which is expanded now.
    #[inline]
    pub(crate) fn expand(&mut self) -> Option<u32> {
        self.expand_of(usize::MAX)
    }

    /// As [`Pool::expand`], of the nearest `count` alone.
    #[inline]
    pub(crate) fn expand_of(&mut self, count: usize) -> Option<u32> {
        if self.next >= count {
            return None;
        }
        let key = self.packed.get_mut(self.next)?;
        let node = unpack(*key).node();
        *key |= EXPANDED;
        self.next += 1;
        while self.packed.get(self.next).is_some_and(|key| key & EXPANDED != 0) {
            self.next += 1;
        }
        Some(node)
    }

    /// Forgets the nodes for which this is false.
    pub(crate) fn retain(&mut self, mut keep: impl FnMut(u32) -> bool) {
        self.packed.retain(|key| keep(unpack(*key).node()));
    }

    /// What would be expanded next, and after that.
    #[inline]
    pub(crate) fn ahead(&self) -> impl Iterator<Item = u32> {
        let rest = self.packed.get(self.next..).unwrap_or_default();
        rest.iter().filter(|key| **key & EXPANDED == 0).map(|key| unpack(*key).node())
    }

    /// Gives back memory that few walks need.
    pub(crate) fn shrink(&mut self) {
        if self.packed.capacity() > KEPT {
            self.packed = Vec::new();
        }
    }

    /// The nearest that were kept, nearest first.
    pub(crate) fn kept(&self) -> impl ExactSizeIterator<Item = Key> {
        self.packed.iter().map(|key| unpack(*key))
    }
}
