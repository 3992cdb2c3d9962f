//! How text becomes terms, the same way when it is indexed and when it is searched for.

mod analysis;
mod cjk;
mod code;
mod language;
mod letters;
mod scan;
mod stems;
mod trigrams;
mod words;

use tantivy::tokenizer::StopWordFilter;

pub(crate) use analysis::{Analysis, Words};
pub use language::Language;
pub(crate) use letters::joins_the_letter_before;
pub(crate) use scan::{Key, Scan};

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
    /// Names of source code: their parts, told apart by capitals, digits, `_`, `$`, `-`, dots and slashes, in lower case, and the
    /// whole of a name that has several, without what joins them. A query's neighbouring words are looked for as one name, too.
    Code,
    /// [`Analyzer::Standard`], but of Chinese, Japanese, Korean and other scripts without spaces every letter and every pair of
    /// neighbours. A query of several letters asks for the pairs.
    Cjk,
    /// Every three letters that follow one another, so that any three or more can be found wherever they are in a word or between
    /// words. Nothing but capitals is evened out. A query's words of fewer letters find nothing.
    Trigram,
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
}

/// Whether a field tells capitals from small letters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Case {
    /// It does not.
    #[default]
    Insensitive,
    /// It does.
    Sensitive,
    /// Both forms are indexed, and a query chooses.
    Both,
}

/// A form in which text is indexed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Form {
    /// Capitals and small letters are the same.
    Folded,
    /// Words as they are written: capitals tell, nothing is stemmed, no word is dropped for being common.
    Exact,
}

impl Case {
    /// The forms in which a field of this case is indexed, the one that queries use by default first.
    pub(crate) fn forms(self) -> &'static [Form] {
        match self {
            Self::Insensitive => &[Form::Folded],
            Self::Sensitive => &[Form::Exact],
            Self::Both => &[Form::Folded, Form::Exact],
        }
    }
}

#[cfg(test)]
mod tests;
