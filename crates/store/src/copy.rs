//! A copy of one version, as an index of its own: a back-up that is whole while writers go on.
//!
//! The version is leased while it is copied, every file is compared with its digest on the way (a damaged one is refused), and
//! no file is shared with the original (its blocks are, until one of the two is written, where the file system can clone). The copy has the same manifest
//! and digests, and so the same id and digest; attributes come along, tags and the versions it came from do not.
//!
//! Where nothing is at the target, the index is made beside it, under `.<name>.cutover-copy-<random>`, published there by the ordinary
//! protocol, and gets its name by one rename: whoever finds the target finds all of it. What a crash leaves beside it is removed by
//! the next copy to the same target, whose owner is proved dead by its own writer lock. An empty directory (a mount point, say) is
//! filled in place; until the end it is an index in which nothing was published, and the next copy goes on from there.

use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
};

use cutover_durable::{
    Error as FileError,
    fs::{self, Kind},
    lock, random,
};

use crate::{
    DraftOptions, Error, Integrity, LockWait, Result, Snapshot, Store, StoreOptions, VersionId, VersionInfo, Writer,
    checked::{File, differs},
    layout::Layout,
    reading::Reading,
    used_ids::UsedIds,
    writer::make_root,
};

/// Where a copy is made.
enum Place {
    /// Under a name of its own, to be renamed to the target.
    Beside(PathBuf),
    /// In the target, which was there.
    Within {
        /// Whether there was nothing in it.
        was_empty: bool,
    },
}

impl Store {
    /// Copies the current version, or the one named, to `target`, which must not exist, be empty, or be what a copy that was cut
    /// short left. Directories on the way to it are made.
    ///
    /// `progress` is told bytes copied and bytes to be copied; when `cancel` ends it, nothing is left behind.
    ///
    /// # Errors
    /// What [`Store::snapshot`] fails with; [`Error::Corrupt`] naming the file whose bytes are not what was published;
    /// [`Error::TargetInUse`]; code `CUTOVER_NO_SPACE` before a byte is copied; [`Error::Cancelled`].
    pub fn copy_to(
        &self,
        target: &Path,
        version: Option<&VersionId>,
        progress: &dyn Fn(u64, u64),
        cancel: &dyn Fn() -> bool,
    ) -> Result<VersionInfo> {
        let target = self.resolve_target(target)?;
        let snapshot = self.snapshot_while(version, cancel)?;
        let mut reading = Reading::new(progress, cancel);
        reading.expect(snapshot.manifest().bytes());
        let place = self.choose_place(&target)?;
        let root = match &place {
            Place::Beside(staged) => staged,
            Place::Within { .. } => &target,
        };
        let copied = self.copy_store(root, &snapshot, &mut reading).and_then(|(info, writer)| {
            if let Place::Beside(staged) = &place {
                fs::rename_no_replace(staged, &target).map_err(|error| {
                    if error.is_already_exists() {
                        in_use(&target, "something was made there meanwhile")
                    } else {
                        error.into()
                    }
                })?;
                // The lock, which is held still, went along; who holds it is told beside it, and found by its path.
                fs::remove_file(&Layout::new(target.clone()).holder())?;
                fs::sync_dir(target.parent().unwrap_or(&target))?;
            }
            drop(writer);
            Ok(info)
        });
        if copied.is_err() {
            place.clear(&target);
        }
        copied
    }

    /// The target as an absolute path, which must not lie in this index.
    fn resolve_target(&self, target: &Path) -> Result<PathBuf> {
        let context = |source| FileError::io("find", target, source);
        let absolute = std::path::absolute(target).map_err(context)?;
        let existing = absolute.ancestors().find(|path| path.exists()).unwrap_or(Path::new("/"));
        let real = std::fs::canonicalize(existing).map_err(context)?;
        if real.starts_with(self.root()) {
            return Err(in_use(&absolute, "it is inside the index that is to be copied"));
        }
        let below = absolute.strip_prefix(existing).unwrap_or(Path::new(""));
        Ok(if below == Path::new("") { real } else { real.join(below) })
    }

    fn choose_place(&self, target: &Path) -> Result<Place> {
        match fs::kind(target)? {
            None => {
                let (Some(parent), Some(name)) = (target.parent(), target.file_name().and_then(|name| name.to_str()))
                else {
                    return Err(in_use(target, "it has no name in Unicode"));
                };
                make_root(parent)?;
                clear_dead(parent, name)?;
                Ok(Place::Beside(parent.join(Layout::copying(name, &random::suffix()?))))
            }
            Some(Kind::Directory) => {
                let was_empty = fs::list_dir(target)?.is_empty();
                let nothing = |store: &Self| Ok::<_, Error>(store.current()?.is_none() && store.ids()?.is_empty());
                match Self::open(target, self.target_options()) {
                    Ok(store) if nothing(&store)? => Ok(Place::Within { was_empty }),
                    Ok(_) => Err(in_use(target, "it is an index that has versions")),
                    Err(Error::NotAnIndex { detail, .. }) => Err(in_use(target, &detail)),
                    Err(error) => Err(error),
                }
            }
            Some(_) => Err(in_use(target, "it is not a directory")),
        }
    }

    fn target_options(&self) -> StoreOptions {
        StoreOptions { create: true, read_only: false, integrity: Integrity::Sizes, ..self.options() }
    }

    /// Copies what `from` holds into an index at `root` and publishes it there. Returns the writer, which still holds the lock.
    fn copy_store(&self, root: &Path, from: &Snapshot, reading: &mut Reading<'_>) -> Result<(VersionInfo, Writer)> {
        if fs::kind(root)?.is_none() {
            fs::create_dir(root)?;
            fs::publish_dir_mode(root)?;
        }
        let store = Self::open(root, self.target_options())?;
        let writer = store.write("copy", LockWait::Now, reading.cancel())?;
        // An earlier copy may have died after it had recorded the id and before that was a version's.
        UsedIds::replace(writer.layout(), &BTreeSet::new(), 0)?;
        let attributes = from.info().attributes.clone();
        let mut draft = writer.draft(DraftOptions { id: Some(from.id().clone()), attributes, parent: None })?;
        for file in &from.manifest().files {
            reading.proceed()?;
            let source = from.directory().join(&file.name);
            let target = draft.reserve_copied(from.manifest(), &file.name)?;
            let rest = reading.expected().saturating_sub(reading.done());
            let mut step = |bytes| reading.advance(bytes);
            let written = if fs::clone_file(&source, &target)? {
                fs::seal(&target, &mut step)?
            } else {
                draft.need(rest)?;
                let mut copy = fs::create(&target)?;
                if fs::copy_stepwise(&source, &mut copy, &mut step)? { Some(copy.finish()?) } else { None }
            };
            let written = written.ok_or(Error::Cancelled)?;
            let published = from.digest(&file.name).unwrap_or(written.digest);
            if written.digest != published {
                let detail = differs(published, written.digest);
                File::new(&fs::metadata(&source)?, published).note(Some(&detail));
                return Err(Error::corrupt(source, Some(from.id()), detail));
            }
            draft.record(&file.name, written)?;
        }
        draft.complete_copy(from)?;
        let (published, writer) = draft.publish(None, reading.cancel())?;
        Ok((published.info, writer))
    }
}

impl Place {
    /// Takes away what was made when the copy failed. What cannot be taken away is what a crash would have left.
    fn clear(&self, target: &Path) {
        match self {
            Self::Beside(staged) => drop(fs::remove_tree(staged)),
            Self::Within { was_empty: true } => drop(empty(target)),
            Self::Within { was_empty: false } => {}
        }
    }
}

/// Makes the directory empty again, unless something was published in it, or somebody else writes there.
fn empty(target: &Path) -> Result<()> {
    let store = Store::open(target, StoreOptions { create: true, ..StoreOptions::default() })?;
    let writer = store.take_lock("copy", LockWait::Now, &|| false)?;
    if store.current()?.is_some() || !store.ids()?.is_empty() {
        return Ok(());
    }
    let layout = store.layout();
    for entry in fs::list_dir(target)?.into_iter().filter(|entry| Layout::is_made_with_an_index(&entry.name)) {
        fs::remove_tree(&target.join(&entry.name))?;
    }
    // Whoever waits for the lock finds that its file is gone from its path, and that it does not hold it.
    fs::remove_file(&layout.lock())?;
    drop(writer);
    Ok(())
}

/// Removes what copies to the target called `name` left in `parent` when they died.
fn clear_dead(parent: &Path, name: &str) -> Result<()> {
    for entry in fs::list_dir(parent)? {
        if entry.kind != Kind::Directory || !Layout::is_copying(&entry.name, name) {
            continue;
        }
        let staged = parent.join(&entry.name);
        match lock::try_exclusive(&Layout::new(staged.clone()).lock()) {
            Ok(_dead) => fs::remove_tree(&staged)?,
            // It had not come to take its lock, or lives and is about to: nothing is lost with an empty directory.
            Err(error) if error.is_not_found() => drop(std::fs::remove_dir(&staged)),
            // It lives, or that cannot be known.
            Err(_) => {}
        }
    }
    Ok(())
}

fn in_use(target: &Path, detail: &str) -> Error {
    Error::TargetInUse { path: target.to_path_buf(), detail: detail.to_owned() }
}
