//! What is known of words that are not short: entries in an arena, found by hash.

use super::arena::{Arena, Full};
use super::short::Known;
use super::table::{Hash, Table};

/// The longest word in bytes that is remembered. Longer ones are data, and rarely come again.
pub(super) const LONGEST: usize = 100;
/// Bytes of an entry before the word: its length, and what is known of it.
const HEAD: usize = 8;

#[derive(Default)]
pub(super) struct LongWords(Table);

impl LongWords {
    /// What is known of a word, and its hash.
    pub fn find(&self, word: &str, hash: &Hash, entries: &Arena) -> (Option<Known>, u32) {
        let (word, hashed) = (word.as_bytes(), hash.of(word.as_bytes()));
        let is = |entry: u32| {
            let entry = entries.at(entry);
            usize::from(entry[0]) == word.len() && entry[HEAD..HEAD + word.len()] == *word
        };
        let known = self.0.find(hashed, is).map(|entry| {
            let entry = entries.at(entry);
            let terms = u32::from_le_bytes([entry[4], entry[5], entry[6], entry[7]]);
            Known { positions: entry[1], count: entry[2], single: entry[3] != 0, terms }
        });
        (known, hashed)
    }

    /// Remembers a word of at most [`LONGEST`] bytes that is not known.
    pub fn insert(&mut self, word: &str, hashed: u32, known: Known, entries: &mut Arena) -> Result<(), Full> {
        let address = entries.allocate(HEAD + word.len())?;
        let entry = entries.at_mut(address);
        entry[..4].copy_from_slice(&[word.len() as u8, known.positions, known.count, u8::from(known.single)]);
        entry[4..HEAD].copy_from_slice(&known.terms.to_le_bytes());
        entry[HEAD..HEAD + word.len()].copy_from_slice(word.as_bytes());
        self.0.insert(hashed, address);
        Ok(())
    }

    pub fn memory_bytes(&self) -> usize {
        self.0.memory_bytes()
    }
}
