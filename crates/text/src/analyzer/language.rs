//! The languages whose words can be reduced to stems.

use std::fmt;

use tantivy::tokenizer::Language as Tantivy;

/// A language with a stemmer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Language(Tantivy);

const ALL: [(&str, Tantivy); 18] = [
    ("arabic", Tantivy::Arabic),
    ("danish", Tantivy::Danish),
    ("dutch", Tantivy::Dutch),
    ("english", Tantivy::English),
    ("finnish", Tantivy::Finnish),
    ("french", Tantivy::French),
    ("german", Tantivy::German),
    ("greek", Tantivy::Greek),
    ("hungarian", Tantivy::Hungarian),
    ("italian", Tantivy::Italian),
    ("norwegian", Tantivy::Norwegian),
    ("portuguese", Tantivy::Portuguese),
    ("romanian", Tantivy::Romanian),
    ("russian", Tantivy::Russian),
    ("spanish", Tantivy::Spanish),
    ("swedish", Tantivy::Swedish),
    ("tamil", Tantivy::Tamil),
    ("turkish", Tantivy::Turkish),
];

impl Language {
    /// The language of this English name in lower case.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        ALL.iter().find(|(known, _)| *known == name).map(|(_, language)| Self(*language))
    }

    /// The names that [`Language::named`] knows, sorted.
    pub fn names() -> impl Iterator<Item = &'static str> {
        ALL.iter().map(|(name, _)| *name)
    }

    pub(super) fn tantivy(self) -> Tantivy {
        self.0
    }
}

impl fmt::Display for Language {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = ALL.iter().find(|(_, language)| *language == self.0).map_or("unknown", |(name, _)| *name);
        f.write_str(name)
    }
}
