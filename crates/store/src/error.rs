//! What can go wrong with an index directory, one variant for each thing that a caller can do about it.

use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use crate::{Holder, VersionId};

/// The result of this crate's operations.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// An operation on an index that did not happen, or, for [`Error::Indeterminate`], that may or may not have.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The text cannot be a version id.
    #[error("{id:?} is not a version id: {rule}")]
    InvalidId {
        /// The text, cut to a bounded length.
        id: String,
        /// The rule it breaks.
        rule: &'static str,
    },
    /// The text cannot name a file of a version, or a tag.
    #[error("{name:?} is not a name: {rule}")]
    InvalidName {
        /// The text.
        name: String,
        /// The rule it breaks.
        rule: &'static str,
    },
    /// There is no artifact of that name in the version or, where it is required, in the draft.
    #[error("there is no artifact {name:?}")]
    MissingArtifact {
        /// The artifact's name.
        name: String,
    },
    /// The draft has something of that name already.
    #[error("the draft has an artifact {name:?} already")]
    ArtifactExists {
        /// The artifact's name.
        name: String,
    },
    /// Two names would be one where case or the way in which characters are composed does not count.
    #[error("{name:?} and {other:?} are the same name on some file systems")]
    NameClash {
        /// The one name.
        name: String,
        /// The other.
        other: String,
    },
    /// A version consists of regular files under UTF-8 names and of the directories that lead to them.
    #[error("{} cannot be a part of a version: {what}", path.display())]
    Unfit {
        /// What cannot be.
        path: PathBuf,
        /// What it is.
        what: &'static str,
    },
    /// A file was written to while it was read, or between being brought in and being published.
    #[error("{} changed while it was being published", path.display())]
    Changed {
        /// The file.
        path: PathBuf,
    },
    /// A file is where the index directory should be.
    #[error("{} is not a directory", path.display())]
    NotADirectory {
        /// Where.
        path: PathBuf,
    },
    /// The directory does not exist, and was not to be created, or holds something that is not an index.
    #[error("{} is not an index: {detail}", path.display())]
    NotAnIndex {
        /// Where.
        path: PathBuf,
        /// What is there instead.
        detail: String,
    },
    /// Nothing was published yet.
    #[error("nothing has been published in {} yet", path.display())]
    Empty {
        /// The index.
        path: PathBuf,
    },
    /// There is no such version, or none that is complete. `versions()` lists what there is.
    #[error("there is no version {version}")]
    NotFound {
        /// The version asked for.
        version: VersionId,
    },
    /// There is no version to roll back to. Name one.
    #[error("cannot roll back from {current}: {detail}")]
    NoRollbackTarget {
        /// The current version.
        current: VersionId,
        /// Why the version before it will not do.
        detail: String,
    },
    /// The id was used in this index before, perhaps by a version that is gone. Ids are never used twice.
    #[error("the version id {version} has been used before")]
    Exists {
        /// The id.
        version: VersionId,
    },
    /// A copy cannot be made there: something else is there. Name another directory, or an empty one.
    #[error("{} cannot become a copy: {detail}", path.display())]
    TargetInUse {
        /// The target.
        path: PathBuf,
        /// What is in the way.
        detail: String,
    },
    /// Somebody else holds the lock: writes to the index, or does what the lock is for.
    #[error("{} is locked{}", path.display(), by(holder.as_ref()))]
    Locked {
        /// The index, or the lock's file.
        path: PathBuf,
        /// Who, as far as they said.
        holder: Option<Holder>,
    },
    /// The version is held exclusively by somebody for longer than a prune takes.
    #[error("{} stays locked exclusively", path.display())]
    Busy {
        /// The lease file.
        path: PathBuf,
    },
    /// The version is not one that can be discarded.
    #[error("version {version} stays: {detail}")]
    Kept {
        /// The version.
        version: VersionId,
        /// Why.
        detail: &'static str,
    },
    /// The caller's cancel flag was set. Nothing was changed.
    #[error("cancelled")]
    Cancelled,
    /// Another version became current than the one that the caller insisted on.
    #[error("{expected} is not the current version{}", actual.as_ref().map(|id| format!(", {id} is")).unwrap_or_default())]
    Conflict {
        /// The version that was to be current.
        expected: VersionId,
        /// The one that is.
        actual: Option<VersionId>,
    },
    /// The lock file was removed or replaced while the lock was held, so another writer may be at work.
    #[error("{} was removed while it was held: another writer may be at work", path.display())]
    LockLost {
        /// The lock file.
        path: PathBuf,
    },
    /// The index, or a version of it, is damaged. `repair` sets the damaged aside.
    #[error("{} is damaged: {detail}", path.display())]
    Corrupt {
        /// The damaged file or directory.
        path: PathBuf,
        /// The version it belongs to, if it belongs to one.
        version: Option<VersionId>,
        /// What is wrong.
        detail: String,
    },
    /// A file has another size than its version was published with, or is missing.
    #[error("version {version} is damaged: {file} should have {expected} bytes and {}", found(*actual))]
    SizeMismatch {
        /// The version.
        version: VersionId,
        /// The file, relative to the version's directory.
        file: String,
        /// Bytes it was published with.
        expected: u64,
        /// Bytes it has; `None` when no regular file is there.
        actual: Option<u64>,
    },
    /// The version was written by a newer program. Use that one, or a newer one.
    #[error("version {version} has format {found}; this program reads up to {supported}")]
    FormatTooNew {
        /// The version.
        version: VersionId,
        /// Its format.
        found: u32,
        /// The newest that this program reads.
        supported: u32,
    },
    /// The index was opened for reading, or its file system is mounted so.
    #[error("{} is read-only", path.display())]
    ReadOnly {
        /// The index.
        path: PathBuf,
    },
    /// The index is on a network file system, where locks and renames do not promise enough. `allow` accepts it.
    #[error("{} is on a network file system ({kind})", path.display())]
    NetworkFileSystem {
        /// The index.
        path: PathBuf,
        /// The file system's type.
        kind: &'static str,
    },
    /// Every user can rename and remove in the directory. `allow` accepts it.
    #[error("{} can be written by every user", path.display())]
    WritableByOthers {
        /// The index.
        path: PathBuf,
    },
    /// `CURRENT` was replaced, but the sync that makes it last failed: after a power cut either version may be current. Both stay.
    #[error("{version} may or may not be current after a power cut: {source}")]
    Indeterminate {
        /// The version that was being made current.
        version: VersionId,
        /// The failed sync.
        source: cutover_durable::Error,
    },
    /// A draft was used in an order it does not allow. A defect of the calling program.
    #[error("{detail}")]
    Misuse {
        /// What was done.
        detail: String,
    },
    /// An operation on a file failed.
    #[error(transparent)]
    Durable(#[from] cutover_durable::Error),
}

fn by(holder: Option<&Holder>) -> String {
    holder.map(|holder| format!(" by {holder}")).unwrap_or_default()
}

fn found(actual: Option<u64>) -> String {
    actual.map_or_else(|| "is missing".to_owned(), |bytes| format!("has {bytes}"))
}

impl Error {
    pub(crate) fn corrupt(path: impl Into<PathBuf>, version: Option<&VersionId>, detail: impl Into<String>) -> Self {
        Self::Corrupt { path: path.into(), version: version.cloned(), detail: detail.into() }
    }

    /// The error itself, or [`Error::ReadOnly`] of `path` when the file system is mounted so.
    pub(crate) fn read_only(self, path: &Path) -> Self {
        match self {
            Self::Durable(cutover_durable::Error::Io { source, .. })
                if source.kind() == std::io::ErrorKind::ReadOnlyFilesystem =>
            {
                Self::ReadOnly { path: path.to_path_buf() }
            }
            error => error,
        }
    }

    /// The stable code that callers match on.
    #[must_use]
    pub fn code(&self) -> &'static str {
        use cutover_durable::Error as File;
        match self {
            Self::InvalidId { .. }
            | Self::InvalidName { .. }
            | Self::NameClash { .. }
            | Self::Unfit { .. }
            | Self::Durable(File::Refused { .. }) => "RangeError",
            Self::MissingArtifact { .. }
            | Self::NotAnIndex { .. }
            | Self::NotFound { .. }
            | Self::NoRollbackTarget { .. } => "CUTOVER_NOT_FOUND",
            Self::Empty { .. } => "CUTOVER_EMPTY",
            Self::Exists { .. } | Self::ArtifactExists { .. } | Self::TargetInUse { .. } => "CUTOVER_EXISTS",
            Self::Locked { .. } => "CUTOVER_LOCKED",
            Self::Busy { .. } | Self::Durable(File::Contended { .. }) => "CUTOVER_BUSY",
            Self::Cancelled | Self::Durable(File::Cancelled { .. }) => "CANCELLED",
            Self::Conflict { .. } | Self::Kept { .. } | Self::Changed { .. } | Self::LockLost { .. } => {
                "CUTOVER_CONFLICT"
            }
            Self::Corrupt { .. } | Self::SizeMismatch { .. } | Self::Durable(File::Malformed { .. }) => {
                "CUTOVER_CORRUPT"
            }
            Self::FormatTooNew { .. } | Self::Durable(File::FormatTooNew { .. }) => "CUTOVER_FORMAT_TOO_NEW",
            Self::ReadOnly { .. } => "CUTOVER_READ_ONLY",
            Self::NetworkFileSystem { .. } | Self::WritableByOthers { .. } => "CUTOVER_UNSAFE_DIRECTORY",
            Self::Indeterminate { .. } | Self::Durable(File::Indeterminate { .. }) => "CUTOVER_INDETERMINATE",
            Self::Misuse { .. } => "CUTOVER_INTERNAL",
            Self::Durable(File::LockUnsupported { .. }) => "CUTOVER_LOCK_UNSUPPORTED",
            Self::Durable(error) if error.is_no_space() => "CUTOVER_NO_SPACE",
            Self::NotADirectory { .. } | Self::Durable(_) => "CUTOVER_IO",
        }
    }

    /// Whether the same call can succeed later without anything being repaired or changed by the caller.
    #[must_use]
    pub fn is_retryable(&self) -> bool {
        matches!(self.code(), "CUTOVER_LOCKED" | "CUTOVER_BUSY" | "CUTOVER_EMPTY" | "CUTOVER_NO_SPACE")
    }

    /// The facts behind the message, for programs: paths, versions, numbers.
    #[must_use]
    pub fn detail(&self) -> Value {
        match self {
            Self::InvalidId { id, rule } => json!({ "version": id, "rule": rule }),
            Self::InvalidName { name, rule } => json!({ "name": name, "rule": rule }),
            Self::MissingArtifact { name } | Self::ArtifactExists { name } => json!({ "name": name }),
            Self::NameClash { name, other } => json!({ "name": name, "other": other }),
            Self::Kept { version, detail } => json!({ "version": version, "reason": detail }),
            Self::Unfit { path, what } => json!({ "path": path.to_string_lossy(), "reason": what }),
            Self::NotADirectory { path }
            | Self::Changed { path }
            | Self::Empty { path }
            | Self::Busy { path }
            | Self::LockLost { path }
            | Self::ReadOnly { path }
            | Self::WritableByOthers { path } => json!({ "path": path.to_string_lossy() }),
            Self::NotAnIndex { path, detail } | Self::TargetInUse { path, detail } => {
                json!({ "path": path.to_string_lossy(), "reason": detail })
            }
            Self::NotFound { version } | Self::Exists { version } => json!({ "version": version }),
            Self::NoRollbackTarget { current, detail } => json!({ "current": current, "reason": detail }),
            Self::Locked { path, holder } => json!({ "path": path.to_string_lossy(), "holder": holder }),
            Self::Cancelled => json!({}),
            Self::Conflict { expected, actual } => json!({ "expected": expected, "actual": actual }),
            Self::Corrupt { path, version, detail } => {
                json!({ "path": path.to_string_lossy(), "version": version, "reason": detail })
            }
            Self::SizeMismatch { version, file, expected, actual } => {
                json!({ "version": version, "file": file, "expected": expected, "actual": actual })
            }
            Self::FormatTooNew { version, found, supported } => {
                json!({ "version": version, "found": found, "supported": supported })
            }
            Self::NetworkFileSystem { path, kind } => json!({ "path": path.to_string_lossy(), "fileSystem": kind }),
            Self::Indeterminate { version, source } => {
                json!({ "version": version, "path": source.path().to_string_lossy() })
            }
            Self::Misuse { detail } => json!({ "reason": detail }),
            Self::Durable(error) => file_detail(error),
        }
    }
}

fn file_detail(error: &cutover_durable::Error) -> Value {
    use cutover_durable::Error as File;
    let mut detail = json!({ "path": error.path().to_string_lossy() });
    match error {
        File::Io { action, .. } => detail["action"] = json!(action),
        File::NoSpace { needed, available, .. } => {
            detail["needed"] = json!(needed);
            detail["available"] = json!(available);
        }
        File::Refused { reason, .. } => detail["reason"] = json!(reason),
        File::ExchangeUnsupported { .. } => detail["reason"] = json!("exchange-unsupported"),
        File::Malformed { detail: reason, .. } => detail["reason"] = json!(reason),
        File::FormatTooNew { found, supported, .. } => {
            detail["found"] = json!(found);
            detail["supported"] = json!(supported);
        }
        _ => {}
    }
    if let Some(errno) = error.io_error().and_then(std::io::Error::raw_os_error) {
        detail["errno"] = json!(errno);
    }
    detail
}
