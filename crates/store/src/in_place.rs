//! Files that stay where they are and are replaced there: built beside their targets under the lock, then swapped in one by one.
//!
//! For directories that are no index of versions: what other software keeps under fixed names. Each file or directory is old or
//! new at every instant, and never missing; several are replaced one after another, so a reader can meet new ones and old ones together
//! (versions exist because of that). The lock is the writer lock of an index, so `cutover`'s writers, `flock(1)` and
//! Python take part.
//!
//! | a crash                        | leaves                                                                                         |
//! | ------------------------------ | ---------------------------------------------------------------------------------------------- |
//! | while it is built              | `.cutover-staging-<random>`, which the next removes: holding the lock proves that it is dead     |
//! | between two swaps              | the first targets new, the others old; in the staging directory the counterparts, also removed |
//! | after the last swap            | all new; what they replaced is in the staging directory                                       |
//!
//! The staging directory may hold the only copy of something only while a swap is not on disk yet. So nothing is removed from it before the
//! directories swapped in are synced, and the next, which cannot know them, first syncs the whole file system. Nothing else in the
//! directory is touched.

use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
};

use cutover_durable::{Error as FileError, fs, fs::Kind, lock::LockWait, random};

use crate::{Error, Held, Result, layout::Layout, name};

/// What takes the place of what. Both are relative: the one to the staging directory, the other to the directory that is rebuilt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Swap {
    /// A file or a directory that was built.
    pub staged: String,
    /// Its place.
    pub target: String,
}

/// A rebuild of files in their places. Dropping it leaves them as they were.
#[derive(Debug)]
pub struct InPlace {
    directory: PathBuf,
    staging: PathBuf,
    keeps_staging: bool,
    // Let go last, when the staging directory is gone.
    lock: Held,
}

impl InPlace {
    /// Takes the lock of `directory`, removes what one that died left, and makes a staging directory.
    ///
    /// # Errors
    /// [`Error::NotADirectory`], [`Error::Locked`], [`Error::Cancelled`], [`Error::ReadOnly`].
    pub fn begin(directory: &Path, operation: &str, wait: LockWait, cancel: &dyn Fn() -> bool) -> Result<Self> {
        let not_a_directory = || Error::NotADirectory { path: directory.to_path_buf() };
        let found = std::fs::canonicalize(directory);
        let directory = found.map_err(|source| FileError::io("find the directory", directory, source))?;
        if fs::kind(&directory)? != Some(Kind::Directory) {
            return Err(not_a_directory());
        }
        Self::begin_at(directory.clone(), operation, wait, cancel).map_err(|error| error.read_only(&directory))
    }

    fn begin_at(directory: PathBuf, operation: &str, wait: LockWait, cancel: &dyn Fn() -> bool) -> Result<Self> {
        fs::require_writable_dir(&directory)?;
        let lock = Held::acquire(&Layout::new(directory.clone()).lock(), operation, wait, cancel)?;
        clear(&directory)?;
        let staging = directory.join(Layout::in_place_staging(&random::suffix()?));
        fs::create_dir(&staging)?;
        Ok(Self { directory, staging, keeps_staging: false, lock })
    }

    /// Where the new files are to be built: on the file system of their places, and entered by this user alone.
    #[must_use]
    pub fn staging(&self) -> &Path {
        &self.staging
    }

    /// Swaps what was built into its places, in this order, and returns once that survives a power cut. Directories on the way to a
    /// new place are made. Everything that can be refused is refused before the first swap.
    ///
    /// # Errors
    /// [`Error::InvalidName`] for one that leads elsewhere, twice to the same place, or to a file of the lock; code `CUTOVER_IO` with
    /// the reason `exchange-unsupported` when a directory is to be replaced where two names cannot be exchanged. An error of the system
    /// at one swap leaves those before it done, which its path tells; code `CUTOVER_INDETERMINATE` when all are done but perhaps not for good.
    pub fn finish(mut self, swaps: &[Swap]) -> Result<()> {
        check_names(swaps)?;
        for swap in swaps {
            self.check(swap)?;
        }
        for swap in swaps {
            fs::sync_tree(&self.staging.join(&swap.staged))?;
        }
        self.lock.require_intact()?;
        for swap in swaps {
            self.make_parents(&swap.target)?;
        }
        let mut changed = BTreeSet::new();
        let swapped = swaps.iter().try_for_each(|swap| self.swap(swap, &mut changed));
        for directory in &changed {
            if let Err(source) = fs::sync_dir(directory) {
                self.keeps_staging = true;
                let path = self.directory.clone();
                return Err(FileError::Indeterminate { path, source: Box::new(source) }.into());
            }
        }
        swapped?;
        self.keeps_staging = true;
        fs::remove_tree(&self.staging).map_err(|error| match error {
            FileError::Io { path, source, .. } => FileError::io("remove what was replaced, at", path, source).into(),
            error => error.into(),
        })
    }

    /// Makes sure that what was built can take its place.
    fn check(&self, swap: &Swap) -> Result<()> {
        let staged = self.staging.join(&swap.staged);
        real_parents(&self.staging, &swap.staged)?;
        let is_file = match fs::kind(&staged)? {
            Some(Kind::File) => true,
            Some(Kind::Directory) => false,
            Some(_) => return Err(invalid(&swap.staged, "what was built there is neither a file nor a directory")),
            None => return Err(invalid(&swap.staged, "nothing was built there")),
        };
        real_parents(&self.directory, &swap.target)?;
        match fs::kind(&self.directory.join(&swap.target))? {
            Some(Kind::Other) => Err(invalid(&swap.target, "a device, a socket or a FIFO is not replaced")),
            Some(Kind::File | Kind::Symlink) if is_file => Ok(()),
            Some(_) => self.require_exchange(),
            None => Ok(()),
        }
    }

    /// Exchanges two names of its own, to learn whether that can be done here.
    fn require_exchange(&self) -> Result<()> {
        let (one, other) = (self.staging.join(random_name()?), self.staging.join(random_name()?));
        fs::create_dir(&one)?;
        fs::create_dir(&other)?;
        let exchanged = fs::exchange(&one, &other);
        fs::remove_tree(&one)?;
        fs::remove_tree(&other)?;
        Ok(exchanged?)
    }

    /// Makes the directories on the way to a place, each lasting before the next is made.
    fn make_parents(&self, target: &str) -> Result<()> {
        for parent in name::parents(target) {
            let path = self.directory.join(parent);
            if fs::kind(&path)?.is_none() {
                fs::create_dir(&path)?;
                fs::publish_dir_mode(&path)?;
                if let Some(parent) = path.parent() {
                    fs::sync_dir(parent)?;
                }
            }
        }
        Ok(())
    }

    fn swap(&self, swap: &Swap, changed: &mut BTreeSet<PathBuf>) -> Result<()> {
        let (staged, target) = (self.staging.join(&swap.staged), self.directory.join(&swap.target));
        let is_file = fs::kind(&staged)? == Some(Kind::File);
        match fs::kind(&target)? {
            None => fs::rename_no_replace(&staged, &target)?,
            Some(Kind::File | Kind::Symlink) if is_file => fs::rename(&staged, &target)?,
            Some(_) => fs::exchange(&staged, &target)?,
        }
        changed.extend([&target, &staged].into_iter().filter_map(|path| path.parent()).map(Path::to_path_buf));
        Ok(())
    }
}

impl Drop for InPlace {
    fn drop(&mut self) {
        if !self.keeps_staging {
            // The next one removes what cannot be removed now.
            let _ = fs::remove_tree(&self.staging);
        }
    }
}

/// Removes what dead ones left: whoever made it held the lock.
fn clear(directory: &Path) -> Result<()> {
    let entries = fs::list_dir(directory)?;
    let dead: Vec<_> = entries.iter().filter(|entry| Layout::is_dead_in_place(&entry.name)).collect();
    if dead.iter().any(|entry| entry.kind == Kind::Directory) {
        fs::sync_file_system(directory)?;
    }
    dead.iter().try_for_each(|entry| Ok(fs::remove_tree(&directory.join(&entry.name))?))
}

/// Every name leads down, to a place of its own, and none to the files of the lock.
fn check_names(swaps: &[Swap]) -> Result<()> {
    for (at, swap) in swaps.iter().enumerate() {
        name::check_parts(&swap.staged)?;
        name::check_parts(&swap.target)?;
        let first = swap.target.split('/').next().unwrap_or_default();
        if Layout::belongs_to_lock(first.as_ref()) {
            return Err(invalid(&swap.target, "it is not of the lock or of a staging directory"));
        }
        for other in &swaps[..at] {
            if overlaps(&swap.target, &other.target) {
                return Err(invalid(&swap.target, "no two take the same place, or places within each other"));
            }
            if overlaps(&swap.staged, &other.staged) {
                return Err(invalid(&swap.staged, "nothing that was built takes two places"));
            }
        }
    }
    Ok(())
}

fn overlaps(one: &str, other: &str) -> bool {
    Path::new(one).starts_with(other) || Path::new(other).starts_with(one)
}

/// What is on the way to `name` below `root`, as far as it is there, is directories and no links.
fn real_parents(root: &Path, name: &str) -> Result<()> {
    for parent in name::parents(name) {
        if !matches!(fs::kind(&root.join(parent))?, None | Some(Kind::Directory)) {
            return Err(invalid(name, "what is on the way to it is directories"));
        }
    }
    Ok(())
}

fn random_name() -> Result<String> {
    Ok(format!(".probe-{}", random::suffix()?))
}

fn invalid(name: &str, rule: &'static str) -> Error {
    Error::InvalidName { name: name.to_owned(), rule }
}
