//! A lock that this process holds, and says so beside it.

use std::{
    ffi::OsString,
    os::fd::BorrowedFd,
    path::{Path, PathBuf},
};

use cutover_durable::{
    Error as FileError,
    lock::{self, LockWait, WriterLock},
};

use crate::{Error, Holder, Result};

/// The end of a lock file's name, which the name of its holder's file does not have.
const LOCK_END: &str = ".lock";
const HOLDER_END: &str = ".holder";

/// An exclusive lock across processes, held until this is dropped or the process dies.
///
/// While it is held, `<name>.holder` beside `<name>.lock` says who holds it, to those who wait.
#[derive(Debug)]
pub struct Held {
    // Let go last: nobody else may announce themselves before this one is retracted.
    lock: WriterLock,
    holder: PathBuf,
}

impl Held {
    /// Takes the lock at `path`, making the file when it is not there. `operation` says what it is held for.
    ///
    /// # Errors
    /// [`Error::Locked`] when the wait is over, [`Error::Cancelled`], code `CUTOVER_LOCK_UNSUPPORTED` where nothing can lock.
    pub fn acquire(path: &Path, operation: &str, wait: LockWait, cancel: &dyn Fn() -> bool) -> Result<Self> {
        let holder = holder_path(path);
        let lock = lock::wait(path, wait, cancel).map_err(|error| match error {
            FileError::Contended { path } => Error::Locked { path, holder: Holder::read(&holder) },
            FileError::Cancelled { .. } => Error::Cancelled,
            error => error.into(),
        })?;
        Holder::announce(&holder, operation);
        Ok(Self { lock, holder })
    }

    /// What is locked, for a child process to inherit: see [`WriterLock::descriptor`].
    #[must_use]
    pub fn descriptor(&self) -> BorrowedFd<'_> {
        self.lock.descriptor()
    }

    /// Says that another process, which inherited the lock, holds it and what for.
    pub fn announce_for(&self, pid: u32, operation: &str) {
        Holder::announce_for(&self.holder, pid, operation);
    }

    /// Fails when the lock's file is not at its path any more: then others can lock a file of that name too.
    ///
    /// # Errors
    /// [`Error::LockLost`].
    pub fn require_intact(&self) -> Result<()> {
        if self.lock.is_intact()? { Ok(()) } else { Err(Error::LockLost { path: self.lock.path().to_path_buf() }) }
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        Holder::retract(&self.holder);
    }
}

/// Where the holder of the lock at `path` says who it is.
pub(crate) fn holder_path(path: &Path) -> PathBuf {
    let name = path.file_name().unwrap_or_default();
    let mut holder =
        OsString::from(name.to_str().and_then(|name| name.strip_suffix(LOCK_END)).map_or(name, |name| name.as_ref()));
    holder.push(HOLDER_END);
    path.with_file_name(holder)
}
