//! Cuts text into words and brings each into the form in which it is indexed.

use tantivy::tokenizer::{Token, TokenStream, Tokenizer};
use unicode_normalization::UnicodeNormalization;

use super::letters::{ascii_run_end, is_mark, push, push_ascii, stands_alone};
use super::{Form, MAX_TERM_BYTES};

/// What a word is, and what becomes of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Rules {
    /// See [`super::Analyzer::Standard`].
    Standard,
    /// See [`super::Analyzer::Simple`].
    Simple,
}

#[derive(Clone)]
pub(super) struct WordTokenizer {
    rules: Rules,
    form: Form,
    token: Token,
}

impl WordTokenizer {
    pub fn new(rules: Rules, form: Form) -> Self {
        Self { rules, form, token: Token::default() }
    }
}

impl Tokenizer for WordTokenizer {
    type TokenStream<'a> = WordStream<'a>;

    fn token_stream<'a>(&'a mut self, text: &'a str) -> WordStream<'a> {
        self.token.reset();
        WordStream { rules: self.rules, form: self.form, text, next: 0, token: &mut self.token }
    }
}

pub(super) struct WordStream<'a> {
    rules: Rules,
    form: Form,
    text: &'a str,
    /// Where the rest of the text begins.
    next: usize,
    token: &'a mut Token,
}

impl TokenStream for WordStream<'_> {
    fn advance(&mut self) -> bool {
        while let Some((from, to)) = word(self.text, self.next, self.rules) {
            self.next = to;
            // A word that is dropped keeps its position, so that its neighbours do not become neighbours of each other.
            self.token.position = self.token.position.wrapping_add(1);
            self.token.text.clear();
            if normalise(&self.text[from..to], self.rules, self.form, &mut self.token.text) {
                (self.token.offset_from, self.token.offset_to) = (from, to);
                return true;
            }
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

/// Where the next word at or after `start` begins and ends.
pub(super) fn word(text: &str, start: usize, rules: Rules) -> Option<(usize, usize)> {
    let bytes = text.as_bytes();
    let mut from = start;
    while *bytes.get(from)? < 0x80 && !bytes[from].is_ascii_alphanumeric() {
        from += 1;
    }
    if bytes[from] < 0x80 {
        let end = ascii_run_end(text, from);
        if bytes.get(end).is_none_or(u8::is_ascii) {
            return Some((from, end));
        }
    }
    let mut letters = text[from..].char_indices();
    let (skipped, first) = letters.find(|(_, c)| c.is_alphanumeric())?;
    let alone = rules == Rules::Standard && stands_alone(first);
    let goes_on = |c: char| match rules {
        Rules::Simple => c.is_alphanumeric(),
        Rules::Standard if alone => is_mark(c),
        Rules::Standard => (c.is_alphanumeric() && !stands_alone(c)) || is_mark(c),
    };
    let end = letters.find(|(_, c)| !goes_on(*c)).map_or(text.len(), |(at, _)| from + at);
    Some((from + skipped, end))
}

/// Appends the word's indexed form to `term`; false, and anything in `term`, when it is too long to be indexed.
pub(super) fn normalise(word: &str, rules: Rules, form: Form, term: &mut String) -> bool {
    if word.len() > MAX_TERM_BYTES {
        return false;
    }
    if word.is_ascii() {
        push_ascii(word, form, term);
    } else if rules == Rules::Simple {
        push(word.chars(), form, term);
    } else {
        push(word.nfkc(), form, term);
    }
    term.len() <= MAX_TERM_BYTES
}
