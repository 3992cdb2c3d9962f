//! What can be asked of text, and how an answer is computed.
//!
//! A query becomes a [`Plan`]: *units*, each a word with all terms that stand for it in all fields, or a phrase, and a rule that says
//! which documents match. For each segment, what matches is counted exactly and what is also allowed is ranked by BM25F. However
//! a document is reached, its score is the same sum in the same order, so equal documents have equal scores and ties are broken by
//! place alone.

mod cursors;
mod explain;
mod fields;
mod matched;
mod merge;
mod pattern;
mod phrase;
mod plan;
pub(crate) mod rank;
mod syntax;
mod tally;
mod terms;
mod top;
mod unit;
mod words;
mod work;

pub(crate) use cursors::Cursors;
pub(crate) use explain::explain;
pub use explain::{Explanation, Part, PartField};
pub(crate) use fields::QueryField;
pub(crate) use matched::matched;
pub(crate) use phrase::starts;
pub(crate) use plan::Plan;
pub(crate) use tally::Tally;
pub(crate) use top::Top;
pub(crate) use unit::Asked;
pub(crate) use work::Work;

/// How soon repetition stops to count.
pub(crate) const K1: f64 = 1.2;
/// How much length counts.
pub(crate) const B: f64 = 0.75;

/// The most words of a query that are looked for; of more than these, the rarest are.
pub const MAX_TERMS: usize = 1024;

/// The largest boost.
pub(crate) const MAX_BOOST: f32 = 1e6;

/// What is asked of the text fields.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct TextQuery {
    /// What a user wrote; how it is read, `mode` says.
    pub query: String,
    /// The text fields to look in, each with its boost, from 0 to a million. None: every text field, with the boost of its schema.
    pub fields: Option<Vec<(String, f32)>>,
    /// How `query` is read.
    pub mode: Mode,
    /// Which words a document must have.
    pub operator: Operator,
    /// How many letters of a word may differ.
    pub fuzzy: Fuzzy,
    /// The letters at the beginning of a word that no difference may touch, where `fuzzy` allows any. The public default is 1.
    pub prefix_length: u32,
    /// Whether capitals tell. None: as each field's schema has it. Some(true) leaves out fields that know no capitals, Some(false) those
    /// that know nothing else; where none is left the query is refused.
    pub case_sensitive: Option<bool>,
    /// For phrases: how far apart, in positions, their words may be moved in all; a change of places of two neighbours takes 2.
    pub slop: u32,
}

/// How a query's text is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Mode {
    /// Words; nothing in them is an operator, and no text can make the query fail.
    #[default]
    Words,
    /// Words with AND, OR, NOT, parentheses, "phrases", `field:`, `prefix*`, `~` and `^`.
    Syntax,
    /// All of it is one phrase.
    Phrase,
    /// Words, of which the last may be only the beginning of one.
    Prefix,
    /// A regular expression that a term must match as a whole.
    Regex,
}

/// How many letters of a word may differ: inserted, left out, replaced, or two neighbours changed over.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub enum Fuzzy {
    /// None.
    #[default]
    Exact,
    /// One.
    One,
    /// Two.
    Two,
    /// By the word's length: none up to 3 letters, one up to 7, else two.
    Auto,
}

/// Which words of a query a document must have to match.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Operator {
    /// Any of them.
    #[default]
    Or,
    /// Every one, each in at least one of the fields.
    And,
}

#[cfg(test)]
mod tests;
