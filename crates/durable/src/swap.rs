//! Putting a finished file or directory in the place of another, with no moment at which nothing is there.
//!
//! What was staged is synced first: files, then directories from the bottom up. If nothing is at the target, one rename that
//! replaces nothing brings it there. A file takes the place of a file by a rename. Everything else is exchanged
//! (`RENAME_EXCHANGE`); then both directories are synced, and only then the old, which now has the staged name, is removed. So a reader, and a
//! crash, see the old or the new, and what a crash leaves of the other is under the staged name, which is the caller's to clear.
//!
//! Links are never followed: one at the target is replaced itself, and what it leads to is not touched. Links inside a staged
//! directory are kept as they are.
//!
//! | a crash                              | target | staged name                            |
//! | ------------------------------------ | ------ | -------------------------------------- |
//! | before the rename or exchange        | old    | new                                    |
//! | after it, before the sync            | either | the other; after a rename the new only |
//! | after the sync, before the removal   | new    | old, or what is left of it             |
//!
//! Where there is no exchange the caller may accept a gap: the old is then renamed to `<target>.replaced-<random>`, and a crash between
//! the two renames leaves it there and nothing at the target.

use std::{
    ffi::OsString,
    path::{Path, PathBuf},
};

use crate::{Error, Result, fs, fs::Kind, fs::real, random, replace::parent};

/// Whether there may be a moment without a target where the file system cannot exchange two names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Gap {
    /// Then nothing is replaced.
    Refuse,
    /// Then two renames do, one after the other.
    Accept,
}

/// What follows the target's name in the name of what is replaced across a gap, before random characters.
pub const REPLACED_INFIX: &str = ".replaced-";
/// How often somebody else may make or remove the target meanwhile before this gives up.
const ATTEMPTS: u32 = 16;

/// Moves the finished file or directory `staged` to `target`, in place of what is there, and returns once that survives a power cut
/// and the old is removed. Both are on one file system, and neither is within the other.
///
/// # Errors
/// [`Error::Refused`] when a path cannot be used; [`Error::ExchangeUnsupported`] under [`Gap::Refuse`]; an error that
/// [`Error::is_cross_device`]: nothing has changed, as after any other but two. [`Error::Indeterminate`]: the new is in place, perhaps not
/// for good, and the old is kept under the staged name. "could not remove what was replaced": the new is in place for good.
pub fn replace_with(target: &Path, staged: &Path, gap: Gap) -> Result<()> {
    let (target, staged) = (real(target)?, real(staged)?);
    let is_file = check(&target, &staged)?;
    fs::sync_tree(&staged)?;
    let old = put(&target, &staged, is_file, gap)?;
    settle(&target, &staged)?;
    match old {
        Some(old) => fs::remove_tree(&old).map_err(|error| match error {
            Error::Io { path, source, .. } => Error::io("remove what was replaced, at", path, source),
            error => error,
        }),
        None => Ok(()),
    }
}

/// Makes sure that one can take the other's place; whether the staged is a file.
fn check(target: &Path, staged: &Path) -> Result<bool> {
    let refused = |path: &Path, reason| Err(Error::Refused { path: path.to_path_buf(), reason });
    let is_file = match fs::kind(staged)? {
        None => return Err(Error::io("find what was staged at", staged, std::io::ErrorKind::NotFound.into())),
        Some(Kind::File) => true,
        Some(Kind::Directory) => false,
        Some(Kind::Symlink | Kind::Other) => return refused(staged, "is neither a file nor a directory"),
    };
    if fs::kind(target)? == Some(Kind::Other) {
        return refused(target, "is a device, a socket or a FIFO, which is not replaced");
    }
    if target.starts_with(staged) || staged.starts_with(target) {
        return refused(staged, "is the target, or one of them is within the other");
    }
    Ok(is_file)
}

/// Gives the staged the target's name; where the old is now, if there is one to remove.
fn put(target: &Path, staged: &Path, is_file: bool, gap: Gap) -> Result<Option<PathBuf>> {
    let mut attempt = 1;
    loop {
        let result = match fs::kind(target)? {
            None => fs::rename_no_replace(staged, target).map(|()| None),
            Some(Kind::File | Kind::Symlink) if is_file => fs::rename(staged, target).map(|()| None),
            Some(_) => match fs::exchange(staged, target) {
                Err(Error::ExchangeUnsupported { .. }) if gap == Gap::Accept => across_gap(target, staged).map(Some),
                exchanged => exchanged.map(|()| Some(staged.to_path_buf())),
            },
        };
        match result {
            // Somebody made or removed the target since it was looked at.
            Err(error) if (error.is_already_exists() || error.is_not_found()) && attempt < ATTEMPTS => attempt += 1,
            result => return result,
        }
    }
}

/// Two renames, between which nothing is at the target.
fn across_gap(target: &Path, staged: &Path) -> Result<PathBuf> {
    let mut name = OsString::from(target.file_name().unwrap_or_default());
    name.push(REPLACED_INFIX);
    name.push(random::suffix()?);
    let aside = target.with_file_name(name);
    fs::rename_no_replace(target, &aside)?;
    match fs::rename_no_replace(staged, target) {
        Ok(()) => Ok(aside),
        Err(error) => {
            // The failure is what to tell; if this fails too, the old is where the documentation says.
            let _ = fs::rename_no_replace(&aside, target);
            Err(error)
        }
    }
}

/// Makes the new names last.
fn settle(target: &Path, staged: &Path) -> Result<()> {
    let (to, from) = (parent(target), parent(staged));
    let synced = fs::sync_dir(to).and_then(|()| if to == from { Ok(()) } else { fs::sync_dir(from) });
    synced.map_err(|source| Error::Indeterminate { path: target.to_path_buf(), source: Box::new(source) })
}
