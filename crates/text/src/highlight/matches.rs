//! The places of a text that match a query's terms.

use std::collections::HashMap;
use std::ops::Range;

use tantivy::tokenizer::TextAnalyzer;

use super::phrase::{Phrase, Seen};
use crate::analyzer::Analysis;

/// A place that matches: which term, and which bytes of the text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Match {
    /// Index into the terms of the matcher.
    pub term: usize,
    pub bytes: Range<usize>,
}

/// The terms that are looked for in one field.
pub(super) struct FieldMatcher {
    analyzer: TextAnalyzer,
    numbers: HashMap<Box<[u8]>, usize>,
    terms: Vec<Term>,
    phrases: Vec<Phrase>,
    /// For each first byte the lengths of the terms that begin with it, as bits; 63 stands for all above.
    lengths: Box<[u64; 256]>,
}

struct Term {
    /// What it counts for: its weight in the score, so a rare one counts most.
    weight: f64,
    /// Whether it matches by itself, or in a phrase only.
    alone: bool,
}

impl FieldMatcher {
    pub fn new(analysis: Analysis) -> Self {
        let analyzer = analysis.document();
        let lengths = Box::new([0; 256]);
        Self { analyzer, numbers: HashMap::new(), terms: Vec::new(), phrases: Vec::new(), lengths }
    }

    /// Looks for a term by itself.
    pub fn add(&mut self, term: &[u8], weight: f64) {
        let number = self.number(term);
        self.terms[number].alone = true;
        self.terms[number].weight = weight;
    }

    /// Looks for terms that stand together, given with their places, and moved by no more than `slop`.
    pub fn add_phrase<'t>(&mut self, words: impl Iterator<Item = (u32, &'t [u8])>, slop: u32, weight: f64) {
        let mut number = |(place, term)| {
            let number = self.number(term);
            self.terms[number].weight = weight;
            (place, number)
        };
        let words: Vec<(u32, usize)> = words.map(&mut number).collect();
        self.phrases.push(Phrase::new(words, slop));
    }

    fn number(&mut self, term: &[u8]) -> usize {
        self.lengths[usize::from(first(term))] |= length_bit(term);
        let next = self.terms.len();
        let number = *self.numbers.entry(term.into()).or_insert(next);
        if number == next {
            self.terms.push(Term { weight: 1.0, alone: false });
        }
        number
    }

    /// What each term counts for.
    pub fn weights(&self) -> Vec<f64> {
        self.terms.iter().map(|term| term.weight).collect()
    }

    /// Calls `each` with the matches of `text`, by where they begin, until it returns false.
    pub fn each(&mut self, text: &str, mut each: impl FnMut(Match) -> bool) {
        if self.phrases.is_empty() {
            self.tokens(text, |seen| each(Match { term: seen.term, bytes: seen.bytes }));
            return;
        }
        let mut all: Vec<Seen> = Vec::new();
        self.tokens(text, |seen| {
            all.push(seen);
            true
        });
        let mut shown: Vec<bool> = all.iter().map(|seen| self.terms[seen.term].alone).collect();
        for phrase in &self.phrases {
            phrase.mark(&all, &mut shown);
        }
        for (seen, shown) in all.into_iter().zip(shown) {
            if shown && !each(Match { term: seen.term, bytes: seen.bytes }) {
                break;
            }
        }
    }

    /// Calls `each` with the tokens of `text` that are among the terms, until it returns false.
    fn tokens(&mut self, text: &str, mut each: impl FnMut(Seen) -> bool) {
        let Self { analyzer, numbers, lengths, .. } = self;
        let mut tokens = analyzer.token_stream(text);
        while tokens.advance() {
            let token = tokens.token();
            let term = token.text.as_bytes();
            if lengths[usize::from(first(term))] & length_bit(term) == 0 {
                continue;
            }
            if let Some(&term) = numbers.get(term)
                && !each(Seen { term, position: token.position, bytes: token.offset_from..token.offset_to })
            {
                break;
            }
        }
    }
}

fn first(term: &[u8]) -> u8 {
    term.first().copied().unwrap_or(0)
}

fn length_bit(term: &[u8]) -> u64 {
    1 << term.len().min(63)
}
