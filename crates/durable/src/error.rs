//! What can go wrong with a file: what was being done, to which path, and why it failed.

use std::{
    io,
    path::{Path, PathBuf},
};

use nix::errno::Errno;

/// The result of this crate's operations.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// An operation on a file that did not happen.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The system refused; `source` says why. A full disk is told apart by [`Error::is_no_space`].
    #[error("could not {action} {}: {source}", path.display())]
    Io {
        /// What was being done, as a verb phrase that the path completes: "create", "rename to".
        action: &'static str,
        /// The path it was done to.
        path: PathBuf,
        /// The system's reason.
        source: io::Error,
    },
    /// Somebody else holds the lock. Not a failure: ask again later.
    #[error("{} is locked by another holder", path.display())]
    Contended {
        /// The locked file.
        path: PathBuf,
    },
    /// The file system cannot lock files.
    #[error("the file system of {} does not support locks: {source}", path.display())]
    LockUnsupported {
        /// The file that could not be locked.
        path: PathBuf,
        /// The system's reason.
        source: io::Error,
    },
    /// The caller's cancel flag was set while the operation waited. Nothing was changed.
    #[error("cancelled while waiting for {}", path.display())]
    Cancelled {
        /// What was waited for.
        path: PathBuf,
    },
    /// The path cannot be used for the operation: it is the caller's mistake, and nothing was changed.
    #[error("{} {reason}", path.display())]
    Refused {
        /// The path, or the name, that was given.
        path: PathBuf,
        /// What is wrong with it, as a verb phrase that follows the path.
        reason: &'static str,
    },
    /// The file system cannot exchange two names in one step, so there would be a moment without a target. Nothing was changed.
    #[error("the file system of {} cannot exchange two names in one step: {source}", path.display())]
    ExchangeUnsupported {
        /// The target that was to be replaced.
        path: PathBuf,
        /// The system's reason.
        source: io::Error,
    },
    /// The new is in place, but the sync that makes that last failed: after a power cut the old may be back. What was replaced is kept.
    #[error("{} was replaced, which may not survive a power cut: {source}", path.display())]
    Indeterminate {
        /// The target that was replaced.
        path: PathBuf,
        /// The failed sync.
        source: Box<Error>,
    },
    /// There is less room than an operation is known to need; nothing was written.
    #[error("{} needs {needed} bytes, and its file system has {available} left", path.display())]
    NoSpace {
        /// Where it was to be written.
        path: PathBuf,
        /// Bytes needed.
        needed: u64,
        /// Bytes available to this user.
        available: u64,
    },
    /// The file does not hold what its kind of file must hold: it is damaged, or not ours.
    #[error("{} is malformed: {detail}", path.display())]
    Malformed {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        detail: String,
    },
    /// The file was written by a newer program. Use that one, or a newer one.
    #[error("{} has format {found}; this program reads up to {supported}", path.display())]
    FormatTooNew {
        /// The file.
        path: PathBuf,
        /// Its format.
        found: u32,
        /// The newest format that this program reads.
        supported: u32,
    },
}

impl Error {
    /// An I/O error with its context. One of this crate's errors that travelled inside `source` (through [`io::Write`]) is
    /// returned as it was, since it knows more.
    pub fn io(action: &'static str, path: impl AsRef<Path>, source: io::Error) -> Self {
        match source.downcast::<Self>() {
            Ok(ours) => ours,
            Err(source) => Self::Io { action, path: path.as_ref().to_path_buf(), source },
        }
    }

    /// A file that does not hold what it must.
    pub fn malformed(path: impl AsRef<Path>, detail: impl Into<String>) -> Self {
        Self::Malformed { path: path.as_ref().to_path_buf(), detail: detail.into() }
    }

    /// The path that the operation was about.
    #[must_use]
    pub fn path(&self) -> &Path {
        match self {
            Self::Io { path, .. }
            | Self::Contended { path }
            | Self::LockUnsupported { path, .. }
            | Self::Cancelled { path }
            | Self::Refused { path, .. }
            | Self::ExchangeUnsupported { path, .. }
            | Self::Indeterminate { path, .. }
            | Self::NoSpace { path, .. }
            | Self::Malformed { path, .. }
            | Self::FormatTooNew { path, .. } => path,
        }
    }

    /// The system's reason, where there is one.
    #[must_use]
    pub fn io_error(&self) -> Option<&io::Error> {
        match self {
            Self::Io { source, .. }
            | Self::LockUnsupported { source, .. }
            | Self::ExchangeUnsupported { source, .. } => Some(source),
            Self::Indeterminate { source, .. } => source.io_error(),
            _ => None,
        }
    }

    /// Whether the disk is full or the user's quota is used up.
    #[must_use]
    pub fn is_no_space(&self) -> bool {
        matches!(self, Self::NoSpace { .. })
            || self.is_kind(io::ErrorKind::StorageFull)
            || self.is_kind(io::ErrorKind::QuotaExceeded)
    }

    /// Whether the file was not there.
    #[must_use]
    pub fn is_not_found(&self) -> bool {
        self.is_kind(io::ErrorKind::NotFound)
    }

    /// Whether something already was there.
    #[must_use]
    pub fn is_already_exists(&self) -> bool {
        self.is_kind(io::ErrorKind::AlreadyExists)
    }

    /// Whether a rename or a link was refused because it would lead to another file system (overlayfs says so of its directories).
    #[must_use]
    pub fn is_cross_device(&self) -> bool {
        self.is_kind(io::ErrorKind::CrossesDevices)
    }

    /// Whether this process, or the system, had run out of something (descriptors, memory): it says nothing about the file.
    #[must_use]
    pub fn is_exhausted(&self) -> bool {
        let errno = self.io_error().and_then(io::Error::raw_os_error);
        [Errno::EMFILE, Errno::ENFILE, Errno::ENOMEM, Errno::EAGAIN, Errno::EINTR]
            .into_iter()
            .any(|exhausted| errno == Some(exhausted as i32))
    }

    fn is_kind(&self, kind: io::ErrorKind) -> bool {
        self.io_error().is_some_and(|source| source.kind() == kind)
    }
}

/// Lets an error of this crate travel through [`io::Write`] and [`io::Read`] with its path; [`Error::io`] takes it out again.
impl From<Error> for io::Error {
    fn from(error: Error) -> Self {
        let kind = error.io_error().map_or(io::ErrorKind::Other, io::Error::kind);
        Self::new(kind, error)
    }
}
