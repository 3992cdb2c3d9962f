//! Where names begin and end in a text, and where the parts of a name do.
//!
//! A name is a run of letters, digits, `_` and `$`, and of `-` between two ASCII letters. Paths and dotted names are several. A part
//! ends before a capital that follows a small letter, before the last of several capitals if a small letter follows it (an `s` that
//! makes a plural of them does not count), between letters and digits, and at `_`, `$` and `-`.

use crate::analyzer::letters::{is_mark, letter_at, stands_alone};

/// Names longer than this in bytes, and those of more parts than [`MOST_PARTS`], are data rather than names: they are not cut.
pub(super) const LONGEST_NAME: usize = 256;
/// See [`LONGEST_NAME`].
const MOST_PARTS: usize = 32;

/// A name found.
pub(super) enum Name {
    /// It is one term.
    Simple { from: usize, to: usize },
    /// It has the several parts that were put in the list.
    Parts,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Class {
    /// Between names.
    Other = 0,
    /// A small letter, or one without case.
    Small,
    Capital,
    Digit,
    /// Between parts.
    Joint,
    /// Joins names where letters are on both sides.
    Hyphen,
    /// No ASCII.
    Wide,
    /// Belongs to the letter before it.
    Mark,
}

const ASCII: [Class; 256] = {
    let mut classes = [Class::Other; 256];
    let mut byte = 0;
    while byte < 256 {
        classes[byte] = match byte as u8 {
            b'a'..=b'z' => Class::Small,
            b'A'..=b'Z' => Class::Capital,
            b'0'..=b'9' => Class::Digit,
            b'_' | b'$' => Class::Joint,
            b'-' => Class::Hyphen,
            0x80.. => Class::Wide,
            _ => Class::Other,
        };
        byte += 1;
    }
    classes
};

fn class(c: char) -> Class {
    if c.is_ascii() {
        ASCII[c as usize]
    } else if stands_alone(c) {
        Class::Other
    } else if c.is_uppercase() {
        Class::Capital
    } else if c.is_numeric() {
        Class::Digit
    } else if c.is_alphanumeric() {
        Class::Small
    } else if is_mark(c) {
        Class::Mark
    } else {
        Class::Other
    }
}

/// The next name at or after `start`, and where to look for the one after it. Its parts go to `parts`, which is empty.
pub(super) fn next_name(text: &str, start: usize, parts: &mut Vec<(usize, usize)>) -> Option<(Name, usize)> {
    let (from, end, seen) = extent(text, start)?;
    if !seen.has_parts() {
        return Some((Name::Simple { from, to: end }, end));
    }
    if end - from <= LONGEST_NAME {
        let name = &text[from..end];
        if seen.wide {
            let letters = name.char_indices().map(|(at, c)| Letter { at, class: class(c), plural: c == 's' });
            cut(letters, name.len(), from, parts);
        } else {
            let letter =
                |(at, byte): (usize, &u8)| Letter { at, class: ASCII[usize::from(*byte)], plural: *byte == b's' };
            cut(name.as_bytes().iter().enumerate().map(letter), name.len(), from, parts);
        }
    }
    match parts.as_slice() {
        [(from, to)] => {
            let (from, to) = (*from, *to);
            parts.clear();
            Some((Name::Simple { from, to }, end))
        }
        several if (2..=MOST_PARTS).contains(&several.len()) => Some((Name::Parts, end)),
        _ => {
            parts.clear();
            Some((Name::Simple { from, to: end }, end))
        }
    }
}

/// Where the next name at or after `start` begins and ends.
pub(in super::super) fn name(text: &str, start: usize) -> Option<(usize, usize)> {
    extent(text, start).map(|(from, to, _)| (from, to))
}

/// Where the next name at or after `start` begins and ends, and what it is made of. A letter that stands alone has no parts to be seen.
fn extent(text: &str, start: usize) -> Option<(usize, usize, Seen)> {
    let from = first_letter(text, start)?;
    if !text.as_bytes()[from].is_ascii() && stands_alone(letter_at(text, from)) {
        let end =
            text[from..].char_indices().skip(1).find(|(_, c)| !is_mark(*c)).map_or(text.len(), |(at, _)| from + at);
        return Some((from, end, Seen::default()));
    }
    let (end, seen) = name_end(text, from);
    Some((from, end, seen))
}

fn first_letter(text: &str, start: usize) -> Option<usize> {
    let bytes = text.as_bytes();
    let mut at = start;
    loop {
        let byte = *bytes.get(at)?;
        if byte.is_ascii_alphanumeric() {
            return Some(at);
        }
        if byte.is_ascii() {
            at += 1;
        } else {
            let c = letter_at(text, at);
            if c.is_alphanumeric() {
                return Some(at);
            }
            at += c.len_utf8();
        }
    }
}

/// What a name is made of.
#[derive(Default)]
struct Seen {
    wide: bool,
    /// A bit for each [`Class`], of the name without its first letter.
    rest: u8,
    first: u8,
}

impl Seen {
    /// Whether a cut may find more than one part. Letters that are no ASCII may all be capitals.
    fn has_parts(&self) -> bool {
        let (small, capital, digit) = (1 << Class::Small as u8, 1 << Class::Capital as u8, 1 << Class::Digit as u8);
        let one_kind = match self.rest {
            0 => true,
            rest if rest == small => self.first != digit,
            rest => rest == self.first && (rest == capital || rest == digit),
        };
        self.wide || !one_kind
    }
}

fn name_end(text: &str, from: usize) -> (usize, Seen) {
    let bytes = text.as_bytes();
    let mut seen = Seen { first: 1 << ASCII[usize::from(bytes[from])] as u8, ..Seen::default() };
    let mut at = from;
    while let Some(byte) = bytes.get(at) {
        let class = ASCII[usize::from(*byte)];
        match class {
            Class::Other | Class::Mark => break,
            Class::Hyphen => {
                let joined = at > from && bytes[at - 1].is_ascii_alphabetic();
                if !joined || !bytes.get(at + 1).is_some_and(u8::is_ascii_alphabetic) {
                    break;
                }
            }
            Class::Wide => {
                let c = letter_at(text, at);
                if stands_alone(c) || !(c.is_alphanumeric() || is_mark(c)) {
                    break;
                }
                seen.wide = true;
                at += c.len_utf8();
                continue;
            }
            Class::Small | Class::Capital | Class::Digit | Class::Joint => {}
        }
        if at > from {
            seen.rest |= 1 << class as u8;
        }
        at += 1;
    }
    (at, seen)
}

/// A letter of a name: where it is in it, what it is, and whether it can make a plural of capitals.
struct Letter {
    at: usize,
    class: Class,
    plural: bool,
}

/// The part that is being read.
struct Part {
    start: usize,
    /// Its last letter's place and class.
    last: usize,
    class: Class,
    /// How many capitals end it.
    capitals: usize,
}

impl Part {
    fn new(letter: &Letter) -> Self {
        Self { start: letter.at, last: letter.at, class: letter.class, capitals: 0 }.with(letter)
    }

    fn with(self, letter: &Letter) -> Self {
        let capitals = if letter.class == Class::Capital { self.capitals + 1 } else { 0 };
        Self { last: letter.at, class: letter.class, capitals, ..self }
    }
}

/// Cuts a name of `length` bytes, given by its letters, that begins at `from`.
fn cut(letters: impl Iterator<Item = Letter>, length: usize, from: usize, parts: &mut Vec<(usize, usize)>) {
    let mut letters = letters.filter(|letter| letter.class != Class::Mark).peekable();
    let mut part: Option<Part> = None;
    while let Some(letter) = letters.next() {
        let joint = matches!(letter.class, Class::Joint | Class::Hyphen);
        let Some(open) = part.take() else {
            part = (!joint).then(|| Part::new(&letter));
            continue;
        };
        // Where the part ends, if it does: at this letter, or one before it.
        let end = match (open.class, letter.class) {
            (_, Class::Joint | Class::Hyphen) => Some(letter.at),
            (Class::Capital, Class::Small) if open.capitals > 1 => {
                let plural = letter.plural && letters.peek().is_none_or(|next| next.class != Class::Small);
                (!plural).then_some(open.last)
            }
            (Class::Capital, Class::Small) => None,
            (before, now) if before == now => None,
            _ => Some(letter.at),
        };
        part = match end {
            None => Some(open.with(&letter)),
            Some(end) => {
                parts.push((from + open.start, from + end));
                let start = Part { start: end, last: end, class: letter.class, capitals: 0 };
                (!joint).then(|| start.with(&letter))
            }
        };
    }
    if let Some(part) = part {
        parts.push((from + part.start, from + length));
    }
}
