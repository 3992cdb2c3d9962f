//! Hash tables of numbers, whose owner knows what each stands for.

use std::hash::{BuildHasher, RandomState};

use crate::analyzer::Key;

/// A slot without a number.
const EMPTY: u64 = u64::MAX;
const SLOTS_AT_FIRST: usize = 64;

/// Numbers below 2^32 − 1 by the hash of what they stand for: 64-bit slots, the hash in the upper half.
#[derive(Default)]
pub(super) struct Table {
    slots: Vec<u64>,
    filled: usize,
}

impl Table {
    /// The number of this hash for which `is` answers true.
    pub fn find(&self, hash: u32, mut is: impl FnMut(u32) -> bool) -> Option<u32> {
        let mask = self.slots.len().checked_sub(1)?;
        let mut at = hash as usize & mask;
        loop {
            let slot = self.slots[at];
            if slot == EMPTY {
                return None;
            }
            if (slot >> 32) as u32 == hash && is(slot as u32) {
                return Some(slot as u32);
            }
            at = (at + 1) & mask;
        }
    }

    /// Adds a number that is not there.
    pub fn insert(&mut self, hash: u32, number: u32) {
        if self.filled * 2 >= self.slots.len() {
            let larger = vec![EMPTY; (self.slots.len() * 2).max(SLOTS_AT_FIRST)];
            for slot in std::mem::replace(&mut self.slots, larger) {
                if slot != EMPTY {
                    self.put(slot);
                }
            }
        }
        self.put(u64::from(hash) << 32 | u64::from(number));
        self.filled += 1;
    }

    fn put(&mut self, slot: u64) {
        let mask = self.slots.len() - 1;
        let mut at = (slot >> 32) as usize & mask;
        while self.slots[at] != EMPTY {
            at = (at + 1) & mask;
        }
        self.slots[at] = slot;
    }

    pub fn memory_bytes(&self) -> usize {
        self.slots.capacity() * size_of::<u64>()
    }
}

/// An odd number of as many ones as zeroes (wyhash's).
const SECRET: u64 = 0xa076_1d64_78bd_642f;

/// Hashes short strings by multiplying 64 bits at a time (wyhash's way). Seeded at random, so that nobody can write documents whose words
/// all fall on one slot; what is built does not depend on it.
pub(super) struct Hash {
    seed: u64,
}

impl Hash {
    pub fn new() -> Self {
        Self { seed: RandomState::new().hash_one(0) }
    }

    pub fn of_key(&self, (a, b): Key) -> u64 {
        fold(a ^ self.seed, b ^ SECRET)
    }

    pub fn of(&self, bytes: &[u8]) -> u32 {
        let mut state = self.seed ^ (bytes.len() as u64).wrapping_mul(SECRET);
        let mut rest = bytes;
        while let Some((sixteen, more)) = rest.split_first_chunk::<16>().filter(|(_, more)| !more.is_empty()) {
            let both = u128::from_le_bytes(*sixteen);
            state = fold(both as u64 ^ SECRET, (both >> 64) as u64 ^ state);
            rest = more;
        }
        let (a, b) = match (rest.first_chunk::<8>(), rest.last_chunk::<8>()) {
            (Some(first), Some(last)) => (u64::from_le_bytes(*first), u64::from_le_bytes(*last)),
            _ => match (rest.first_chunk::<4>(), rest.last_chunk::<4>()) {
                (Some(first), Some(last)) => {
                    (u64::from(u32::from_le_bytes(*first)), u64::from(u32::from_le_bytes(*last)))
                }
                _ => (rest.iter().fold(0, |number, byte| number << 8 | u64::from(*byte)), 0),
            },
        };
        let mixed = fold(fold(a ^ SECRET, b ^ state), state ^ self.seed.rotate_left(32) ^ SECRET);
        (mixed ^ (mixed >> 32)) as u32
    }
}

/// The halves of the product, folded into one.
fn fold(a: u64, b: u64) -> u64 {
    let product = u128::from(a) * u128::from(b);
    product as u64 ^ (product >> 64) as u64
}
