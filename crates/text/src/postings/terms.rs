//! The terms of one posting list of a field, and where each is: in memory, a growing list of bytes for each term.
//!
//! A list is, for each document, the distance from the document before, the distances of the positions, each plus one, and a zero, which
//! the last document goes without; all as varints. Its bytes are in chunks, each larger than the one before, up to a limit; the last four
//! bytes of a chunk tell where the next one is.

use super::arena::{Arena, Full};
use super::table::{Hash, Table};

/// Bytes of a list's first chunk: enough for a term that is in one document once, as most are.
const FIRST_CHUNK: u16 = 16;
const LARGEST_CHUNK: u16 = 4096;
/// Bytes at the end of a chunk that tell where the next is.
const LINK: u32 = 4;
/// Bytes before those of a term.
const HEAD: usize = 6;
/// No document: there are fewer.
const NONE: u32 = u32::MAX;

#[derive(Default)]
pub(super) struct Terms {
    table: Table,
    terms: Vec<Term>,
}

/// A term, and the end of its list.
#[derive(Clone, Copy)]
pub(super) struct Term {
    /// Where its number (u32), the number of its bytes (u16) and they are.
    text: u32,
    /// Documents so far.
    pub documents: u32,
    /// The last document, or [`NONE`].
    document: u32,
    /// The last position there.
    position: u32,
    first: u32,
    /// Where the next byte goes, unless that is where the chunk's link is.
    next: u32,
    link: u32,
    /// The last chunk's size in bytes.
    chunk: u16,
}

impl Terms {
    /// The number of a term; it is remembered if it is new. Terms have at most 65,535 bytes.
    pub fn number(&mut self, term: &[u8], hash: &Hash, texts: &mut Arena, lists: &mut Arena) -> Result<u32, Full> {
        let hashed = hash.of(term);
        if let Some(text) = self.table.find(hashed, |text| text_at(text, texts) == term) {
            let bytes = texts.at(text);
            return Ok(u32::from_le_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]));
        }
        let number = self.terms.len() as u32;
        let text = texts.allocate(HEAD + term.len())?;
        let bytes = texts.at_mut(text);
        bytes[..4].copy_from_slice(&number.to_le_bytes());
        bytes[4..HEAD].copy_from_slice(&(term.len() as u16).to_le_bytes());
        bytes[HEAD..HEAD + term.len()].copy_from_slice(term);
        let first = lists.allocate(usize::from(FIRST_CHUNK))?;
        let link = first + (u32::from(FIRST_CHUNK) - LINK);
        let (documents, document, position) = (0, NONE, 0);
        self.terms.push(Term { text, documents, document, position, first, next: first, link, chunk: FIRST_CHUNK });
        self.table.insert(hashed, text);
        Ok(number)
    }

    /// Adds an occurrence of a term. Documents come in order, and so do the positions in a document.
    pub fn push(&mut self, number: u32, document: u32, position: u32, lists: &mut Arena) -> Result<(), Full> {
        let term = &mut self.terms[number as usize];
        let delta = position.wrapping_sub(term.position).wrapping_add(1);
        if document == term.document && delta < 0x80 && term.next < term.link {
            lists.at_mut(term.next)[0] = delta as u8;
            term.next += 1;
            term.position = position;
            return Ok(());
        }
        let mut bytes = varint(delta);
        if document != term.document {
            let distance = match term.documents {
                0 => varint(document),
                // What ends the document before is a zero.
                _ => Bytes { bits: 0, length: 1 }.then(varint(document - term.document)),
            };
            (term.documents, term.document) = (term.documents + 1, document);
            bytes = varint(position.wrapping_add(1));
            if distance.length + bytes.length <= 8 {
                bytes = distance.then(bytes);
            } else {
                term.append(distance, lists)?;
            }
        }
        term.position = position;
        term.append(bytes, lists)
    }

    pub fn len(&self) -> usize {
        self.terms.len()
    }

    /// The terms in the order of their bytes. What finds a term by its bytes is dropped.
    pub fn sorted(self, texts: &Arena) -> Vec<Term> {
        drop(self.table);
        // Most terms differ in their first bytes, which are at hand.
        let key = |term: &Term| {
            let text = term.text(texts);
            let mut beginning = [0; 16];
            let length = text.len().min(16);
            beginning[..length].copy_from_slice(&text[..length]);
            u128::from_be_bytes(beginning)
        };
        let mut keyed: Vec<(u128, u32)> = self.terms.iter().map(key).zip(0..).collect();
        let text = |number: u32| self.terms[number as usize].text(texts);
        keyed.sort_unstable_by(|(a, one), (b, other)| a.cmp(b).then_with(|| text(*one).cmp(text(*other))));
        keyed.into_iter().map(|(_, number)| self.terms[number as usize]).collect()
    }

    pub fn memory_bytes(&self) -> usize {
        self.table.memory_bytes() + self.terms.capacity() * size_of::<Term>()
    }
}

impl Term {
    pub fn text<'a>(&self, texts: &'a Arena) -> &'a [u8] {
        text_at(self.text, texts)
    }

    fn append(&mut self, bytes: Bytes, lists: &mut Arena) -> Result<(), Full> {
        let room = self.link - self.next;
        // Eight bytes at once, where they end before the chunk does: those behind what is meant are written later.
        if bytes.length <= room
            && room + LINK >= 8
            && let Some(eight) = lists.at_mut(self.next).first_chunk_mut::<8>()
        {
            *eight = bytes.bits.to_le_bytes();
            self.next += bytes.length;
            return Ok(());
        }
        for byte in &bytes.bits.to_le_bytes()[..bytes.length as usize] {
            if self.next == self.link {
                let size = (self.chunk * 2).min(LARGEST_CHUNK);
                let next = lists.allocate(usize::from(size))?;
                lists.at_mut(self.link)[..LINK as usize].copy_from_slice(&next.to_le_bytes());
                (self.next, self.link, self.chunk) = (next, next + (u32::from(size) - LINK), size);
            }
            lists.at_mut(self.next)[0] = *byte;
            self.next += 1;
        }
        Ok(())
    }

    /// Reads what reading its list begins with.
    pub fn touch_list(&self, lists: &Arena) -> u8 {
        lists.at(self.first).first().copied().unwrap_or_default()
    }

    /// Reads what reading its text begins with.
    pub fn touch_text(&self, texts: &Arena) -> u8 {
        texts.at(self.text).first().copied().unwrap_or_default()
    }

    /// Puts the bytes of the list into `list`.
    pub fn read(&self, lists: &Arena, list: &mut Vec<u8>) {
        list.clear();
        let (mut at, mut size) = (self.first, FIRST_CHUNK);
        loop {
            let payload = (u32::from(size) - LINK) as usize;
            let chunk = &lists.at(at)[..usize::from(size)];
            if at + payload as u32 == self.link {
                list.extend_from_slice(&chunk[..payload - (self.link - self.next) as usize]);
                return;
            }
            list.extend_from_slice(&chunk[..payload]);
            at = u32::from_le_bytes([chunk[payload], chunk[payload + 1], chunk[payload + 2], chunk[payload + 3]]);
            size = (size * 2).min(LARGEST_CHUNK);
        }
    }
}

/// The bytes of the term that is described there.
fn text_at(address: u32, texts: &Arena) -> &[u8] {
    let bytes = texts.at(address);
    &bytes[HEAD..HEAD + usize::from(u16::from_le_bytes([bytes[4], bytes[5]]))]
}

/// Up to eight bytes, the first the lowest; zeroes behind them.
#[derive(Clone, Copy)]
struct Bytes {
    bits: u64,
    length: u32,
}

impl Bytes {
    fn then(self, next: Self) -> Self {
        Self { bits: self.bits | next.bits << (8 * self.length), length: self.length + next.length }
    }
}

/// A number, seven bits a byte from the low end, all bytes but the last with the high bit.
fn varint(number: u32) -> Bytes {
    let (mut bits, mut length, mut rest) = (0, 1, number);
    while rest >= 0x80 {
        bits |= u64::from(rest & 0x7f | 0x80) << (8 * (length - 1));
        rest >>= 7;
        length += 1;
    }
    Bytes { bits: bits | u64::from(rest) << (8 * (length - 1)), length }
}

/// The next number of a list.
pub(super) fn next(list: &mut &[u8]) -> Option<u32> {
    let mut number = 0;
    let mut shift = 0;
    loop {
        let (byte, rest) = list.split_first()?;
        *list = rest;
        number |= u32::from(byte & 0x7f) << shift;
        if *byte < 0x80 {
            return Some(number);
        }
        shift += 7;
    }
}
