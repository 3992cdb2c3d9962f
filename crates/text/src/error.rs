//! What can go wrong in the text layer: caller's mistakes, damaged containers, and nothing in between.

use std::path::PathBuf;

/// The result of this crate's operations.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// An operation of the text layer that did not happen.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The container could not be written, or is not a container.
    #[error(transparent)]
    File(#[from] cutover_durable::Error),
    /// The container's bytes contradict each other: it is damaged. The version that holds it is unusable; activate another, or
    /// run `repair`.
    #[error("{} is damaged: {detail}", path.display())]
    Corrupt {
        /// The container.
        path: PathBuf,
        /// What was found while doing what.
        detail: String,
    },
    /// The container was built for other fields than those it was opened with, or segments of different schemas were searched
    /// together.
    #[error("{} holds the text of other fields than those it is opened with", path.display())]
    OtherSchema {
        /// The container.
        path: PathBuf,
    },
    /// A schema that no index can be built for.
    #[error("field {field:?}: {reason}")]
    Schema {
        /// The field's name.
        field: String,
        /// What is wrong with it.
        reason: String,
    },
    /// A value that its field cannot hold. Nothing of the document was kept.
    #[error("field {field:?}: {reason}")]
    Value {
        /// The field's name, or its number when the schema has none such.
        field: String,
        /// What was expected and what came.
        reason: String,
    },
    /// A query, filter or facet that does not fit the schema.
    #[error("field {field:?}: {reason}")]
    Query {
        /// The field's name as the query gave it; empty when no single field is at fault.
        field: String,
        /// What does not fit.
        reason: String,
    },
    /// A query that asks for more, or for something else, than can be had: a regular expression that is none or too large, a beginning of
    /// too many terms.
    #[error("the query cannot be answered: {reason}")]
    Refused {
        /// What it is.
        reason: String,
    },
    /// A query in the query language that cannot be read.
    #[error("the query cannot be read at character {position}: {reason}")]
    Syntax {
        /// Characters before the place.
        position: usize,
        /// What is wrong there.
        reason: String,
    },
    /// Documents must be added in the order of their ordinals, each once.
    #[error("document {given} was added where document {expected} was due")]
    Ordinal {
        /// The ordinal due.
        expected: u32,
        /// The ordinal given.
        given: u32,
    },
    /// The cancel flag was raised; nothing was changed.
    #[error("cancelled")]
    Cancelled,
    /// The search library failed where no input can make it fail: a defect, not the caller's mistake.
    #[error("could not {action}: {detail}")]
    Internal {
        /// What was being done, as a verb phrase.
        action: &'static str,
        /// What the library said.
        detail: String,
    },
}

impl Error {
    pub(crate) fn value(field: impl Into<String>, reason: impl Into<String>) -> Self {
        Self::Value { field: field.into(), reason: reason.into() }
    }

    pub(crate) fn refused(reason: impl Into<String>) -> Self {
        Self::Refused { reason: reason.into() }
    }

    pub(crate) fn query(field: impl Into<String>, reason: impl Into<String>) -> Self {
        Self::Query { field: field.into(), reason: reason.into() }
    }
}
