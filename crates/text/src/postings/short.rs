//! What is known of short words: one hash table whose slots hold the words themselves, so that a look-up is one place in memory.

use super::table::Hash;
use crate::analyzer::Key;

const SLOTS_AT_FIRST: usize = 32;

/// What a word stands for.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Known {
    /// The number of its term if that is single; else where the terms are.
    pub terms: u32,
    /// How many terms it has.
    pub count: u8,
    /// How many positions it takes.
    pub positions: u8,
    /// Whether it has one term, at its first position.
    pub single: bool,
}

/// A slot: no word begins with a zero, so a key that does is that of an empty one.
type Slot = (Key, Known);

#[derive(Default)]
pub(super) struct ShortWords {
    slots: Vec<Slot>,
    filled: usize,
}

impl ShortWords {
    pub fn find(&self, key: Key, hash: &Hash) -> Option<Known> {
        let mask = self.slots.len().checked_sub(1)?;
        let mut at = hash.of_key(key) as usize & mask;
        loop {
            let (found, known) = self.slots[at];
            if found == key {
                return Some(known);
            }
            if found.0 == 0 {
                return None;
            }
            at = (at + 1) & mask;
        }
    }

    /// Adds a word that is not there.
    pub fn insert(&mut self, key: Key, known: Known, hash: &Hash) {
        // At most two of three slots are filled.
        if self.filled * 3 >= self.slots.len() * 2 {
            let larger = vec![Slot::default(); (self.slots.len() * 2).max(SLOTS_AT_FIRST)];
            for slot in std::mem::replace(&mut self.slots, larger) {
                if slot.0.0 != 0 {
                    self.put(slot, hash);
                }
            }
        }
        self.put((key, known), hash);
        self.filled += 1;
    }

    fn put(&mut self, slot: Slot, hash: &Hash) {
        let mask = self.slots.len() - 1;
        let mut at = hash.of_key(slot.0) as usize & mask;
        while self.slots[at].0.0 != 0 {
            at = (at + 1) & mask;
        }
        self.slots[at] = slot;
    }

    pub fn memory_bytes(&self) -> usize {
        self.slots.capacity() * size_of::<Slot>()
    }
}
