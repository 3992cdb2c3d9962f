//! What others wrote, made to last: files and whole directory trees synced, and two names exchanged.

use std::{
    io::ErrorKind,
    path::{Component, Path, PathBuf},
};

use super::{Kind, kind, list_dir, open_file, sync_dir};
use crate::{Error, Result};

/// The path of a name as it is, absolute, with no link on the way to its last part, which need not be there.
///
/// # Errors
/// [`Error::Refused`] when the path does not end in a name (`/`, `..`); not found when its directory is not there.
pub fn real(path: &Path) -> Result<PathBuf> {
    let Some(Component::Normal(name)) = path.components().next_back() else {
        return Err(Error::Refused { path: path.to_path_buf(), reason: "does not end in a name" });
    };
    let parent = crate::replace::parent(path);
    let directory = std::fs::canonicalize(parent).map_err(|source| Error::io("find the directory", parent, source))?;
    Ok(directory.join(name))
}

/// Syncs a regular file that another writer closed. Once: a failed sync is never asked for again.
pub fn sync_file(path: &Path) -> Result<()> {
    let file = open_file(path)?;
    super::sync(&file).map_err(|source| Error::io("sync", path, source))
}

/// Syncs a file, or a directory with all that is in it, from the bottom up. Links, devices, sockets and FIFOs hold no bytes of
/// their own: their names last with the directory that holds them.
pub fn sync_tree(path: &Path) -> Result<()> {
    match kind(path)? {
        Some(Kind::File) => sync_file(path),
        Some(Kind::Directory) => {
            for entry in list_dir(path)? {
                if matches!(entry.kind, Kind::File | Kind::Directory) {
                    sync_tree(&path.join(entry.name))?;
                }
            }
            sync_dir(path)
        }
        Some(Kind::Symlink | Kind::Other) => Ok(()),
        None => Err(Error::io("sync", path, ErrorKind::NotFound.into())),
    }
}

/// Syncs everything on the file system of the directory at `path`.
pub fn sync_file_system(path: &Path) -> Result<()> {
    #[cfg(target_os = "linux")]
    {
        let directory = std::fs::File::open(path).map_err(|source| Error::io("open the directory", path, source))?;
        nix::unistd::syncfs(&directory).map_err(|errno| Error::io("sync the file system of", path, errno.into()))
    }
    #[cfg(not(target_os = "linux"))]
    {
        let _ = path;
        nix::unistd::sync();
        Ok(())
    }
}

/// Exchanges what two names of one file system lead to, in one step; both must be there. Links are exchanged themselves.
///
/// # Errors
/// [`Error::ExchangeUnsupported`] where the system or the file system cannot; then nothing was changed.
pub fn exchange(one: &Path, other: &Path) -> Result<()> {
    #[cfg(all(target_os = "linux", target_env = "gnu"))]
    {
        use nix::{
            errno::Errno,
            fcntl::{AT_FDCWD, RenameFlags, renameat2},
        };
        renameat2(AT_FDCWD, one, AT_FDCWD, other, RenameFlags::RENAME_EXCHANGE).map_err(|errno| match errno {
            Errno::EINVAL | Errno::ENOSYS | Errno::EOPNOTSUPP => {
                Error::ExchangeUnsupported { path: other.to_path_buf(), source: errno.into() }
            }
            errno => Error::io("exchange with", other, errno.into()),
        })
    }
    #[cfg(not(all(target_os = "linux", target_env = "gnu")))]
    {
        let _ = one;
        Err(Error::ExchangeUnsupported { path: other.to_path_buf(), source: ErrorKind::Unsupported.into() })
    }
}
