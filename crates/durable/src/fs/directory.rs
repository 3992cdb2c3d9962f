//! Directories and names: making, listing, syncing, renaming, linking and removing.

use std::{
    ffi::OsString,
    fs::{DirBuilder, FileType, OpenOptions, Permissions},
    io::ErrorKind,
    os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt},
    path::Path,
};

use nix::{
    fcntl::{AT_FDCWD, AtFlags, OFlag},
    unistd::{AccessFlags, faccessat},
};

use super::read::metadata;
use crate::{Error, Result, mode::less_umask};

/// What is at a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A regular file.
    File,
    /// A directory.
    Directory,
    /// A symbolic link, wherever it leads.
    Symlink,
    /// A device, a socket or a FIFO.
    Other,
}

impl From<FileType> for Kind {
    fn from(kind: FileType) -> Self {
        match kind {
            kind if kind.is_file() => Self::File,
            kind if kind.is_dir() => Self::Directory,
            kind if kind.is_symlink() => Self::Symlink,
            _ => Self::Other,
        }
    }
}

/// One name in a directory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// The name, without the directory.
    pub name: OsString,
    /// What it names.
    pub kind: Kind,
}

/// What is at `path`; `None` when nothing is.
pub fn kind(path: &Path) -> Result<Option<Kind>> {
    match metadata(path) {
        Ok(metadata) => Ok(Some(metadata.file_type().into())),
        Err(error) if error.is_not_found() => Ok(None),
        Err(error) => Err(error),
    }
}

/// The names in a directory, in byte order.
pub fn list_dir(path: &Path) -> Result<Vec<Entry>> {
    let context = |source| Error::io("list", path, source);
    let mut entries = Vec::new();
    for entry in std::fs::read_dir(path).map_err(context)? {
        let entry = entry.map_err(context)?;
        match entry.file_type() {
            Ok(kind) => entries.push(Entry { name: entry.file_name(), kind: kind.into() }),
            // Removed since it was listed.
            Err(error) if error.kind() == ErrorKind::NotFound => {}
            Err(source) => return Err(context(source)),
        }
    }
    entries.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(entries)
}

/// Makes a directory that only its owner can enter (0700).
pub fn create_dir(path: &Path) -> Result<()> {
    DirBuilder::new().mode(0o700).create(path).map_err(|source| Error::io("make the directory", path, source))
}

/// Fails unless this process may make and remove names in the directory.
pub fn require_writable_dir(path: &Path) -> Result<()> {
    faccessat(AT_FDCWD, path, AccessFlags::W_OK | AccessFlags::X_OK, AtFlags::AT_EACCESS)
        .map_err(|errno| Error::io("write to the directory", path, errno.into()))
}

/// Lets everyone enter and list a directory: 0755 less the umask.
pub fn publish_dir_mode(path: &Path) -> Result<()> {
    std::fs::set_permissions(path, Permissions::from_mode(less_umask(0o755)))
        .map_err(|source| Error::io("set the mode of", path, source))
}

/// Syncs a directory, so that the names in it survive a power cut. Once: a failed sync is never asked for again.
pub fn sync_dir(path: &Path) -> Result<()> {
    let flags = OFlag::O_DIRECTORY | OFlag::O_NOFOLLOW;
    let directory = OpenOptions::new()
        .read(true)
        .custom_flags(flags.bits())
        .open(path)
        .map_err(|source| Error::io("open the directory", path, source))?;
    super::sync(&directory).map_err(|source| Error::io("sync the directory", path, source))
}

/// Renames, replacing a file that is at `to`.
pub fn rename(from: &Path, to: &Path) -> Result<()> {
    std::fs::rename(from, to).map_err(|source| Error::io("rename to", to, source))
}

/// Renames to a path where nothing may be, not even an empty directory.
///
/// Where the system cannot promise that, `to` is looked at first; the caller's lock keeps others from making it meanwhile.
///
/// # Errors
/// An I/O error of [`ErrorKind::AlreadyExists`] when something is at `to`.
pub fn rename_no_replace(from: &Path, to: &Path) -> Result<()> {
    #[cfg(all(target_os = "linux", target_env = "gnu"))]
    {
        use nix::{
            errno::Errno,
            fcntl::{RenameFlags, renameat2},
        };
        match renameat2(AT_FDCWD, from, AT_FDCWD, to, RenameFlags::RENAME_NOREPLACE) {
            Ok(()) => return Ok(()),
            // The file system, or the kernel, does not know the flag.
            Err(Errno::EINVAL | Errno::ENOSYS) => {}
            Err(errno) => return Err(Error::io("rename to", to, errno.into())),
        }
    }
    if kind(to)?.is_some() {
        return Err(Error::io("rename to", to, ErrorKind::AlreadyExists.into()));
    }
    rename(from, to)
}

/// Gives the file at `from` a second name. A symbolic link at `from` is linked itself.
pub fn link(from: &Path, to: &Path) -> Result<()> {
    std::fs::hard_link(from, to).map_err(|source| Error::io("link to", to, source))
}

/// Makes a symbolic link at `path` that holds `target`.
pub fn symlink(target: &Path, path: &Path) -> Result<()> {
    std::os::unix::fs::symlink(target, path).map_err(|source| Error::io("make the symbolic link", path, source))
}

/// Removes a file or a symbolic link; one that is not there is removed already.
pub fn remove_file(path: &Path) -> Result<()> {
    match std::fs::remove_file(path) {
        Err(source) if source.kind() != ErrorKind::NotFound => Err(Error::io("remove", path, source)),
        _ => Ok(()),
    }
}

/// Removes a directory if it is empty; whether it did.
pub fn remove_empty_dir(path: &Path) -> Result<bool> {
    match std::fs::remove_dir(path) {
        Ok(()) => Ok(true),
        Err(source) if matches!(source.kind(), ErrorKind::DirectoryNotEmpty | ErrorKind::NotFound) => Ok(false),
        Err(source) => Err(Error::io("remove", path, source)),
    }
}

/// Removes whatever is at `path`, with all that is in it; nothing there is removed already. Links are removed, not followed.
pub fn remove_tree(path: &Path) -> Result<()> {
    match kind(path)? {
        None => Ok(()),
        Some(Kind::Directory) => match std::fs::remove_dir_all(path) {
            Err(source) if source.kind() != ErrorKind::NotFound => Err(Error::io("remove", path, source)),
            _ => Ok(()),
        },
        Some(_) => remove_file(path),
    }
}
