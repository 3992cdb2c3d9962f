//! The terms that a query asks of source code: those of a document, and what neighbouring words would be as one name.
//!
//! `parse http request` asks for `parsehttp`, `httprequest` and `parsehttprequest` too, so a file with that name is told from one that
//! has the three words apart. Each spans the words it is made of, so any of them stands for them.

use tantivy::tokenizer::{Token, TokenStream, Tokenizer};

use super::CodeTokenizer;
use crate::analyzer::Form;

/// The most words that are tried as one name.
const WIDEST: usize = 5;
/// Words from which names are tried; of a longer query, those that come first.
const MOST_WORDS: usize = 64;

/// The terms of queries.
#[derive(Clone)]
pub(in super::super) struct CodeQueryTokenizer {
    form: Form,
    document: CodeTokenizer,
}

impl CodeQueryTokenizer {
    pub fn new(form: Form) -> Self {
        Self { form, document: CodeTokenizer::new(form) }
    }

    fn tokens(&mut self, text: &str) -> Vec<Token> {
        let mut tokens = Vec::new();
        self.document.token_stream(text).process(&mut |token| tokens.push(token.clone()));
        if self.form == Form::Folded {
            names(&mut tokens);
        }
        // A name comes before its parts, a longer one before a shorter.
        tokens.sort_by_key(|token| (token.position, std::cmp::Reverse(token.position_length)));
        tokens
    }
}

/// Adds the names that neighbouring words make.
fn names(tokens: &mut Vec<Token>) {
    let words: Vec<usize> = (0..tokens.len()).filter(|at| tokens[*at].position_length == 1).take(MOST_WORDS).collect();
    let known: Vec<(usize, usize)> =
        tokens.iter().filter(|token| token.position_length > 1).map(|t| (t.position, t.position_length)).collect();
    for (number, first) in words.iter().enumerate() {
        let mut name = tokens[*first].clone();
        for next in words.iter().skip(number + 1).take(WIDEST - 1) {
            let next = &tokens[*next];
            if next.position != name.position + name.position_length {
                break;
            }
            name.text.push_str(&next.text);
            name.position_length += 1;
            name.offset_to = next.offset_to;
            if known.binary_search(&(name.position, name.position_length)).is_err() {
                tokens.push(name.clone());
            }
        }
    }
}

impl Tokenizer for CodeQueryTokenizer {
    type TokenStream<'a> = CodeQueryStream;

    fn token_stream<'a>(&'a mut self, text: &'a str) -> CodeQueryStream {
        CodeQueryStream { tokens: self.tokens(text).into_iter(), token: Token::default() }
    }
}

pub(in super::super) struct CodeQueryStream {
    tokens: std::vec::IntoIter<Token>,
    token: Token,
}

impl TokenStream for CodeQueryStream {
    fn advance(&mut self) -> bool {
        match self.tokens.next() {
            Some(token) => {
                self.token = token;
                true
            }
            None => false,
        }
    }

    fn token(&self) -> &Token {
        &self.token
    }

    fn token_mut(&mut self) -> &mut Token {
        &mut self.token
    }
}
