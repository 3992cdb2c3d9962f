//! Chinese, Japanese and Korean, and other scripts without spaces: pairs of neighbouring letters.
//!
//! In a document each letter is a term at a position of its own, and with the letter after it another at the same position. A query of
//! several letters asks for the pairs, which are far rarer; of one letter, for that letter. Other words are those of
//! [`super::Analyzer::Standard`].

use tantivy::tokenizer::{Token, TokenStream, Tokenizer};

use super::Form;
use super::letters::{is_mark, letter_at, stands_alone};
use super::words::{Rules, normalise};

/// Whose terms a stream gives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Side {
    /// A document's.
    Document,
    /// A query's.
    Query,
}

#[derive(Clone)]
pub(super) struct CjkTokenizer {
    form: Form,
    side: Side,
    token: Token,
}

impl CjkTokenizer {
    pub fn new(form: Form, side: Side) -> Self {
        Self { form, side, token: Token::default() }
    }
}

impl Tokenizer for CjkTokenizer {
    type TokenStream<'a> = CjkStream<'a>;

    fn token_stream<'a>(&'a mut self, text: &'a str) -> CjkStream<'a> {
        self.token.reset();
        CjkStream {
            form: self.form,
            side: self.side,
            text,
            next: 0,
            position: 0,
            pair: None,
            paired: false,
            token: &mut self.token,
        }
    }
}

pub(super) struct CjkStream<'a> {
    form: Form,
    side: Side,
    text: &'a str,
    /// Where the rest of the text begins.
    next: usize,
    /// The position of the next word.
    position: usize,
    /// A pair that is due at the position of the token before.
    pair: Option<(usize, usize)>,
    /// Whether the letter before `next` was the first of a pair.
    paired: bool,
    token: &'a mut Token,
}

impl CjkStream<'_> {
    /// Makes the token a part of the text; false when it is too long to be indexed.
    fn word(&mut self, (from, to): (usize, usize), position: usize) -> bool {
        self.token.position = position;
        (self.token.offset_from, self.token.offset_to) = (from, to);
        self.token.text.clear();
        normalise(&self.text[from..to], Rules::Standard, self.form, &mut self.token.text)
    }
}

impl TokenStream for CjkStream<'_> {
    fn advance(&mut self) -> bool {
        loop {
            if let Some(pair) = self.pair.take()
                && self.word(pair, self.position - 1)
            {
                return true;
            }
            let Some((from, to, alone)) = next_word(self.text, self.next) else { return false };
            self.next = to;
            self.position += 1;
            let second_of_pair = std::mem::take(&mut self.paired);
            if alone && self.text[to..].chars().next().is_some_and(is_letter) {
                self.pair = Some((from, letter_end(self.text, to)));
                self.paired = true;
            }
            let wanted = self.side == Side::Document || !(alone && (self.paired || second_of_pair));
            if wanted && self.word((from, to), self.position - 1) {
                return true;
            }
        }
    }

    fn token(&self) -> &Token {
        self.token
    }

    fn token_mut(&mut self) -> &mut Token {
        self.token
    }
}

/// The next word at or after `start`, and whether it is one letter of a script without spaces.
fn next_word(text: &str, start: usize) -> Option<(usize, usize, bool)> {
    let (skipped, first) = text[start..].char_indices().find(|(_, c)| c.is_alphanumeric())?;
    let from = start + skipped;
    if is_letter(first) {
        return Some((from, letter_end(text, from), true));
    }
    let goes_on = |c: char| (c.is_alphanumeric() && !is_letter(c)) || is_mark(c);
    let end = text[from..].char_indices().find(|(_, c)| !goes_on(*c)).map_or(text.len(), |(at, _)| from + at);
    Some((from, end, false))
}

/// Letters that are paired: those that stand alone in the standard analyzer, Katakana, Bopomofo and Hangul.
fn is_letter(c: char) -> bool {
    c >= '\u{e00}'
        && c.is_alphanumeric()
        && (stands_alone(c)
            || matches!(c,
                '\u{1100}'..='\u{115f}' | '\u{30a0}'..='\u{318f}' | '\u{31a0}'..='\u{31bf}' | '\u{31f0}'..='\u{31ff}'
                | '\u{a960}'..='\u{a97f}' | '\u{ac00}'..='\u{d7a3}' | '\u{ff66}'..='\u{ffdc}'))
}

/// Where the letter at `from` ends, with what belongs to it: marks, vowels and finals of a Hangul syllable, half-width voicing.
fn letter_end(text: &str, from: usize) -> usize {
    let first = letter_at(text, from).len_utf8();
    let rest = &text[from + first..];
    let joins = |c: char| {
        is_mark(c) || matches!(c, '\u{1160}'..='\u{11ff}' | '\u{d7b0}'..='\u{d7fb}' | '\u{ff9e}' | '\u{ff9f}')
    };
    rest.char_indices().find(|(_, c)| !joins(*c)).map_or(text.len(), |(at, _)| from + first + at)
}
