//! Names in source code: each part of a name is a term, and so is the whole.
//!
//! `parseHTTPRequest`, `parse_http_request` and `parse-http-request` all give `parse`, `http` and `request` at three positions, and
//! `parsehttprequest` at the first of them, spanning all three. The whole is what tells the file of a name from the files that have
//! its parts in other places; being made of letters and digits alone, it is the same however the name is spelt.

mod query;
mod split;

use tantivy::tokenizer::{Token, TokenStream, Tokenizer};
use unicode_normalization::UnicodeNormalization;

use super::words::{Rules, normalise};
use super::{Form, MAX_TERM_BYTES};
pub(super) use query::CodeQueryTokenizer;
pub(super) use split::name;
use split::{Name, next_name};

/// The terms of documents.
#[derive(Clone)]
pub(super) struct CodeTokenizer {
    form: Form,
    token: Token,
    /// Where the parts of a name are; kept for its memory.
    parts: Vec<(usize, usize)>,
}

impl CodeTokenizer {
    pub fn new(form: Form) -> Self {
        Self { form, token: Token::default(), parts: Vec::new() }
    }
}

impl Tokenizer for CodeTokenizer {
    type TokenStream<'a> = CodeStream<'a>;

    fn token_stream<'a>(&'a mut self, text: &'a str) -> CodeStream<'a> {
        self.token.reset();
        self.parts.clear();
        CodeStream {
            form: self.form,
            text,
            next: 0,
            position: 0,
            part: 0,
            parts: &mut self.parts,
            token: &mut self.token,
        }
    }
}

pub(super) struct CodeStream<'a> {
    form: Form,
    text: &'a str,
    /// Where the rest of the text begins.
    next: usize,
    /// The position of the next part.
    position: usize,
    /// The next of the current name's parts.
    part: usize,
    parts: &'a mut Vec<(usize, usize)>,
    token: &'a mut Token,
}

impl CodeStream<'_> {
    /// Makes the token the part of the text from `from` to `to`; false when it is too long to be indexed.
    fn word(&mut self, from: usize, to: usize) -> bool {
        self.token.position = self.position;
        self.token.position_length = 1;
        self.position += 1;
        (self.token.offset_from, self.token.offset_to) = (from, to);
        self.token.text.clear();
        normalise(&self.text[from..to], Rules::Standard, self.form, &mut self.token.text)
    }

    /// Makes the token the name that the parts are of.
    fn whole(&mut self) {
        let (from, to) = (self.parts[0].0, self.parts[self.parts.len() - 1].1);
        self.token.position = self.position;
        self.token.position_length = self.parts.len();
        (self.token.offset_from, self.token.offset_to) = (from, to);
        self.token.text.clear();
        match self.form {
            // A name with parts is short, and so are they: none is ever refused.
            Form::Folded => self.parts.iter().for_each(|(from, to)| {
                normalise(&self.text[*from..*to], Rules::Standard, self.form, &mut self.token.text);
            }),
            Form::Exact => self.token.text.extend(self.text[from..to].nfkc()),
        }
    }
}

impl TokenStream for CodeStream<'_> {
    fn advance(&mut self) -> bool {
        loop {
            while let Some(&(from, to)) = self.parts.get(self.part) {
                self.part += 1;
                if self.word(from, to) {
                    return true;
                }
            }
            self.part = 0;
            self.parts.clear();
            let Some((name, next)) = next_name(self.text, self.next, self.parts) else { return false };
            self.next = next;
            match name {
                Name::Simple { from, to } => {
                    if self.word(from, to) {
                        return true;
                    }
                }
                Name::Parts => {
                    self.whole();
                    return true;
                }
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

const _: () = assert!(split::LONGEST_NAME * 18 < MAX_TERM_BYTES, "no letter grows more than eighteenfold in NFKC");
