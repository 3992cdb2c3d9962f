//! Reading: regular files only, with a bound, without following a link or waiting on a FIFO.

use std::{
    fs::{File, Metadata, OpenOptions},
    io::{ErrorKind, Read, Write},
    ops::ControlFlow,
    os::unix::fs::{MetadataExt, OpenOptionsExt},
    path::Path,
};

use nix::{errno::Errno, fcntl::OFlag};

use crate::{Error, Result, digest::read_blocks, fs::Writer};

/// Which file a path or descriptor leads to: its device and inode numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Identity {
    device: u64,
    inode: u64,
}

impl From<&Metadata> for Identity {
    fn from(metadata: &Metadata) -> Self {
        Self { device: metadata.dev(), inode: metadata.ino() }
    }
}

/// Metadata of what is at `path` itself: a link's own, not its target's.
pub fn metadata(path: &Path) -> Result<Metadata> {
    std::fs::symlink_metadata(path).map_err(|source| Error::io("look at", path, source))
}

/// Which file is at `path`.
pub fn identity(path: &Path) -> Result<Identity> {
    metadata(path).map(|metadata| Identity::from(&metadata))
}

/// Opens a regular file for reading.
///
/// # Errors
/// [`Error::Malformed`] when `path` is a link, a directory, a device, a socket or a FIFO.
pub fn open_file(path: &Path) -> Result<File> {
    let file = open_any(path)?;
    let metadata = file.metadata().map_err(|source| Error::io("look at", path, source))?;
    if metadata.is_file() { Ok(file) } else { Err(Error::malformed(path, "it is not a regular file")) }
}

/// Opens without following a link, and without waiting for a FIFO's other end.
fn open_any(path: &Path) -> Result<File> {
    let flags = OFlag::O_NOFOLLOW | OFlag::O_NONBLOCK | OFlag::O_NOCTTY;
    OpenOptions::new().read(true).custom_flags(flags.bits()).open(path).map_err(|source| {
        if source.raw_os_error() == Some(Errno::ELOOP as i32) {
            Error::malformed(path, "it is a symbolic link")
        } else {
            Error::io("open", path, source)
        }
    })
}

/// Reads the whole of a small file.
///
/// # Errors
/// [`Error::Malformed`] when it holds more than `max` bytes, or is a link or a directory.
pub fn read_limited(path: &Path, max: usize) -> Result<Vec<u8>> {
    let file = open_any(path)?;
    let mut bytes = Vec::with_capacity(max.min(512));
    // One byte more than allowed tells "too long" from "just fits".
    file.take(max as u64 + 1).read_to_end(&mut bytes).map_err(|source| {
        if source.kind() == ErrorKind::IsADirectory {
            Error::malformed(path, "it is a directory")
        } else {
            Error::io("read", path, source)
        }
    })?;
    if bytes.len() > max {
        return Err(Error::malformed(path, format!("it is longer than {max} bytes")));
    }
    Ok(bytes)
}

/// Appends `bytes` to a file, creating it with mode 0644 less the umask. A crash may leave a part of `bytes`, or nothing.
pub fn append(path: &Path, bytes: &[u8]) -> Result<()> {
    append_to(path, bytes).map(drop)
}

/// [`append`], and syncs the file once. When the file is new, its directory is the caller's to sync.
pub fn append_synced(path: &Path, bytes: &[u8]) -> Result<()> {
    let file = append_to(path, bytes)?;
    super::sync(&file).map_err(|source| Error::io("sync", path, source))
}

fn append_to(path: &Path, bytes: &[u8]) -> Result<File> {
    let flags = OFlag::O_NOFOLLOW | OFlag::O_NONBLOCK;
    let mut file = OpenOptions::new()
        .append(true)
        .create(true)
        .mode(0o644)
        .custom_flags(flags.bits())
        .open(path)
        .map_err(|source| Error::io("open", path, source))?;
    file.write_all(bytes).map_err(|source| Error::io("append to", path, source))?;
    Ok(file)
}

/// Copies the whole of the regular file `from` to the end of `to`.
pub fn copy_into(from: &Path, to: &mut Writer) -> Result<()> {
    copy_stepwise(from, to, &mut |_| ControlFlow::Continue(())).map(drop)
}

/// [`copy_into`] that tells `step` after each block how many bytes it had; `step` may stop the work. Whether it did not.
pub fn copy_stepwise(from: &Path, to: &mut Writer, step: &mut dyn FnMut(u64) -> ControlFlow<()>) -> Result<bool> {
    read_blocks(from, &mut |block| {
        to.write_all(block).map_err(|source| Error::io("write", to.path(), source))?;
        Ok(step(block.len() as u64))
    })
}
