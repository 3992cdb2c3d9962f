//! The places of a text that match a query's terms.

use std::collections::HashMap;
use std::ops::Range;

use tantivy::tokenizer::TextAnalyzer;

use crate::analyzer::Analysis;

/// A place that matches: which term, and which bytes of the text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Match {
    /// Index into [`FieldMatcher::weights`].
    pub term: usize,
    pub bytes: Range<usize>,
}

/// The terms that are looked for in one field.
pub(super) struct FieldMatcher {
    analyzer: TextAnalyzer,
    terms: HashMap<Box<[u8]>, usize>,
    /// What each term counts for: its weight in the score, so a rare one counts most.
    weights: Vec<f64>,
    /// For each first byte the lengths of the terms that begin with it, as bits; 63 stands for all above.
    lengths: Box<[u64; 256]>,
}

impl FieldMatcher {
    pub fn new(analysis: Analysis) -> Self {
        let analyzer = analysis.document();
        Self { analyzer, terms: HashMap::new(), weights: Vec::new(), lengths: Box::new([0; 256]) }
    }

    pub fn add(&mut self, term: &[u8], weight: f64) {
        self.lengths[usize::from(first(term))] |= length_bit(term);
        let next = self.weights.len();
        if *self.terms.entry(term.into()).or_insert(next) == next {
            self.weights.push(weight);
        }
    }

    /// What a term counts for.
    pub fn weight(&self, term: usize) -> f64 {
        self.weights[term]
    }

    /// How many terms there are.
    pub fn len(&self) -> usize {
        self.weights.len()
    }

    /// Calls `each` with the matches of `text`, by where they begin, until it returns false.
    pub fn each(&mut self, text: &str, mut each: impl FnMut(Match) -> bool) {
        let Self { analyzer, terms, lengths, .. } = self;
        let mut tokens = analyzer.token_stream(text);
        while tokens.advance() {
            let token = tokens.token();
            let term = token.text.as_bytes();
            if lengths[usize::from(first(term))] & length_bit(term) == 0 {
                continue;
            }
            if let Some(&number) = terms.get(term)
                && !each(Match { term: number, bytes: token.offset_from..token.offset_to })
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
