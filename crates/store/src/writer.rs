//! The writer: holding the lock from before the first byte is written until after the last sync.

use std::{
    io::ErrorKind,
    path::Path,
    thread,
    time::{Duration, Instant},
};

use cutover_durable::{Error as FileError, disk, fs, lock::WriterLock, random};

use crate::{Error, Holder, Result, Store, VersionId, current, layout::Layout};

/// The longest pause between two attempts at the lock.
const LONGEST_PAUSE: Duration = Duration::from_millis(25);
/// Attempts of a caller that does not wait: one probe of `status` can make a single attempt fail.
const IMPATIENT_ATTEMPTS: u32 = 3;

/// How long to wait while another writer is at work.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LockWait {
    /// Until it is done.
    Forever,
    /// At most this long.
    AtMost(Duration),
    /// Not at all.
    Now,
}

/// The one writer of an index. Dropping it lets the next one in.
#[derive(Debug)]
pub struct Writer {
    store: Store,
    lock: WriterLock,
}

impl Store {
    /// Waits for the writer lock, polling so that `cancel` can end the wait, makes the index's directories when there are none yet,
    /// and settles and removes what a crash left.
    ///
    /// `operation` says what is being done, to those who wait.
    ///
    /// # Errors
    /// [`Error::ReadOnly`], [`Error::NetworkFileSystem`], [`Error::WritableByOthers`], [`Error::Locked`], [`Error::Cancelled`], and
    /// [`Error::Corrupt`] when it cannot be known what is current.
    pub fn write(&self, operation: &str, wait: LockWait, cancel: &dyn Fn() -> bool) -> Result<Writer> {
        if self.options().read_only {
            return Err(Error::ReadOnly { path: self.root().to_path_buf() });
        }
        self.begin(operation, wait, cancel).map_err(|error| match error {
            Error::Durable(FileError::Io { source, .. }) if source.kind() == ErrorKind::ReadOnlyFilesystem => {
                Error::ReadOnly { path: self.root().to_path_buf() }
            }
            error => error,
        })
    }

    fn begin(&self, operation: &str, wait: LockWait, cancel: &dyn Fn() -> bool) -> Result<Writer> {
        make_root(self.root())?;
        let options = self.options();
        if !options.allow_network
            && let Some(kind) = disk::is_network_file_system(self.root())?
        {
            return Err(Error::NetworkFileSystem { path: self.root().to_path_buf(), kind });
        }
        if !options.allow_writable_by_others && disk::writable_by_others(self.root())? {
            return Err(Error::WritableByOthers { path: self.root().to_path_buf() });
        }
        // Locking needs no permission to write: whoever may only read must not keep writers out for longer than this.
        fs::require_writable_dir(self.root())?;
        let lock = self.acquire(wait, cancel)?;
        let writer = Writer { store: self.clone(), lock };
        Holder::announce(self.layout(), operation);
        writer.recover()?;
        Ok(writer)
    }

    fn acquire(&self, wait: LockWait, cancel: &dyn Fn() -> bool) -> Result<WriterLock> {
        let path = self.layout().lock();
        let started = Instant::now();
        let mut attempts = 0;
        let mut pause = Duration::from_millis(1);
        loop {
            if cancel() {
                return Err(Error::Cancelled);
            }
            match WriterLock::try_acquire(&path) {
                Err(FileError::Contended { .. }) => attempts += 1,
                result => return Ok(result?),
            }
            let give_up = match wait {
                LockWait::Forever => false,
                LockWait::AtMost(limit) => started.elapsed() >= limit,
                LockWait::Now => attempts >= IMPATIENT_ATTEMPTS,
            };
            if give_up {
                return Err(Error::Locked { path: self.root().to_path_buf(), holder: Holder::read(self.layout()) });
            }
            thread::sleep(jittered(pause)?.min(remaining(wait, started)));
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
    }
}

/// From one millisecond to `pause`, so that those who wait do not ask in step.
fn jittered(pause: Duration) -> Result<Duration> {
    let spread = u64::try_from(pause.as_micros()).unwrap_or(u64::MAX).saturating_sub(1000);
    Ok(Duration::from_micros(1000 + random::below(spread + 1)?))
}

fn remaining(wait: LockWait, started: Instant) -> Duration {
    match wait {
        LockWait::AtMost(limit) => limit.saturating_sub(started.elapsed()),
        LockWait::Forever => LONGEST_PAUSE,
        LockWait::Now => Duration::from_millis(1),
    }
}

/// Makes the index directory, and those on the way to it, each lasting before the next is made.
fn make_root(path: &Path) -> Result<()> {
    if fs::kind(path)?.is_some() {
        return Ok(());
    }
    let Some(parent) = path.parent() else { return Ok(()) };
    make_root(parent)?;
    match fs::create_dir(path) {
        Ok(()) => fs::publish_dir_mode(path)?,
        Err(error) if error.is_already_exists() => {}
        Err(error) => return Err(error.into()),
    }
    Ok(fs::sync_dir(parent)?)
}

impl Writer {
    /// The index that is being written.
    #[must_use]
    pub fn store(&self) -> &Store {
        &self.store
    }

    /// Fails unless `bytes` more can be written on the index's file system.
    ///
    /// # Errors
    /// Code `CUTOVER_NO_SPACE`, with the bytes needed and available.
    pub fn need(&self, bytes: u64) -> Result<()> {
        Ok(disk::require_bytes(self.store.root(), bytes)?)
    }

    pub(crate) fn layout(&self) -> &Layout {
        self.store.layout()
    }

    /// The current version, which nobody else can change now, if it is the one that the caller insists on.
    pub(crate) fn require_current(&self, expected: Option<&VersionId>) -> Result<Option<VersionId>> {
        let actual = current::read(self.layout())?;
        match expected {
            Some(expected) if actual.as_ref() != Some(expected) => {
                Err(Error::Conflict { expected: expected.clone(), actual })
            }
            _ => Ok(actual),
        }
    }

    /// Fails when the lock's file is not at its path any more.
    pub(crate) fn require_lock(&self) -> Result<()> {
        if self.lock.is_intact()? { Ok(()) } else { Err(Error::LockLost { path: self.layout().lock() }) }
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        Holder::retract(self.layout());
    }
}
