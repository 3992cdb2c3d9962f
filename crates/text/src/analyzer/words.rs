//! Cuts text into words and brings each into the form in which it is indexed.

use tantivy::tokenizer::{Token, TokenStream, Tokenizer};
use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;

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
fn word(text: &str, start: usize, rules: Rules) -> Option<(usize, usize)> {
    let mut letters = text[start..].char_indices();
    let (from, first) = letters.find(|(_, c)| c.is_alphanumeric())?;
    let alone = rules == Rules::Standard && stands_alone(first);
    let goes_on = |c: char| match rules {
        Rules::Simple => c.is_alphanumeric(),
        Rules::Standard if alone => is_mark(c),
        Rules::Standard => (c.is_alphanumeric() && !stands_alone(c)) || is_mark(c),
    };
    let end = letters.find(|(_, c)| !goes_on(*c)).map_or(text.len(), |(at, _)| start + at);
    Some((start + from, end))
}

/// Marks belong to the letter before them. The common ranges of scripts without marks are told apart cheaply.
fn is_mark(c: char) -> bool {
    c >= '\u{300}' && !c.is_alphanumeric() && is_combining_mark(c)
}

/// Letters of scripts without spaces between words: Han, Hiragana, Thai, Lao, Myanmar, Khmer. A run of them would be a whole sentence.
fn stands_alone(c: char) -> bool {
    matches!(c,
        '\u{e00}'..='\u{eff}' | '\u{1000}'..='\u{109f}' | '\u{1780}'..='\u{17ff}'
        | '\u{3005}'..='\u{3007}' | '\u{3041}'..='\u{309f}' | '\u{3400}'..='\u{4dbf}' | '\u{4e00}'..='\u{9fff}'
        | '\u{f900}'..='\u{faff}' | '\u{20000}'..='\u{3ffff}')
}

/// Appends the word's indexed form to `term`; false, and anything in `term`, when it is too long to be indexed.
fn normalise(word: &str, rules: Rules, form: Form, term: &mut String) -> bool {
    if word.len() > MAX_TERM_BYTES {
        return false;
    }
    match (rules, form) {
        (_, Form::Folded) if word.is_ascii() => {
            term.push_str(word);
            term.make_ascii_lowercase();
        }
        (Rules::Simple, Form::Folded) => lowercase(word.chars(), term),
        (Rules::Standard, Form::Folded) => lowercase(word.nfkc(), term),
        (Rules::Simple, Form::Exact) => term.push_str(word),
        (Rules::Standard, Form::Exact) => term.extend(word.nfkc()),
    }
    term.len() <= MAX_TERM_BYTES
}

/// Lower case, letter by letter; both forms of the small sigma are one, since capitals do not tell which of them is meant.
fn lowercase(letters: impl Iterator<Item = char>, term: &mut String) {
    term.extend(letters.flat_map(char::to_lowercase).map(|c| if c == 'ς' { 'σ' } else { c }));
}
