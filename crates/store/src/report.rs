//! What verify and repair say: one [`Problem`] for each thing that is wrong.

use serde::Serialize;

use crate::VersionId;

/// How much of a version is looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Depth {
    /// Records, names, kinds and sizes of files. Costs a few system calls a file.
    Sizes,
    /// And every byte, against the digest it was published with.
    Digests,
}

/// One thing that is wrong with an index.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Problem {
    /// The version, or what a record of the index takes for one; `None` when it is none's in particular.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// The file, relative to the version's directory, or to the index's when there is no version or a record of the index is meant.
    pub file: String,
    /// What kind of thing.
    pub kind: ProblemKind,
    /// What exactly, for people.
    pub detail: String,
}

/// Kinds of things that can be wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum ProblemKind {
    /// A file, or the version that a record names, is not there; or something else is in its place.
    Missing,
    /// Something is there that no manifest lists. It harms no reader.
    Unexpected,
    /// A file has another length than it was published with.
    Size,
    /// A file has other bytes than it was published with.
    Digest,
    /// A file cannot be read, or what it holds makes no sense, or its format is too new.
    Unreadable,
    /// Two records, or a record and what it describes, say different things.
    Disagree,
    /// A document cannot be found from where searches begin.
    Unreachable,
}

/// What a verification found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct VerifyReport {
    /// Whether there was no problem.
    pub ok: bool,
    /// The versions that were looked at, oldest first.
    pub versions: Vec<VersionId>,
    /// Bytes that were read and compared with a digest. A file that several versions share is read once.
    pub bytes_read: u64,
    /// What is wrong. Damage to a file that several versions share is named for each of them.
    pub problems: Vec<Problem>,
}

impl Problem {
    pub(crate) fn of_index(file: &str, kind: ProblemKind, detail: impl Into<String>) -> Self {
        Self { version: None, file: file.to_owned(), kind, detail: detail.into() }
    }

    pub(crate) fn of_version(id: &VersionId, file: &str, kind: ProblemKind, detail: impl Into<String>) -> Self {
        Self { version: Some(id.to_string()), file: file.to_owned(), kind, detail: detail.into() }
    }
}
