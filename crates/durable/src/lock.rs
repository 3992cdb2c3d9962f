//! The writer lock and the readers' leases of one index.
//!
//! Both are `flock`s on files created once and never removed while in use: removing a locked file lets the next process lock a new
//! file of that name, and then two hold "the" lock. So every lock taken is checked to be on the file that still is at its path. A
//! lock ends when its holder drops it or dies. `flock(1)` and Python's `fcntl.flock` take part.
//!
//! A lock is let go by unlocking, not by closing alone: a child process that another thread is just starting shares the descriptor
//! until it has become another program, and would hold the lock that long.

mod queue;
mod wait;

use std::{
    fs::{File, OpenOptions},
    io,
    os::{
        fd::{AsFd, BorrowedFd},
        unix::fs::OpenOptionsExt,
    },
    path::{Path, PathBuf},
};

use nix::{errno::Errno, fcntl::OFlag};

use crate::{Error, Result, fs};

pub use wait::{LockWait, wait};

/// The exclusive lock that at most one writer of an index holds.
#[derive(Debug)]
pub struct WriterLock {
    locked: Locked,
    path: PathBuf,
}

/// A file with a lock on it.
#[derive(Debug)]
struct Locked(File);

impl Drop for Locked {
    fn drop(&mut self) {
        // Closing, which follows, unlocks too unless a child shares the descriptor for a moment longer.
        let _ = fs2::FileExt::unlock(&self.0);
    }
}

impl Locked {
    /// Makes sure that the lock is on the file that is at `path`.
    fn at(self, path: &Path) -> Result<Self> {
        if is_still_at(&self.0, path)? { Ok(self) } else { Err(Error::Contended { path: path.to_path_buf() }) }
    }
}

impl WriterLock {
    /// Takes the lock at `path` without waiting, making the file when it is not there.
    ///
    /// # Errors
    /// [`Error::Contended`] when another holds it, [`Error::LockUnsupported`] when the file system cannot lock.
    pub fn try_acquire(path: &Path) -> Result<Self> {
        let file = open_or_create(path)?;
        lock(path, fs2::FileExt::try_lock_exclusive(&file))?;
        Ok(Self { locked: Locked(file).at(path)?, path: path.to_path_buf() })
    }

    /// The file that is locked.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// What is locked. Another process that inherits it holds the lock too, until both let it go: the lock outlives either of them.
    #[must_use]
    pub fn descriptor(&self) -> BorrowedFd<'_> {
        self.locked.0.as_fd()
    }

    /// Whether the lock's file still is at its path. When it is not, others can lock a file of that name too.
    pub fn is_intact(&self) -> Result<bool> {
        is_still_at(&self.locked.0, &self.path)
    }
}

/// A reader's shared lock: while it is held, what it leases is not removed.
#[derive(Debug)]
pub struct Lease {
    _locked: Locked,
}

impl Lease {
    /// Takes a shared lock on the existing file at `path` without waiting, and makes sure that the file still is there.
    ///
    /// # Errors
    /// [`Error::Contended`] when somebody holds it exclusively (which may be a probe: ask again) or the file was replaced; an error
    /// that [`Error::is_not_found`] when it is gone; [`Error::LockUnsupported`].
    pub fn try_shared(path: &Path) -> Result<Self> {
        let file = fs::open_file(path)?;
        lock(path, fs2::FileExt::try_lock_shared(&file))?;
        Ok(Self { _locked: Locked(file).at(path)? })
    }
}

/// The exclusive hold on a lease file that proves that no reader holds it.
#[derive(Debug)]
pub struct Unleased {
    _locked: Locked,
}

/// Takes an exclusive lock on the existing file at `path` without waiting.
///
/// # Errors
/// [`Error::Contended`] when anybody holds a lock on it; not found; [`Error::LockUnsupported`].
pub fn try_exclusive(path: &Path) -> Result<Unleased> {
    let file = fs::open_file(path)?;
    lock(path, fs2::FileExt::try_lock_exclusive(&file))?;
    Ok(Unleased { _locked: Locked(file).at(path)? })
}

/// Locking needs no permission to write, but network file systems want it for an exclusive lock.
fn open_or_create(path: &Path) -> Result<File> {
    let mut options = OpenOptions::new();
    options.read(true).custom_flags((OFlag::O_NOFOLLOW | OFlag::O_NONBLOCK).bits());
    match options.clone().write(true).create(true).mode(0o644).open(path) {
        Err(error) if error.kind() == io::ErrorKind::PermissionDenied => options.open(path),
        result => result,
    }
    .map_err(|source| Error::io("open the lock", path, source))
}

fn lock(path: &Path, result: io::Result<()>) -> Result<()> {
    let Err(source) = result else { return Ok(()) };
    let path = path.to_path_buf();
    if source.raw_os_error() == fs2::lock_contended_error().raw_os_error() {
        return Err(Error::Contended { path });
    }
    let unsupported = [Errno::ENOLCK, Errno::EOPNOTSUPP, Errno::ENOSYS, Errno::EINVAL];
    if unsupported.iter().any(|errno| source.raw_os_error() == Some(*errno as i32)) {
        return Err(Error::LockUnsupported { path, source });
    }
    Err(Error::io("lock", &path, source))
}

fn is_still_at(file: &File, path: &Path) -> Result<bool> {
    let held = file.metadata().map_err(|source| Error::io("look at", path, source))?;
    match fs::identity(path) {
        Ok(identity) => Ok(identity == fs::Identity::from(&held)),
        Err(error) if error.is_not_found() => Ok(false),
        Err(error) => Err(error),
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test fails by panicking")]
mod tests {
    use super::*;

    #[test]
    fn a_descriptor_that_a_starting_child_shares_does_not_prolong_a_lock() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("lock");
        let held = WriterLock::try_acquire(&path).unwrap();
        let inherited = held.locked.0.try_clone().unwrap();
        drop(held);
        WriterLock::try_acquire(&path).unwrap();
        drop(inherited);
    }
}
