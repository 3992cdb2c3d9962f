//! Writing a new file: hashed and counted as it is written, synced once, read-only when finished.
//!
//! A file that is longer than a piece is hashed and written by a thread of its own, behind the one that makes its bytes. A write that failed
//! there is told by the next write, or by what finishes the file.

use std::{
    fs::{OpenOptions, Permissions},
    io::{self, Write},
    os::unix::fs::{OpenOptionsExt, PermissionsExt},
    path::{Path, PathBuf},
};

use nix::fcntl::OFlag;

use super::sink::{Behind, Target};
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
    path: PathBuf,
    /// None once a write failed.
    sink: Option<Sink>,
    buffer: Vec<u8>,
    /// Bytes that left the buffer.
    handed: u64,
}

/// Who writes.
#[derive(Debug)]
enum Sink {
    /// Whoever has the writer.
    Here(Box<Target>),
    /// A thread.
    Behind(Behind),
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
    let path = path.to_path_buf();
    let sink = Some(Sink::Here(Box::new(Target { file, path: path.clone(), hasher: Hasher::new() })));
    Ok(Writer { path, sink, buffer: Vec::with_capacity(BUFFER_AT_FIRST), handed: 0 })
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
        self.handed + self.buffer.len() as u64
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
        let target = self.settle().map_err(|source| Error::io("write", &path, source))?;
        target
            .file
            .set_permissions(Permissions::from_mode(mode))
            .map_err(|source| Error::io("set the mode of", &path, source))?;
        super::sync(&target.file).map_err(|source| Error::io("sync", &path, source))?;
        Ok(Written { bytes: self.handed, digest: target.hasher.finish() })
    }

    /// The error of whatever comes after a write that failed.
    fn failed(&self) -> io::Error {
        Error::malformed(&self.path, "an earlier write to it failed").into()
    }

    /// Hands a full buffer on: to a thread, which begins with the first, where the system gives one. The sink is put back if nothing fails.
    fn hand_on(&mut self) -> io::Result<()> {
        let mut sink = match self.sink.take().ok_or_else(|| self.failed())? {
            Sink::Here(target) => Behind::start(target).map_or_else(Sink::Here, Sink::Behind),
            behind @ Sink::Behind(_) => behind,
        };
        let full = std::mem::take(&mut self.buffer);
        self.handed += full.len() as u64;
        match &mut sink {
            Sink::Here(target) => {
                target.write(&full)?;
                self.buffer = full;
                self.buffer.clear();
            }
            Sink::Behind(behind) => self.buffer = behind.write(full)?,
        }
        self.sink = Some(sink);
        Ok(())
    }

    /// Waits for what is under way, and writes what is buffered. Nothing can be written until the target is put back.
    fn settle(&mut self) -> io::Result<Box<Target>> {
        let mut target = match self.sink.take().ok_or_else(|| self.failed())? {
            Sink::Here(target) => target,
            Sink::Behind(mut behind) => behind.end()?,
        };
        target.write(&self.buffer)?;
        self.handed += self.buffer.len() as u64;
        self.buffer.clear();
        Ok(target)
    }
}

impl Write for Writer {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.write_all(bytes)?;
        Ok(bytes.len())
    }

    fn write_all(&mut self, mut bytes: &[u8]) -> io::Result<()> {
        if self.sink.is_none() {
            return Err(self.failed());
        }
        while self.buffer.len() + bytes.len() >= BUFFER {
            let (now, later) = bytes.split_at(BUFFER - self.buffer.len());
            self.buffer.extend_from_slice(now);
            self.hand_on()?;
            bytes = later;
        }
        self.buffer.extend_from_slice(bytes);
        Ok(())
    }

    /// Hands what is buffered to the system. It does not sync.
    fn flush(&mut self) -> io::Result<()> {
        self.sink = Some(Sink::Here(self.settle()?));
        Ok(())
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test fails by panicking")]
mod tests {
    use super::*;

    /// On a device that is full: every write to it fails.
    #[test]
    #[cfg(target_os = "linux")]
    fn a_write_that_fails_behind_its_writer_is_told_by_a_later_one_or_at_the_end() {
        for pieces in [0, 1, 2, 3, 8] {
            let path = PathBuf::from("/dev/full");
            let file = OpenOptions::new().write(true).open(&path).unwrap();
            let sink = Some(Sink::Here(Box::new(Target { file, path: path.clone(), hasher: Hasher::new() })));
            let mut writer = Writer { path, sink, buffer: Vec::new(), handed: 0 };
            let mut told = None;
            for _ in 0..pieces {
                told = writer.write_all(&vec![1; BUFFER]).err();
                if told.is_some() {
                    break;
                }
            }
            assert!(pieces < 8 || told.is_some(), "more pieces are under way than may be");
            let told = told.or_else(|| writer.write_all(b"x").and_then(|()| writer.flush()).err()).unwrap();
            assert!(Error::io("write", "it", told).is_no_space());
            let again = writer.write_all(b"x").unwrap_err().to_string();
            assert!(again.ends_with("an earlier write to it failed"), "{again}");
            assert!(writer.flush().is_err() && writer.finish().is_err(), "a file that failed cannot be finished");
        }
    }

    #[test]
    fn a_writer_that_is_dropped_has_ended_its_thread() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("file");
        let mut writer = create(&path).unwrap();
        writer.write_all(&vec![7; 3 * BUFFER + 1]).unwrap();
        assert!(matches!(writer.sink, Some(Sink::Behind(_))));
        drop(writer);
        assert_eq!(std::fs::metadata(&path).unwrap().len(), 3 * BUFFER as u64);
    }

    #[test]
    fn a_small_file_has_no_thread_and_neither_has_one_that_was_flushed() {
        let directory = tempfile::tempdir().unwrap();
        let mut writer = create(&directory.path().join("file")).unwrap();
        writer.write_all(&vec![7; BUFFER - 1]).unwrap();
        assert!(matches!(writer.sink, Some(Sink::Here(_))));
        writer.write_all(&vec![7; BUFFER]).unwrap();
        writer.flush().unwrap();
        assert!(matches!(writer.sink, Some(Sink::Here(_))));
        assert_eq!(std::fs::metadata(writer.path()).unwrap().len(), 2 * BUFFER as u64 - 1);
        assert_eq!(writer.finish().unwrap().digest, Digest::of(&vec![7; 2 * BUFFER - 1]));
    }
}
