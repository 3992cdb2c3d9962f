//! How text becomes terms, the same way when it is indexed and when it is searched for.

mod language;
mod words;

use tantivy::tokenizer::{Stemmer, StopWordFilter, TextAnalyzer};

pub use language::Language;
use words::{Rules, WordTokenizer};

/// The longest term in bytes; longer ones are dropped, in documents and in queries alike. Tantivy's own limit is a little above.
pub(crate) const MAX_TERM_BYTES: usize = 65_000;

/// How text becomes terms.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Analyzer {
    /// Unicode words, compatibility-normalised (NFKC) and in lower case. A word is a run of letters, digits and the marks that
    /// belong to them; each ideograph, and each letter of scripts that are written without spaces, is a word of its own.
    Standard,
    /// Runs of letters and digits in lower case, nothing else done to them.
    Simple,
    /// [`Analyzer::Standard`] words without the language's commonest, if so asked, reduced to their stems.
    Language {
        /// The language.
        language: Language,
        /// Whether its commonest words are dropped.
        stop_words: bool,
    },
}

impl Analyzer {
    /// Stemming for the language of this English name in lower case (`english`, `german`, …). None when the language is not known,
    /// or when its commonest words are to be dropped and there is no list of them.
    #[must_use]
    pub fn language(name: &str, stop_words: bool) -> Option<Self> {
        let language = Language::named(name)?;
        let listed = !stop_words || StopWordFilter::new(language.tantivy()).is_some();
        listed.then_some(Self::Language { language, stop_words })
    }

    /// A name that is part of the format: the same analyzer in every version of this program, and another for any other.
    pub(crate) fn name(self) -> String {
        match self {
            Self::Standard => "standard-1".to_owned(),
            Self::Simple => "simple-1".to_owned(),
            Self::Language { language, stop_words: false } => format!("{language}-1"),
            Self::Language { language, stop_words: true } => format!("{language}-stop-1"),
        }
    }

    pub(crate) fn tantivy(self) -> TextAnalyzer {
        let standard = || TextAnalyzer::builder(WordTokenizer::new(Rules::Standard));
        match self {
            Self::Standard => standard().build(),
            Self::Simple => TextAnalyzer::builder(WordTokenizer::new(Rules::Simple)).build(),
            Self::Language { language, stop_words } => {
                let stemmer = Stemmer::new(language.tantivy());
                match StopWordFilter::new(language.tantivy()).filter(|_| stop_words) {
                    Some(stop) => standard().filter(stop).filter(stemmer).build(),
                    None => standard().filter(stemmer).build(),
                }
            }
        }
    }
}

#[cfg(test)]
#[path = "tests.rs"]
mod tests;
