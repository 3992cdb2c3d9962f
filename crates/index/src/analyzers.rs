//! How a schema says how text becomes terms: the names and options of the public API, and what they are in the text layer.

use crate::error::{Error, Result};
use cutover_text::{Analyzer, Case, Language};
use serde::{Deserialize, Serialize};

/// The public names of the analyzers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged, expecting = "analyzer must be standard, simple, code, cjk, trigram or { language, stopWords }")]
pub enum AnalyzerName {
    /// One without options.
    Named(Named),
    /// Stemming for a language.
    Language(LanguageName),
}

/// Analyzers without options.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Named {
    /// Unicode words in lower case.
    Standard,
    /// Runs of letters and digits in lower case.
    Simple,
    /// Names of source code, their parts and their wholes.
    Code,
    /// Standard words; letters and pairs of letters of scripts without spaces.
    Cjk,
    /// Every three letters, for substrings.
    Trigram,
}

/// Standard words of a language, reduced to their stems.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct LanguageName {
    /// The language's English name, in lower case.
    pub language: String,
    /// Whether its commonest words are dropped. Default false.
    #[serde(default)]
    pub stop_words: bool,
}

/// `false`, `true` or `both`: whether capitals are told from small letters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged, expecting = "caseSensitive must be true, false or both")]
pub enum CaseSensitive {
    /// Always, or never.
    Always(bool),
    /// A query chooses.
    Chosen(Both),
}

/// The word `both`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Both {
    /// Both forms are indexed.
    Both,
}

impl Default for AnalyzerName {
    fn default() -> Self {
        Self::Named(Named::Standard)
    }
}

impl Default for CaseSensitive {
    fn default() -> Self {
        Self::Always(false)
    }
}

impl From<CaseSensitive> for Case {
    fn from(option: CaseSensitive) -> Self {
        match option {
            CaseSensitive::Always(false) => Self::Insensitive,
            CaseSensitive::Always(true) => Self::Sensitive,
            CaseSensitive::Chosen(Both::Both) => Self::Both,
        }
    }
}

impl AnalyzerName {
    /// The analyzer of this name, for the field `field`.
    ///
    /// # Errors
    /// [`Error::Range`] for a language that is not known, or of which no list of common words is.
    pub(crate) fn resolve(&self, field: &str) -> Result<Analyzer> {
        let LanguageName { language, stop_words } = match self {
            Self::Named(Named::Standard) => return Ok(Analyzer::Standard),
            Self::Named(Named::Simple) => return Ok(Analyzer::Simple),
            Self::Named(Named::Code) => return Ok(Analyzer::Code),
            Self::Named(Named::Cjk) => return Ok(Analyzer::Cjk),
            Self::Named(Named::Trigram) => return Ok(Analyzer::Trigram),
            Self::Language(name) => name,
        };
        Analyzer::language(language, *stop_words).ok_or_else(|| {
            Error::Range(if Language::named(language).is_some() {
                format!("fields.{field}.analyzer.stopWords must be false: no list of the commonest words of {language:?} is known")
            } else {
                let known = Language::names().collect::<Vec<_>>().join(", ");
                format!("fields.{field}.analyzer.language must be one of {known}, got {language:?}")
            })
        })
    }
}

#[cfg(test)]
mod tests {
    use crate::schema::Schema;

    fn read(options: &str) -> Result<String, String> {
        let schema = Schema::from_json(&format!(r#"{{"title":{{"type":"text"{options}}}}}"#));
        schema.map(|schema| schema.to_json()["title"].to_string()).map_err(|error| error.to_string())
    }

    #[test]
    fn options_of_a_text_field_are_read_and_written_alike() {
        let cases = [
            ("", r#""analyzer":"standard""#),
            (r#","analyzer":"code""#, r#""analyzer":"code""#),
            (r#","analyzer":{"language":"german"}"#, r#""analyzer":{"language":"german","stopWords":false}"#),
            (r#","caseSensitive":true"#, r#""caseSensitive":true"#),
            (r#","caseSensitive":"both""#, r#""caseSensitive":"both""#),
        ];
        for (options, shown) in cases {
            let json = read(options).unwrap_or_else(|error| error);
            assert!(json.contains(shown), "{options} gives {json}");
            let again = Schema::from_json(&format!(r#"{{"title":{json}}}"#)).map(|schema| schema.to_json());
            assert_eq!(again.map(|again| again["title"].to_string()).ok(), Some(json));
        }
    }

    #[test]
    fn options_that_there_are_not_are_named_with_those_there_are() {
        let cases = [
            (r#","analyzer":"codes""#, "fields.title: analyzer must be standard, simple, code, cjk, trigram or"),
            (r#","analyzer":{"language":"german","stop":true}"#, "fields.title: analyzer must be"),
            (r#","analyzer":{"language":"klingon"}"#, "language must be one of arabic, "),
            (r#","analyzer":{"language":"tamil","stopWords":true}"#, "stopWords must be false"),
            (r#","caseSensitive":"yes""#, "fields.title: caseSensitive must be true, false or both"),
        ];
        for (options, message) in cases {
            let error = read(options).err().unwrap_or_default();
            assert!(error.contains(message), "{options} gives {error:?}");
        }
    }
}
