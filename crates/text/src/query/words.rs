//! The words of a text, as every field of a scope understands them.
//!
//! Fields may cut or change words differently. What they make of the same bytes of the query stands for the same thing and is scored as
//! one; what begins at the same byte is the same word, of which a document must have one where it must have all words.

use std::collections::{BTreeMap, BTreeSet};

use super::MAX_TERMS;
use crate::Analyzer;
use crate::analyzer::{Analysis, Form};

/// The most words that are looked at, of a text that is not a phrase; those behind them are not.
const MAX_WORDS: usize = 1 << 14;

/// Bytes of the query.
pub(super) type Span = (usize, usize);

/// What one analysis makes of a span.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Piece {
    /// One term.
    Term(String),
    /// Terms one after another, by their places.
    Spelt(Vec<(u32, String)>),
    /// What terms begin with.
    Beginning(String),
}

/// A text cut into words.
#[derive(Debug, Default)]
pub(super) struct Cut {
    /// What each analysis makes of a span.
    pub pieces: BTreeMap<Span, BTreeSet<(usize, Piece)>>,
    /// For the byte where a word begins, the spans that stand for it.
    pub words: BTreeMap<usize, BTreeSet<Span>>,
}

/// Cuts `text` by each of `analyses`; of the last word only the beginning is known when `open`.
pub(super) fn cut(analyses: &[Analysis], text: &str, open: bool) -> Cut {
    let mut cut = Cut::default();
    for (number, analysis) in analyses.iter().enumerate() {
        if analysis.spells() {
            cut.spelt(number, *analysis, text);
        } else {
            cut.terms(number, *analysis, text, open);
        }
    }
    cut
}

/// The terms of a phrase, by their places: at most one more than [`MAX_TERMS`].
pub(super) fn phrase(analysis: Analysis, text: &str) -> Vec<(u32, String)> {
    let mut words: Vec<(u32, String)> = Vec::new();
    let mut analyzer = analysis.document();
    let mut stream = analyzer.token_stream(text);
    while words.len() <= MAX_TERMS && stream.advance() {
        let token = stream.token();
        if token.position_length == 1
            && let Ok(place) = u32::try_from(token.position)
        {
            words.push((place, token.text.clone()));
        }
    }
    words
}

struct Token {
    span: Span,
    position: usize,
    length: usize,
    text: String,
}

impl Cut {
    fn terms(&mut self, number: usize, analysis: Analysis, text: &str, open: bool) {
        let mut tokens: Vec<Token> = tokens(analysis, text);
        let mut begins: BTreeMap<usize, usize> = BTreeMap::new();
        for token in &tokens {
            let begin = begins.entry(token.position).or_insert(token.span.0);
            *begin = token.span.0.min(*begin);
        }
        let end = tokens.iter().map(|token| token.span.1).max().unwrap_or(0);
        if open && let Analyzer::Language { .. } = analysis.analyzer {
            // Of a word that is not whole yet nobody knows the stem, nor whether it is one to be dropped.
            let plain = Analysis { analyzer: Analyzer::Standard, form: Form::Folded };
            if let Some(last) = self::tokens(plain, text).into_iter().next_back().filter(|last| last.span.1 >= end) {
                begins.entry(last.position).or_insert(last.span.0);
                self.put(number, Piece::Beginning(last.text), last.span, [last.span.0]);
            }
        }
        for token in tokens.drain(..) {
            let words: Vec<usize> =
                begins.range(token.position..token.position + token.length).map(|(_, begin)| *begin).collect();
            let piece = if open && token.span.1 == end && !matches!(analysis.analyzer, Analyzer::Language { .. }) {
                Piece::Beginning(token.text)
            } else {
                Piece::Term(token.text)
            };
            self.put(number, piece, token.span, words);
        }
    }

    fn spelt(&mut self, number: usize, analysis: Analysis, text: &str) {
        let tokens = tokens(analysis, text);
        for run in tokens.chunk_by(|before, after| before.position + 1 == after.position) {
            let span = (run[0].span.0, run[run.len() - 1].span.1);
            let place = |token: &Token| ((token.position - run[0].position) as u32, token.text.clone());
            self.put(number, Piece::Spelt(run.iter().map(place).collect()), span, [span.0]);
        }
    }

    fn put(&mut self, analysis: usize, piece: Piece, span: Span, words: impl IntoIterator<Item = usize>) {
        self.pieces.entry(span).or_default().insert((analysis, piece));
        for word in words {
            self.words.entry(word).or_default().insert(span);
        }
    }
}

fn tokens(analysis: Analysis, text: &str) -> Vec<Token> {
    let mut tokens = Vec::new();
    let mut analyzer = analysis.query();
    let mut stream = analyzer.token_stream(text);
    while tokens.len() < MAX_WORDS && stream.advance() {
        let token = stream.token();
        tokens.push(Token {
            span: (token.offset_from, token.offset_to),
            position: token.position,
            length: token.position_length.max(1),
            text: token.text.clone(),
        });
    }
    tokens
}
