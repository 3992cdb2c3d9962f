//! One stream of terms: an analyzer in one of its two forms, for documents and for queries.

use tantivy::tokenizer::{Stemmer, StopWordFilter, TextAnalyzer};

use super::words::{Rules, WordTokenizer};
use super::{Analyzer, Form};

/// How the terms of one posting list of a field are made.
///
/// Both streams give every token its place: `position` counts words and never falls, `offset_from` and `offset_to` are bytes of the
/// text on letters' boundaries, `position_length` is the number of positions that the token spans.
///
/// In a query, a position is a word that is asked for. Any token that spans it (`position` up to `position + position_length`) stands
/// for it; a phrase is made of those of length 1 alone, one after another.
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
            Analyzer::Language { language, stop_words: false } => format!("{language}-1"),
            Analyzer::Language { language, stop_words: true } => format!("{language}-stop-1"),
        };
        match self.form {
            Form::Folded => name,
            Form::Exact => format!("{name}-exact"),
        }
    }

    /// The terms under which a document is found.
    pub fn document(self) -> TextAnalyzer {
        let Self { analyzer, form } = self;
        let standard = || TextAnalyzer::builder(WordTokenizer::new(Rules::Standard, form));
        match (analyzer, form) {
            (Analyzer::Simple, _) => TextAnalyzer::builder(WordTokenizer::new(Rules::Simple, form)).build(),
            (Analyzer::Standard, _) | (Analyzer::Language { .. }, Form::Exact) => standard().build(),
            (Analyzer::Language { language, stop_words }, Form::Folded) => {
                let stemmer = Stemmer::new(language.tantivy());
                match StopWordFilter::new(language.tantivy()).filter(|_| stop_words) {
                    Some(stop) => standard().filter(stop).filter(stemmer).build(),
                    None => standard().filter(stemmer).build(),
                }
            }
        }
    }

    /// The terms that a query asks for.
    pub fn query(self) -> TextAnalyzer {
        self.document()
    }
}
