//! One stream of terms: an analyzer in one of its two forms, for documents and for queries.

use tantivy::tokenizer::{StopWordFilter, TextAnalyzer};

use super::cjk::{CjkTokenizer, Side};
use super::code::{CodeQueryTokenizer, CodeTokenizer, name};
use super::scan::Scanner;
use super::stems::Stems;
use super::trigrams::{Spaces, TrigramTokenizer};
use super::words::{Rules, WordTokenizer, word};
use super::{Analyzer, Form};

/// How the terms of one posting list of a field are made.
///
/// Every token has its place: `position` counts words and never falls, `offset_from` and `offset_to` are bytes of the text at letters'
/// boundaries, `position_length` is the number of positions that the token spans.
///
/// In a query, a position that has tokens is a word that is asked for. Any token that spans it (from `position` up to `position +
/// position_length`) stands for it. A phrase is made of the tokens of length 1 alone, as far apart as their positions are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Analysis {
    pub analyzer: Analyzer,
    pub form: Form,
}

impl Analysis {
    /// A name that is part of the format: the same terms in every version of this program, and another for any other.
    pub fn name(self) -> String {
        let name = match self.analyzer {
            Analyzer::Standard => "standard-1".to_owned(),
            Analyzer::Simple => "simple-1".to_owned(),
            Analyzer::Code => "code-1".to_owned(),
            Analyzer::Cjk => "cjk-1".to_owned(),
            Analyzer::Trigram => "trigram-1".to_owned(),
            Analyzer::Language { language, stop_words: false } => format!("{language}-1"),
            Analyzer::Language { language, stop_words: true } => format!("{language}-stop-1"),
        };
        match self.form {
            Form::Folded => name,
            Form::Exact => format!("{name}-exact"),
        }
    }

    /// The terms under which a document is found; also those of a phrase, which is a piece of a document.
    pub fn document(self) -> TextAnalyzer {
        let Self { analyzer, form } = self;
        let standard = || TextAnalyzer::builder(WordTokenizer::new(Rules::Standard, form));
        match (analyzer, form) {
            (Analyzer::Simple, _) => TextAnalyzer::builder(WordTokenizer::new(Rules::Simple, form)).build(),
            (Analyzer::Code, _) => TextAnalyzer::builder(CodeTokenizer::new(form)).build(),
            (Analyzer::Cjk, _) => TextAnalyzer::builder(CjkTokenizer::new(form, Side::Document)).build(),
            (Analyzer::Trigram, _) => TextAnalyzer::builder(TrigramTokenizer::new(form, Spaces::Kept)).build(),
            (Analyzer::Standard, _) | (Analyzer::Language { .. }, Form::Exact) => standard().build(),
            (Analyzer::Language { language, stop_words }, Form::Folded) => {
                let stems = Stems::new(language);
                match StopWordFilter::new(language.tantivy()).filter(|_| stop_words) {
                    Some(stop) => standard().filter(stop).filter(stems).build(),
                    None => standard().filter(stems).build(),
                }
            }
        }
    }

    /// How a document is cut into words whose terms do not depend on what is around them; none where they do.
    pub fn words(self) -> Option<Words> {
        match self.analyzer {
            Analyzer::Standard | Analyzer::Language { .. } => Some(Words::Standard),
            Analyzer::Simple => Some(Words::Simple),
            Analyzer::Code => Some(Words::Code),
            Analyzer::Cjk | Analyzer::Trigram => None,
        }
    }

    /// The terms of the words that a query asks for.
    pub fn query(self) -> TextAnalyzer {
        match self.analyzer {
            Analyzer::Code => TextAnalyzer::builder(CodeQueryTokenizer::new(self.form)).build(),
            Analyzer::Cjk => TextAnalyzer::builder(CjkTokenizer::new(self.form, Side::Query)).build(),
            Analyzer::Trigram => TextAnalyzer::builder(TrigramTokenizer::new(self.form, Spaces::Apart)).build(),
            Analyzer::Standard | Analyzer::Simple | Analyzer::Language { .. } => self.document(),
        }
    }

    /// Whether the tokens of a query that follow one another are one word, which is there only where they all are, one after another.
    /// Of this analyzer's terms that is the very text: a document has the word exactly when it has the phrase.
    pub fn spells(self) -> bool {
        self.analyzer == Analyzer::Trigram
    }
}

/// The words of a document: the tokens of a text are those of its words, one after another. A word of which no token is left takes one
/// position.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Words {
    Standard,
    Simple,
    Code,
}

impl Words {
    /// The words of a text, as far as they are simple.
    pub fn scanner(self, text: &str) -> Scanner<'_> {
        Scanner::new(self, text)
    }

    /// Where the next word at or after `start` begins and ends.
    pub fn next(self, text: &str, start: usize) -> Option<(usize, usize)> {
        match self {
            Self::Standard => word(text, start, Rules::Standard),
            Self::Simple => word(text, start, Rules::Simple),
            Self::Code => name(text, start),
        }
    }
}
