//! Substring search: every three letters that follow one another are a term, at the position of the first.
//!
//! A text contains a string of three letters or more exactly where the string's own terms stand at consecutive positions: each overlaps
//! the next by two letters, so together they spell it. Spaces, punctuation and line ends are letters like any other.

use std::ops::Range;
use std::str::Chars;

use tantivy::tokenizer::{Token, TokenStream, Tokenizer};

use super::Form;

/// The letters of a term, and the fewest that can be searched for.
const LETTERS: usize = 3;

/// Which trigrams a stream gives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Spaces {
    /// All.
    Kept,
    /// Those without a space: of each word of a query its own.
    Apart,
}

#[derive(Clone)]
pub(super) struct TrigramTokenizer {
    form: Form,
    spaces: Spaces,
    token: Token,
}

impl TrigramTokenizer {
    pub fn new(form: Form, spaces: Spaces) -> Self {
        Self { form, spaces, token: Token::default() }
    }
}

impl Tokenizer for TrigramTokenizer {
    type TokenStream<'a> = TrigramStream<'a>;

    fn token_stream<'a>(&'a mut self, text: &'a str) -> TrigramStream<'a> {
        self.token.reset();
        let letters = Letters::new(text, self.form);
        TrigramStream {
            letters,
            spaces: self.spaces,
            window: [(' ', 0, 0); LETTERS],
            filled: 0,
            token: &mut self.token,
        }
    }
}

pub(super) struct TrigramStream<'a> {
    letters: Letters<'a>,
    spaces: Spaces,
    window: [(char, usize, usize); LETTERS],
    filled: usize,
    token: &'a mut Token,
}

impl TokenStream for TrigramStream<'_> {
    fn advance(&mut self) -> bool {
        for next in self.letters.by_ref() {
            self.window.rotate_left(1);
            self.window[LETTERS - 1] = next;
            self.filled += 1;
            if self.filled < LETTERS {
                continue;
            }
            self.token.position = self.token.position.wrapping_add(1);
            if self.spaces == Spaces::Apart && self.window.iter().any(|(c, ..)| c.is_whitespace()) {
                continue;
            }
            self.token.text.clear();
            self.token.text.extend(self.window.iter().map(|(c, ..)| *c));
            (self.token.offset_from, self.token.offset_to) = (self.window[0].1, self.window[LETTERS - 1].2);
            return true;
        }
        false
    }

    fn token(&self) -> &Token {
        self.token
    }

    fn token_mut(&mut self) -> &mut Token {
        self.token
    }
}

/// The letters of a text in a form, each with the place of the letter it comes from.
struct Letters<'a> {
    rest: Chars<'a>,
    length: usize,
    form: Form,
    /// What is left of a capital that has several small letters.
    pending: Option<(std::char::ToLowercase, Range<usize>)>,
}

impl<'a> Letters<'a> {
    fn new(text: &'a str, form: Form) -> Self {
        Self { rest: text.chars(), length: text.len(), form, pending: None }
    }
}

impl Iterator for Letters<'_> {
    type Item = (char, usize, usize);

    fn next(&mut self) -> Option<Self::Item> {
        if let Some((letters, place)) = &mut self.pending {
            if let Some(letter) = letters.next() {
                return Some((letter, place.start, place.end));
            }
            self.pending = None;
        }
        let from = self.length - self.rest.as_str().len();
        let letter = self.rest.next()?;
        let to = from + letter.len_utf8();
        if letter.is_ascii() || self.form == Form::Exact {
            let letter = if self.form == Form::Folded { letter.to_ascii_lowercase() } else { letter };
            return Some((letter, from, to));
        }
        let letter = if letter == 'ς' { 'σ' } else { letter };
        let mut letters = letter.to_lowercase();
        let first = letters.next()?;
        self.pending = Some((letters, from..to));
        Some((first, from, to))
    }
}
