//! What can go wrong in an index, and the public code of each.
//!
//! Every error of the layers below passes through here once: [`Error::code`], [`Error::detail`] and
//! [`Error::retryable`] are what the N-API boundary shows, so a code is decided in one place.

use serde_json::{Value, json};

/// The result of an index operation.
pub type Result<T> = std::result::Result<T, Error>;

/// Why an index operation did not happen.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The version store refused or failed, or a file of any layer; its own message says what was being done to which path.
    #[error(transparent)]
    Store(#[from] cutover_store::Error),
    /// The vector layer refused or failed.
    #[error("vector field {field:?}: {source}")]
    Vectors {
        /// The schema's name of the field.
        field: String,
        /// What the vector layer says.
        source: cutover_vectors::Error,
    },
    /// The text layer refused or failed.
    #[error(transparent)]
    Text(cutover_text::Error),
    /// The index was closed by its owner.
    #[error("the index {path} is closed")]
    Closed {
        /// The index directory.
        path: String,
    },
    /// The schema given does not fit the version served. `rebuild` publishes the new schema; until then nothing is searched.
    #[error("{detail}")]
    Schema {
        /// Which field disagrees, and how.
        detail: String,
    },
    /// A document breaks the schema. The write ends, or skips it when told to.
    #[error("document {id:?}{}: {reason}, got {value}", field.as_ref().map(|f| format!(", field {f:?}")).unwrap_or_default())]
    Document {
        /// The document's id as it was given; empty when it has none.
        id: String,
        /// The offending field; none when the document as a whole is at fault.
        field: Option<String>,
        /// The offending value as JSON, shortened.
        value: String,
        /// What was expected.
        reason: String,
    },
    /// A file that was to be imported is not what it should be.
    #[error("{path}: {detail}")]
    Source {
        /// The file.
        path: String,
        /// What is wrong with it.
        detail: String,
    },
    /// The caller passed a value of the wrong type.
    #[error("{0}")]
    Type(String),
    /// The caller passed a value outside its bounds.
    #[error("{0}")]
    Range(String),
    /// A version's files are whole but disagree with each other: no publish of ours writes such a version.
    #[error("version {version}, {file}: {detail}")]
    Corrupt {
        /// The version.
        version: String,
        /// The file or segment, relative to the version's directory.
        file: String,
        /// Which facts disagree.
        detail: String,
    },
    /// The caller's signal fired; what had happened by then is each method's to say.
    #[error("cancelled")]
    Cancelled,
    /// The operating system gave no thread or pool.
    #[error("starting {what}: {detail}")]
    Threads {
        /// What was to be started.
        what: &'static str,
        /// The system's reason.
        detail: String,
    },
    /// A defect of Cutover's: an invariant did not hold.
    #[error("internal error: {0}")]
    Internal(String),
}

impl From<cutover_durable::Error> for Error {
    fn from(error: cutover_durable::Error) -> Self {
        Self::Store(error.into())
    }
}

impl From<cutover_text::Error> for Error {
    fn from(error: cutover_text::Error) -> Self {
        match error {
            cutover_text::Error::Cancelled => Self::Cancelled,
            cutover_text::Error::File(error) => error.into(),
            error => Self::Text(error),
        }
    }
}

impl Error {
    /// A failed write: the writer's own error, which knows the path, travels inside `source`.
    pub(crate) fn from_writer(source: std::io::Error) -> Self {
        cutover_durable::Error::io("write", "", source).into()
    }

    /// A failure of the vector layer in `field`.
    pub(crate) fn vectors(field: &str) -> impl Fn(cutover_vectors::Error) -> Self + '_ {
        move |source| match source {
            cutover_vectors::Error::Cancelled => Self::Cancelled,
            cutover_vectors::Error::Durable(error) => error.into(),
            source => Self::Vectors { field: field.to_owned(), source },
        }
    }

    /// The public error code, or `TypeError`/`RangeError` for a caller's mistake.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Store(e) => e.code(),
            Self::Text(e) => text_code(e),
            Self::Vectors { source, .. } => vectors_code(source),
            Self::Closed { .. } => "CUTOVER_CLOSED",
            Self::Schema { .. } => "CUTOVER_SCHEMA",
            Self::Document { .. } => "CUTOVER_DOCUMENT",
            Self::Source { .. } => "CUTOVER_SOURCE",
            Self::Type(_) => "TypeError",
            Self::Range(_) => "RangeError",
            Self::Corrupt { .. } => "CUTOVER_CORRUPT",
            Self::Cancelled => "CANCELLED",
            Self::Threads { .. } => "CUTOVER_BUSY",
            Self::Internal(_) => "CUTOVER_INTERNAL",
        }
    }

    /// The facts of the error for programs: paths, versions, ids, values.
    #[must_use]
    pub fn detail(&self) -> Value {
        match self {
            Self::Store(e) => e.detail(),
            Self::Vectors { field, .. } => json!({ "field": field }),
            Self::Closed { path } => json!({ "path": path }),
            Self::Document { id, field, value, reason } => {
                json!({ "id": id, "field": field, "value": value, "reason": reason })
            }
            Self::Corrupt { version, file, detail } => json!({ "version": version, "file": file, "reason": detail }),
            Self::Source { path, detail } => json!({ "path": path, "reason": detail }),
            Self::Text(cutover_text::Error::Corrupt { path, detail }) => {
                json!({ "path": path.to_string_lossy(), "reason": detail })
            }
            Self::Text(cutover_text::Error::Syntax { position, reason }) => {
                json!({ "position": position, "reason": reason })
            }
            _ => json!({}),
        }
    }

    /// Whether the same call may succeed later without a change by the caller.
    #[must_use]
    pub fn retryable(&self) -> bool {
        match self {
            Self::Store(e) => e.is_retryable(),
            other => matches!(other, Self::Threads { .. }),
        }
    }
}

fn text_code(error: &cutover_text::Error) -> &'static str {
    use cutover_text::Error as T;
    match error {
        T::Corrupt { .. } | T::OtherSchema { .. } => "CUTOVER_CORRUPT",
        T::Schema { .. } | T::Query { .. } => "RangeError",
        T::Refused { .. } | T::Syntax { .. } => "CUTOVER_QUERY",
        T::Value { .. } => "CUTOVER_DOCUMENT",
        _ => "CUTOVER_INTERNAL",
    }
}

fn vectors_code(error: &cutover_vectors::Error) -> &'static str {
    use cutover_vectors::Error as V;
    match error {
        V::Parameter { .. }
        | V::Dimensions { .. }
        | V::NotFinite { .. }
        | V::NotHalf { .. }
        | V::Zero
        | V::Length { .. } => "RangeError",
        V::OutOfMemory { .. } | V::Thread(_) => "CUTOVER_BUSY",
        _ => "CUTOVER_INTERNAL",
    }
}
