//! Writing a new file: hashed and counted as it is written, synced once, read-only when finished.

use std::{
    fs::{File, OpenOptions, Permissions},
    io::{self, Write},
    os::unix::fs::{OpenOptionsExt, PermissionsExt},
    path::{Path, PathBuf},
};

use nix::fcntl::OFlag;

use crate::{Digest, Error, Result, digest::Hasher, mode::less_umask};

/// Bytes that are written and hashed at once, at a multiple of as many in the file. The system can keep what one aligned write brings
/// in one piece of memory: a reader's first touch of a mapped file then maps much at once, and its translations take less room.
const BUFFER: usize = 2 << 20;

/// Bytes that the buffer has room for at first.
const BUFFER_AT_FIRST: usize = 16 * 1024;

/// What a finished file holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Written {
    /// Its length in bytes.
    pub bytes: u64,
    /// The digest of its bytes.
    pub digest: Digest,
}

/// A new file, being written from its start to its end.
///
/// After a failed write the file's content is unknown, so every later write and [`Writer::finish`] fail too. A writer that is
/// dropped leaves its file behind, unsynced: whoever owns the directory removes it.
#[derive(Debug)]
pub struct Writer {
    file: File,
    path: PathBuf,
    buffer: Vec<u8>,
    hasher: Hasher,
    written: u64,
    failed: bool,
}

/// Creates a file that must not exist yet, with mode 0600. A symbolic link at `path` is refused, wherever it leads.
pub fn create(path: &Path) -> Result<Writer> {
    let file = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .custom_flags(OFlag::O_NOFOLLOW.bits())
        .open(path)
        .map_err(|source| Error::io("create", path, source))?;
    Ok(Writer {
        file,
        path: path.to_path_buf(),
        buffer: Vec::with_capacity(BUFFER_AT_FIRST),
        hasher: Hasher::new(),
        written: 0,
        failed: false,
    })
}

impl Writer {
    /// The file's path.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The number of bytes written so far, which is the offset of the next one.
    #[must_use]
    pub fn position(&self) -> u64 {
        self.written + self.buffer.len() as u64
    }

    /// Writes what is buffered, gives the file its published mode (0444 less the umask) and syncs it, once.
    ///
    /// # Errors
    /// After any error the file must be abandoned: nothing is known about what the disk holds of it.
    pub fn finish(self) -> Result<Written> {
        self.finish_with_mode(0o444)
    }

    /// [`Writer::finish`] with another mode, from which the umask is taken.
    pub(crate) fn finish_with_mode(self, mode: u32) -> Result<Written> {
        self.finish_with_exact_mode(less_umask(mode))
    }

    /// [`Writer::finish`] with another mode, whatever the umask is.
    pub(crate) fn finish_with_exact_mode(mut self, mode: u32) -> Result<Written> {
        let path = self.path.clone();
        self.flush().map_err(|source| Error::io("write", &path, source))?;
        self.file
            .set_permissions(Permissions::from_mode(mode))
            .map_err(|source| Error::io("set the mode of", &path, source))?;
        super::sync(&self.file).map_err(|source| Error::io("sync", &path, source))?;
        Ok(Written { bytes: self.written, digest: self.hasher.finish() })
    }

    fn write_through(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.require_sound()?;
        if let Err(source) = self.file.write_all(bytes) {
            self.failed = true;
            return Err(Error::io("write", &self.path, source).into());
        }
        self.hasher.update(bytes);
        self.written += bytes.len() as u64;
        Ok(())
    }

    fn require_sound(&self) -> io::Result<()> {
        if self.failed { Err(Error::malformed(&self.path, "an earlier write to it failed").into()) } else { Ok(()) }
    }

    fn write_buffer(&mut self) -> io::Result<()> {
        let buffer = std::mem::take(&mut self.buffer);
        let result = self.write_through(&buffer);
        self.buffer = buffer;
        self.buffer.clear();
        result
    }
}

impl Write for Writer {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.write_all(bytes)?;
        Ok(bytes.len())
    }

    fn write_all(&mut self, mut bytes: &[u8]) -> io::Result<()> {
        self.require_sound()?;
        while self.buffer.len() + bytes.len() >= BUFFER {
            let (now, later) = bytes.split_at(BUFFER - self.buffer.len());
            self.buffer.extend_from_slice(now);
            self.write_buffer()?;
            bytes = later;
        }
        self.buffer.extend_from_slice(bytes);
        Ok(())
    }

    /// Hands what is buffered to the system. It does not sync.
    fn flush(&mut self) -> io::Result<()> {
        self.write_buffer()
    }
}
