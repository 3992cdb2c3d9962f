//! Choices, by a seed or by the bytes of a fuzzer.

use crate::random::Random;

/// Something that chooses.
pub trait Choose {
    /// A number below `end`, which is at least 1.
    fn below(&mut self, end: usize) -> usize;

    /// Any number.
    fn word(&mut self) -> u32;
}

impl Choose for Random {
    fn below(&mut self, end: usize) -> usize {
        (self.number() >> 11) as usize % end
    }

    fn word(&mut self) -> u32 {
        self.number() as u32
    }
}

/// Choices that stand in bytes, a few for each; when they are used up, always the first.
#[derive(Debug)]
pub struct Script<'a>(pub &'a [u8]);

impl Script<'_> {
    /// Whether all bytes were used.
    #[must_use]
    pub fn is_over(&self) -> bool {
        self.0.is_empty()
    }

    fn take(&mut self, bytes: usize) -> u32 {
        let (taken, rest) = self.0.split_at(bytes.min(self.0.len()));
        self.0 = rest;
        taken.iter().fold(0, |number, &byte| number << 8 | u32::from(byte))
    }
}

impl Choose for Script<'_> {
    fn below(&mut self, end: usize) -> usize {
        let bytes = if end <= 1 << 8 { 1 } else { 3 };
        self.take(bytes) as usize % end
    }

    fn word(&mut self) -> u32 {
        self.take(4)
    }
}
