//! Finds short ASCII words 64 bytes at a time: nearly all of most texts. What is not as simple is left to the rules themselves.
//!
//! What a byte can be is told for a block at once, in a bit for each byte. The lengths of words and of what is between them, which no
//! processor foresees, are then counts of zeroes instead of branches.

use super::analysis::Words;

/// A one in each byte.
const ONES: u64 = u64::from_le_bytes([1; 8]);
/// The high bit of each byte.
const HIGH: u64 = ONES << 7;
/// Letters of a [`Key`] at most.
const LONGEST: usize = 15;
/// Bytes of a block.
const BLOCK: usize = 64;

/// A word of up to fifteen ASCII letters, digits and joints, padded with zeroes.
pub(crate) type Key = (u64, u64);

/// What comes next in a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Scan {
    /// A short word, which ends before `to`.
    Short { from: usize, to: usize, key: Key },
    /// Something at or after the place that takes [`Words::next`] to tell.
    Other(usize),
    /// Nothing.
    End,
}

/// What the bytes of a block can be, the first in the lowest bit.
#[derive(Clone, Copy, Default)]
struct Block {
    /// They begin a word: ASCII letters and digits, and all that is not ASCII.
    begins: u64,
    /// They are in a word that has begun.
    goes_on: u64,
}

/// The words of a text, from its beginning.
pub(crate) struct Scanner<'t> {
    words: Words,
    bytes: &'t [u8],
    /// Where the first of two blocks begins.
    block: usize,
    blocks: [Block; 2],
    /// What is next.
    at: usize,
}

impl<'t> Scanner<'t> {
    pub(super) fn new(words: Words, text: &'t str) -> Self {
        let bytes = text.as_bytes();
        let blocks = [0, BLOCK].map(|from| Block::of(words, bytes, from));
        Self { words, bytes, block: 0, blocks, at: 0 }
    }

    /// Goes on at a place further on.
    pub fn skip_to(&mut self, place: usize) {
        self.at = place;
        if place >= self.block + 2 * BLOCK {
            self.block = place - place % BLOCK;
            self.blocks = [0, BLOCK].map(|from| Block::of(self.words, self.bytes, self.block + from));
        }
    }

    /// The next word, if it is a short one; behind it, or at what is not, it goes on.
    #[inline]
    pub fn next(&mut self) -> Scan {
        loop {
            let begins = self.window(|block| block.begins);
            if begins != 0 {
                self.at += begins.trailing_zeros() as usize;
                break;
            }
            self.at += BLOCK;
            if self.at >= self.bytes.len() {
                return Scan::End;
            }
        }
        let from = self.at;
        let length = self.window(|block| block.goes_on).trailing_ones() as usize;
        let to = from + length;
        // Other letters, or marks, may belong to the word. A hyphen may join what is around it.
        let last = self.bytes.get(to).copied().unwrap_or_default();
        if length == 0 || length > LONGEST || !last.is_ascii() || (last == b'-' && self.words == Words::Code) {
            return Scan::Other(from);
        }
        self.at = to;
        Scan::Short { from, to, key: key(self.bytes, from, length) }
    }

    /// The bits of the next 64 bytes.
    #[inline]
    fn window(&mut self, bits: impl Fn(&Block) -> u64) -> u64 {
        while self.at >= self.block + BLOCK {
            self.block += BLOCK;
            self.blocks = [self.blocks[1], Block::of(self.words, self.bytes, self.block + BLOCK)];
        }
        let passed = (self.at - self.block) as u32;
        let [first, second] = self.blocks.each_ref().map(bits);
        // A shift by 64 does not do.
        first >> passed | second << 1 << (63 - passed)
    }
}

impl Block {
    /// Nothing is behind the end.
    fn of(words: Words, bytes: &[u8], from: usize) -> Self {
        let rest = bytes.get(from..).unwrap_or_default();
        let mut padded = [0; BLOCK];
        let block = rest.first_chunk::<BLOCK>().unwrap_or_else(|| {
            padded[..rest.len()].copy_from_slice(rest);
            &padded
        });
        let mut this = Self::default();
        for (at, eight) in block.as_chunks::<8>().0.iter().enumerate() {
            let eight = u64::from_le_bytes(*eight);
            let alphanumeric = alphanumeric(eight);
            let goes_on = match words {
                Words::Standard | Words::Simple => alphanumeric,
                Words::Code => alphanumeric | equal(eight, b'_') | equal(eight, b'$'),
            };
            this.begins |= gather(alphanumeric | (eight & HIGH)) << (8 * at);
            this.goes_on |= gather(goes_on) << (8 * at);
        }
        this
    }
}

/// The `length` bytes there, at most fifteen.
#[inline]
fn key(bytes: &[u8], from: usize, length: usize) -> Key {
    let sixteen = match bytes[from..].first_chunk::<16>() {
        Some(sixteen) => u128::from_le_bytes(*sixteen),
        None => bytes[from..].iter().rev().fold(0, |number, byte| number << 8 | u128::from(*byte)),
    };
    let kept = sixteen & ((1 << (8 * length)) - 1);
    (kept as u64, (kept >> 64) as u64)
}

/// The high bits of the bytes, side by side.
fn gather(high: u64) -> u64 {
    // Each bit, at 8 i after the shift, meets the factor's at 56 − 7 i in the uppermost byte, at i of it, and no two others do.
    (high >> 7).wrapping_mul(0x0102_0408_1020_4080) >> 56
}

/// The high bit of each byte that is an ASCII letter or digit.
fn alphanumeric(eight: u64) -> u64 {
    within(eight | (ONES * 0x20), b'a', b'z') | within(eight, b'0', b'9')
}

fn equal(eight: u64, byte: u8) -> u64 {
    within(eight, byte, byte)
}

/// The high bit of each ASCII byte that is from `low` to `high`, which are ASCII and not zero.
fn within(eight: u64, low: u8, high: u8) -> u64 {
    let ascii = eight & !HIGH;
    // No byte carries into the next: each is below 0x80, and at most that much is added.
    let reaches = ascii + ONES * u64::from(0x80 - low);
    let exceeds = ascii + ONES * u64::from(0x7f - high);
    reaches & !exceeds & !eight & HIGH
}

#[cfg(test)]
mod tests {

    use proptest::prelude::*;

    use super::*;

    /// The words of a text with their places, by the rules alone and by scanning.
    fn check(text: &str) {
        for words in [Words::Standard, Words::Simple, Words::Code] {
            let mut scanner = Scanner::new(words, text);
            let mut at = 0;
            loop {
                let next = words.next(text, at);
                let to = match scanner.next() {
                    Scan::End => {
                        assert_eq!(next, None, "{words:?} {text:?} at {at}");
                        break;
                    }
                    Scan::Other(from) => {
                        assert_eq!(words.next(text, from), next, "{words:?} {text:?} at {at}");
                        next.map(|(_, to)| to)
                    }
                    Scan::Short { from, to, key } => {
                        assert_eq!(Some((from, to)), next, "{words:?} {text:?} at {at}");
                        let spelt: Vec<u8> = [key.0.to_le_bytes(), key.1.to_le_bytes()].concat();
                        assert_eq!(&spelt[..to - from], &text.as_bytes()[from..to]);
                        assert!(spelt[to - from..].iter().all(|byte| *byte == 0));
                        Some(to)
                    }
                };
                let Some(to) = to else { break };
                scanner.skip_to(to);
                at = to;
            }
        }
    }

    #[test]
    fn every_byte_is_told_apart() {
        for byte in 0..0x80_u8 {
            for place in 0..8 {
                let mut eight = [b' '; 8];
                eight[place] = byte;
                let bit = 0x80 << (8 * place);
                let found = alphanumeric(u64::from_le_bytes(eight));
                assert_eq!(found, if byte.is_ascii_alphanumeric() { bit } else { 0 }, "{byte}");
            }
        }
        assert_eq!(alphanumeric(u64::from_le_bytes([0x80, 0xb0, 0xe1, 0xc1, 0xff, 0xf0, 0xda, 0xb9])), 0);
    }

    #[test]
    fn words_of_every_length() {
        for length in 0..40 {
            for behind in ["", " ", "-", "-x", "é", "\u{301}", "東", "\0", "_", "$ "] {
                check(&format!("{}{}{behind}", " ".repeat(length % 11), "aB9_".repeat(10).split_at(length).0));
            }
        }
    }

    proptest! {
        #[test]
        fn scanning_finds_what_the_rules_find(text in "[aZ09_$ .\n-]{0,12}[a-c]{0,18}[é\u{301}東x -]{0,6}[a -]{0,10}") {
            check(&text);
        }

        #[test]
        fn in_any_text(text in "\\PC{0,40}") {
            check(&text);
        }
    }
}
