//! What can be asked of text, and how an answer is computed.
//!
//! A query becomes a [`Plan`]: distinct words, each with the terms that stand for it in each field, and every term's weight by the
//! statistics of all segments. For each segment the plan first marks every document that matches (so totals are exact), then ranks
//! those that are also allowed. However a document is reached, its score is the same sum in the same order, so equal documents have
//! equal scores and ties are broken by place alone.

mod plan;
mod postings;
mod pruned;
pub(crate) mod rank;
mod top;

pub(crate) use plan::Plan;
pub(crate) use postings::{Cursors, matched};

pub(crate) use top::Top;

/// The most words of a query that are looked for; of more than these, the rarest are.
pub const MAX_TERMS: usize = 1024;

/// The largest boost.
pub(crate) const MAX_BOOST: f32 = 1e6;

/// A search for words: no text can make it fail.
#[derive(Debug, Clone, PartialEq)]
pub struct TextQuery {
    /// The words, as a user wrote them. Nothing in them is an operator.
    pub query: String,
    /// The text fields to look in, each with its boost, from 0 to a million. None: every text field, with the boost of its schema.
    pub fields: Option<Vec<(String, f32)>>,
    /// Which words a document must have.
    pub operator: Operator,
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
