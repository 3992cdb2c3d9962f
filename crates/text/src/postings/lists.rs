//! Where the terms of one form are: in memory, a growing list of bytes for each term.
//!
//! A list is, for each document, the distance from the document before, the distances of the positions, each plus one, and a zero, which
//! the last document goes without; all as varints. Its bytes are in chunks, each larger than the one before, up to a limit; the last four
//! bytes of a chunk tell where the next one is.

use std::hint::black_box;

use super::arena::{Arena, Full};

/// Bytes of a list's first chunk: enough for a term that is in one document once, as most are.
const FIRST_CHUNK: u16 = 16;
const LARGEST_CHUNK: u16 = 4096;
/// Bytes at the end of a chunk that tell where the next is.
const LINK: u32 = 4;
/// No document: there are fewer.
const NONE: u32 = u32::MAX;
/// Occurrences whose lists are fetched from memory at once.
const AHEAD: usize = 64;

/// A term's number and a position; or [`DOCUMENT`] and the number of the document that what follows is in.
pub(super) type Occurrence = (u32, u32);
/// No term: there are fewer.
pub(super) const DOCUMENT: u32 = u32::MAX;

/// The lists of all terms, by number.
#[derive(Default)]
pub(super) struct Lists {
    lists: Vec<List>,
    document: u32,
}

/// Where a list begins and ends.
#[derive(Clone, Copy)]
pub(super) struct List {
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

impl Lists {
    /// Adds occurrences: documents in order, and in each the positions of a term.
    pub fn add(&mut self, occurrences: &[Occurrence], arena: &mut Arena) -> Result<(), Full> {
        for some in occurrences.chunks(AHEAD) {
            // Lists are anywhere in memory. Reading a bit of several fetches them all at once, rather than one after another.
            let touch =
                |(number, _): &Occurrence| self.lists.get(*number as usize).map_or(0, |list| arena.at(list.next)[0]);
            black_box(some.iter().fold(0, |sum, occurrence| sum ^ touch(occurrence)));
            for &(number, position) in some {
                if number == DOCUMENT {
                    self.document = position;
                    continue;
                }
                while self.lists.len() <= number as usize {
                    self.lists.push(List::new(arena)?);
                }
                self.lists[number as usize].push(self.document, position, arena)?;
            }
        }
        Ok(())
    }

    /// The list of a term; none of one that was never added.
    pub fn get(&self, number: u32) -> Option<List> {
        self.lists.get(number as usize).copied()
    }

    pub fn memory_bytes(&self) -> usize {
        self.lists.capacity() * size_of::<List>()
    }
}

impl List {
    fn new(arena: &mut Arena) -> Result<Self, Full> {
        let first = arena.allocate(usize::from(FIRST_CHUNK))?;
        let link = first + (u32::from(FIRST_CHUNK) - LINK);
        Ok(Self { documents: 0, document: NONE, position: 0, first, next: first, link, chunk: FIRST_CHUNK })
    }

    /// Adds an occurrence. Documents come in order, and so do the positions in a document.
    fn push(&mut self, document: u32, position: u32, arena: &mut Arena) -> Result<(), Full> {
        let delta = position.wrapping_sub(self.position).wrapping_add(1);
        if document == self.document && delta < 0x80 && self.next < self.link {
            arena.at_mut(self.next)[0] = delta as u8;
            self.next += 1;
            self.position = position;
            return Ok(());
        }
        let mut bytes = varint(delta);
        if document != self.document {
            let distance = match self.documents {
                0 => varint(document),
                // What ends the document before is a zero.
                _ => Bytes { bits: 0, length: 1 }.then(varint(document - self.document)),
            };
            (self.documents, self.document) = (self.documents + 1, document);
            bytes = varint(position.wrapping_add(1));
            if distance.length + bytes.length <= 8 {
                bytes = distance.then(bytes);
            } else {
                self.append(distance, arena)?;
            }
        }
        self.position = position;
        self.append(bytes, arena)
    }

    fn append(&mut self, bytes: Bytes, arena: &mut Arena) -> Result<(), Full> {
        let room = self.link - self.next;
        // Eight bytes at once, where they end before the chunk does: those behind what is meant are written later.
        if bytes.length <= room
            && room + LINK >= 8
            && let Some(eight) = arena.at_mut(self.next).first_chunk_mut::<8>()
        {
            *eight = bytes.bits.to_le_bytes();
            self.next += bytes.length;
            return Ok(());
        }
        for byte in &bytes.bits.to_le_bytes()[..bytes.length as usize] {
            if self.next == self.link {
                let size = (self.chunk * 2).min(LARGEST_CHUNK);
                let next = arena.allocate(usize::from(size))?;
                arena.at_mut(self.link)[..LINK as usize].copy_from_slice(&next.to_le_bytes());
                (self.next, self.link, self.chunk) = (next, next + (u32::from(size) - LINK), size);
            }
            arena.at_mut(self.next)[0] = *byte;
            self.next += 1;
        }
        Ok(())
    }

    pub fn read(&self, arena: &Arena, list: &mut Vec<u8>) {
        list.clear();
        let (mut at, mut size) = (self.first, FIRST_CHUNK);
        loop {
            let payload = (u32::from(size) - LINK) as usize;
            let chunk = &arena.at(at)[..usize::from(size)];
            if at + payload as u32 == self.link {
                list.extend_from_slice(&chunk[..payload - (self.link - self.next) as usize]);
                return;
            }
            list.extend_from_slice(&chunk[..payload]);
            at = u32::from_le_bytes([chunk[payload], chunk[payload + 1], chunk[payload + 2], chunk[payload + 3]]);
            size = (size * 2).min(LARGEST_CHUNK);
        }
    }

    /// Reads what reading it begins with.
    pub fn touch(&self, arena: &Arena) -> u8 {
        arena.at(self.first).first().copied().unwrap_or_default()
    }
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
