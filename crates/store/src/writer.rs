//! The writer: holding the lock from before the first byte is written until after the last sync.

use std::path::Path;

use cutover_durable::{disk, fs, lock::LockWait};

use crate::{Error, Held, Result, Store, VersionId, current, layout::Layout};

/// The one writer of an index. Dropping it lets the next one in.
#[derive(Debug)]
pub struct Writer {
    store: Store,
    lock: Held,
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
        self.unless_read_only(|| {
            make_root(self.root())?;
            let writer = self.begin(operation, wait, cancel)?;
            writer.recover()?;
            Ok(writer)
        })
    }

    /// [`Store::write`] without its last step, for whoever deals with what crashes and others left in its own way. The directory
    /// must be there.
    pub(crate) fn take_lock(&self, operation: &str, wait: LockWait, cancel: &dyn Fn() -> bool) -> Result<Writer> {
        self.unless_read_only(|| self.begin(operation, wait, cancel))
    }

    fn unless_read_only(&self, begin: impl FnOnce() -> Result<Writer>) -> Result<Writer> {
        if self.options().read_only {
            return Err(Error::ReadOnly { path: self.root().to_path_buf() });
        }
        begin().map_err(|error| error.read_only(self.root()))
    }

    fn begin(&self, operation: &str, wait: LockWait, cancel: &dyn Fn() -> bool) -> Result<Writer> {
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
        // Another user of the group may have made it.
        if fs::kind(&self.layout().versions())? == Some(fs::Kind::Directory) {
            fs::require_writable_dir(&self.layout().versions())?;
        }
        let lock = Held::acquire(&self.layout().lock(), operation, wait, cancel).map_err(|error| match error {
            Error::Locked { holder, .. } => Error::Locked { path: self.root().to_path_buf(), holder },
            error => error,
        })?;
        Ok(Writer { store: self.clone(), lock })
    }
}

/// Makes the index directory, and those on the way to it, each lasting before the next is made.
pub(crate) fn make_root(path: &Path) -> Result<()> {
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

    /// The lock, which this writer holds.
    #[must_use]
    pub fn lock(&self) -> &Held {
        &self.lock
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
        self.lock.require_intact()
    }
}
