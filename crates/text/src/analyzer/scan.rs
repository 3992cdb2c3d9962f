//! Finds short ASCII words eight letters at a time: nearly all of most texts. What is not as simple is left to the rules themselves.

use super::analysis::Words;

/// A one in each byte.
const ONES: u64 = u64::from_le_bytes([1; 8]);
/// The high bit of each byte.
const HIGH: u64 = ONES << 7;
/// Letters of a [`Key`] at most.
const LONGEST: usize = 15;

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

/// The next word at or after `start`, if it is a short one.
#[inline]
pub(super) fn scan(words: Words, text: &str, start: usize) -> Scan {
    let bytes = text.as_bytes();
    let mut from = start;
    let first = loop {
        if from >= bytes.len() {
            return Scan::End;
        }
        let eight = load(bytes, from);
        let begins = alphanumeric(eight) | (eight & HIGH);
        if begins != 0 {
            let skipped = begins.trailing_zeros() as usize / 8;
            from += skipped;
            // Loaded anew only where a word may go on behind what was.
            break if skipped == 0 { eight } else { load(bytes, from) };
        }
        from += 8;
    };
    let goes_on = |eight: u64| match words {
        Words::Standard | Words::Simple => alphanumeric(eight),
        Words::Code => alphanumeric(eight) | equal(eight, b'_') | equal(eight, b'$'),
    };
    let stops = !goes_on(first) & HIGH;
    let (length, key, last) = if stops == 0 {
        let second = load(bytes, from + 8);
        let stops = !goes_on(second) & HIGH;
        if stops == 0 {
            return Scan::Other(from);
        }
        let length = stops.trailing_zeros() as usize / 8;
        (8 + length, (first, beginning(second, length)), second >> (8 * length))
    } else {
        let length = stops.trailing_zeros() as usize / 8;
        (length, (beginning(first, length), 0), first >> (8 * length))
    };
    let last = last as u8;
    // Other letters, or marks, may belong to the word. A hyphen may join what is around it.
    if length == 0 || !last.is_ascii() || (last == b'-' && words == Words::Code) {
        return Scan::Other(from);
    }
    debug_assert!(length <= LONGEST);
    Scan::Short { from, to: from + length, key }
}

/// Eight bytes, zeroes behind the end.
fn load(bytes: &[u8], at: usize) -> u64 {
    let rest = bytes.get(at..).unwrap_or_default();
    match rest.first_chunk::<8>() {
        Some(eight) => u64::from_le_bytes(*eight),
        None => rest.iter().rev().fold(0, |number, byte| number << 8 | u64::from(*byte)),
    }
}

/// The first `length` bytes, fewer than eight.
fn beginning(eight: u64, length: usize) -> u64 {
    eight & ((1 << (8 * length)) - 1)
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
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

    use proptest::prelude::*;

    use super::*;

    /// The words of a text with their places, by the rules alone and by scanning.
    fn check(text: &str) {
        for words in [Words::Standard, Words::Simple, Words::Code] {
            let mut at = 0;
            loop {
                let next = words.next(text, at);
                let to = match scan(words, text, at) {
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
