//! Replacing a small file so that a reader, and a crash, see the old bytes or the new bytes.
//!
//! The new bytes are written beside the file under a name of their own and synced; one rename makes them visible; syncing the
//! directory makes them last. [`stage`] and [`Staged::swap`] are apart so that the two moments can be told apart.

use std::{
    ffi::OsString,
    io::Write,
    os::unix::fs::OpenOptionsExt as _,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
};

use nix::fcntl::OFlag;

use crate::{Error, Result, fs, random};

/// What follows the file's name in the name of its replacement, before random characters.
pub const TEMPORARY_INFIX: &str = ".tmp-";

/// New bytes, synced, beside the file they are to replace. Dropping it removes them.
#[derive(Debug)]
pub struct Staged {
    temporary: Option<PathBuf>,
    target: PathBuf,
}

/// Writes `bytes` beside `target`, with mode 0644 less the umask, and syncs them. `target` is not touched.
pub fn stage(target: &Path, bytes: &[u8]) -> Result<Staged> {
    let (staged, writer) = write(target, bytes)?;
    writer.finish_with_mode(0o644)?;
    Ok(staged)
}

impl Staged {
    /// Renames the new bytes onto the file: from here on, every reader sees them. They last once the directory is synced.
    pub fn swap(mut self) -> Result<()> {
        match self.temporary.take() {
            Some(temporary) => fs::rename(&temporary, &self.target).inspect_err(|_| self.temporary = Some(temporary)),
            None => Ok(()),
        }
    }
}

impl Drop for Staged {
    fn drop(&mut self) {
        if let Some(temporary) = &self.temporary {
            // The next writer removes what a failure leaves here.
            let _ = fs::remove_file(temporary);
        }
    }
}

/// Replaces the file at `path` with `bytes` and returns once that survives a power cut.
pub fn replace_file(path: &Path, bytes: &[u8]) -> Result<()> {
    stage(path, bytes)?.swap()?;
    fs::sync_dir(parent(path))
}

/// A file on its way to replace another: written piece by piece, then swapped in. Dropping it leaves the old as it was.
///
/// The new file keeps the permission bits of a regular file that it replaces; else it has 0644 less the umask. Owner, group and extended
/// attributes are those of a new file. A link at the path is replaced itself, and what it leads to is not touched. A process that is
/// killed leaves the old file, and beside it what it had written of the new one, as `<file>.tmp-<random>`.
#[derive(Debug)]
pub struct Replacement {
    staged: Staged,
    writer: fs::Writer,
    keeps: Option<u32>,
}

impl Replacement {
    /// Begins to write beside `path`, whose directory must be there.
    ///
    /// # Errors
    /// [`Error::Refused`] when something other than a file or a link is at `path`.
    pub fn begin(path: &Path) -> Result<Self> {
        let path = fs::real(path)?;
        let keeps = match fs::metadata(&path) {
            Ok(metadata) if metadata.is_file() => Some(metadata.permissions().mode() & 0o777),
            Ok(metadata) if metadata.is_symlink() => None,
            Ok(_) => return Err(Error::Refused { path, reason: "is neither a file nor a link" }),
            Err(error) if error.is_not_found() => None,
            Err(error) => return Err(error),
        };
        let temporary = temporary_name(&path)?;
        let writer = fs::create(&temporary)?;
        Ok(Self { staged: Staged { temporary: Some(temporary), target: path }, writer, keeps })
    }

    /// Writes the next bytes.
    pub fn write(&mut self, bytes: &[u8]) -> Result<()> {
        self.writer.write_all(bytes).map_err(|source| Error::io("write", &self.staged.target, source))
    }

    /// Swaps the new bytes in, and returns once that survives a power cut.
    ///
    /// # Errors
    /// [`Error::Indeterminate`] when the new bytes are there but may not last; after any other the old ones are.
    pub fn finish(self) -> Result<()> {
        let path = self.staged.target.clone();
        match self.keeps {
            Some(mode) => self.writer.finish_with_exact_mode(mode)?,
            None => self.writer.finish_with_mode(0o644)?,
        };
        self.staged.swap()?;
        fs::sync_dir(parent(&path)).map_err(|source| Error::Indeterminate { path, source: Box::new(source) })
    }
}

/// Replaces a file of advice: readers see old or new bytes, but a power cut may lose both. Nothing is synced.
pub fn replace_unsynced(path: &Path, bytes: &[u8]) -> Result<()> {
    let (staged, mut writer) = write(path, bytes)?;
    writer.flush().map_err(|source| Error::io("write", path, source))?;
    staged.swap()
}

/// Writes over a file of advice that is there, in place, so that no name comes or goes beside it: a copy of the directory that is being made
/// meets none that is gone when it gets there. A reader may see a part of the bytes. Nothing is synced, and no link is followed.
pub fn overwrite_unsynced(path: &Path, bytes: &[u8]) -> Result<()> {
    let mut options = std::fs::OpenOptions::new();
    options.write(true).truncate(true).custom_flags(OFlag::O_NOFOLLOW.bits());
    let written = options.open(path).and_then(|mut file| file.write_all(bytes));
    written.map_err(|source| Error::io("write", path, source))
}

/// Makes the symbolic link at `path` hold `target`, replacing a link (or file) that is there. Nothing is synced.
pub fn replace_symlink(path: &Path, target: &Path) -> Result<()> {
    let temporary = temporary_name(path)?;
    fs::symlink(target, &temporary)?;
    Staged { temporary: Some(temporary), target: path.to_path_buf() }.swap()
}

fn write(target: &Path, bytes: &[u8]) -> Result<(Staged, fs::Writer)> {
    let temporary = temporary_name(target)?;
    let mut writer = fs::create(&temporary)?;
    let staged = Staged { temporary: Some(temporary), target: target.to_path_buf() };
    writer.write_all(bytes).map_err(|source| Error::io("write", target, source))?;
    Ok((staged, writer))
}

pub(crate) fn temporary_name(target: &Path) -> Result<PathBuf> {
    let mut name = OsString::from(target.file_name().unwrap_or_default());
    name.push(TEMPORARY_INFIX);
    name.push(random::suffix()?);
    Ok(target.with_file_name(name))
}

/// The directory that holds `path`'s name.
pub(crate) fn parent(path: &Path) -> &Path {
    match path.parent() {
        Some(parent) if parent != Path::new("") => parent,
        _ => Path::new("."),
    }
}
