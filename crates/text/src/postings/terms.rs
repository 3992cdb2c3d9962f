//! The terms of one posting list of a field, numbered as they come.

use super::arena::{Arena, Full};
use super::lists::{List, Lists};
use super::table::{Hash, Table};

/// Bytes before those of a term.
const HEAD: usize = 6;

#[derive(Default)]
pub(super) struct Terms {
    table: Table,
    /// Where the number (u32) of each, the number of its bytes (u16) and they are.
    texts: Vec<u32>,
}

/// A term, and where it is.
#[derive(Clone, Copy)]
pub(super) struct Term {
    text: u32,
    pub list: List,
}

impl Terms {
    /// The number of a term; it is remembered if it is new. Terms have at most 65,535 bytes.
    pub fn number(&mut self, term: &[u8], hash: &Hash, texts: &mut Arena) -> Result<u32, Full> {
        let hashed = hash.of(term);
        if let Some(text) = self.table.find(hashed, |text| text_at(text, texts) == term) {
            let bytes = texts.at(text);
            return Ok(u32::from_le_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]));
        }
        let number = self.texts.len() as u32;
        let text = texts.allocate(HEAD + term.len())?;
        let bytes = texts.at_mut(text);
        bytes[..4].copy_from_slice(&number.to_le_bytes());
        bytes[4..HEAD].copy_from_slice(&(term.len() as u16).to_le_bytes());
        bytes[HEAD..HEAD + term.len()].copy_from_slice(term);
        self.texts.push(text);
        self.table.insert(hashed, text);
        Ok(number)
    }

    /// The terms that are somewhere, in the order of their bytes. What finds a term by its bytes is dropped.
    pub fn sorted(self, texts: &Arena, lists: &Lists) -> Vec<Term> {
        drop(self.table);
        // Most terms differ in their first bytes, which are at hand.
        let key = |text: &u32| {
            let text = text_at(*text, texts);
            let mut beginning = [0; 16];
            let length = text.len().min(16);
            beginning[..length].copy_from_slice(&text[..length]);
            u128::from_be_bytes(beginning)
        };
        let mut keyed: Vec<(u128, u32)> = self.texts.iter().map(key).zip(0..).collect();
        let text = |number: u32| text_at(self.texts[number as usize], texts);
        keyed.sort_unstable_by(|(a, one), (b, other)| a.cmp(b).then_with(|| text(*one).cmp(text(*other))));
        let term = |(_, number)| Some(Term { text: self.texts[number as usize], list: lists.get(number)? });
        keyed.into_iter().filter_map(term).collect()
    }

    pub fn memory_bytes(&self) -> usize {
        self.table.memory_bytes() + self.texts.capacity() * size_of::<u32>()
    }
}

impl Term {
    pub fn text<'a>(&self, texts: &'a Arena) -> &'a [u8] {
        text_at(self.text, texts)
    }

    /// Reads what reading its text begins with.
    pub fn touch_text(&self, texts: &Arena) -> u8 {
        texts.at(self.text).first().copied().unwrap_or_default()
    }
}

/// The bytes of the term that is described there.
fn text_at(address: u32, texts: &Arena) -> &[u8] {
    let bytes = texts.at(address);
    &bytes[HEAD..HEAD + usize::from(u16::from_le_bytes([bytes[4], bytes[5]]))]
}
