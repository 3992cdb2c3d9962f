//! A version being written, in a directory of its own beside the versions.
//!
//! Files are created through the draft, which hands out the only descriptor that writes them; finishing one syncs it, and recording
//! it says so (step 2 of publishing). Dropping a draft removes all of it.

use std::{
    collections::{BTreeMap, btree_map::Entry},
    path::{Path, PathBuf},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use cutover_durable::fs::{self, Written};
use serde_json::{Map, Value};

use crate::{
    Error, Manifest, Result, Snapshot, VersionId, Writer,
    attach::Moved,
    complete::Completed,
    current,
    info::Loaded,
    layout::{LEASE, Layout},
    name,
    snapshot::Location,
    used_ids::UsedIds,
};

/// How a draft begins.
#[derive(Debug, Clone, Default)]
pub struct DraftOptions {
    /// The version's id; generated when absent.
    pub id: Option<VersionId>,
    /// What users attach to the version.
    pub attributes: Map<String, Value>,
    /// The version it was made from; the current one when absent.
    pub parent: Option<VersionId>,
}

/// A version under construction, and the writer lock under which it is made. Files can be created and recorded from several threads.
#[derive(Debug)]
pub struct Draft {
    /// `None` once the draft has been published.
    pub(crate) writer: Option<Writer>,
    pub(crate) id: VersionId,
    sequence: u64,
    pub(crate) parent: Option<VersionId>,
    pub(crate) attributes: Map<String, Value>,
    /// Whether a caller chose the id, so that it must be recorded before it can be seen.
    pub(crate) chosen: bool,
    /// The version that was current when the draft began: the lock keeps it so.
    pub(crate) current: Option<VersionId>,
    pub(crate) location: Arc<Location>,
    /// Files by name; `None` while one is being written.
    files: Mutex<BTreeMap<String, Option<Written>>>,
    /// What is removed where it came from once the draft is published.
    pub(crate) moved: Mutex<Moved>,
    pub(crate) completed: Option<Completed>,
    pub(crate) place: Place,
}

/// Where the draft's directory is, and so what dropping the draft removes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Place {
    /// Under its draft's name.
    Staging,
    /// Under its version's name, not current.
    Named,
    /// It is, or may be, a version that stays.
    Kept,
}

impl Writer {
    /// Begins a version. The draft takes the writer over and gives it back when it is published.
    ///
    /// # Errors
    /// [`Error::Exists`] when the id was ever used, or looks like a generated one that may have been.
    pub fn draft(self, options: DraftOptions) -> Result<Draft> {
        let layout = self.layout();
        let current = current::read(layout)?;
        let used = UsedIds::read(layout)?;
        let chosen = options.id.is_some();
        let last = self.last_sequence()?.max(used.floor());
        let sequence = last.saturating_add(1);
        let id = match options.id {
            // Of the ids that we generate, those of pruned versions are written down nowhere: every one that may have been is refused.
            Some(id) if id.generated_sequence().is_some_and(|of| of <= last) || is_used(layout, &used, &id)? => {
                return Err(Error::Exists { version: id });
            }
            Some(id) => id,
            None => loop {
                let id = VersionId::generate(sequence)?;
                if !is_used(layout, &used, &id)? {
                    break id;
                }
            },
        };
        let staging = layout.staging(&id);
        fs::create_dir(&staging)?;
        Ok(Draft {
            writer: Some(self),
            id,
            sequence,
            parent: options.parent.or_else(|| current.clone()),
            attributes: options.attributes,
            chosen,
            current,
            location: Location::new(staging),
            files: Mutex::default(),
            moved: Mutex::default(),
            completed: None,
            place: Place::Staging,
        })
    }

    /// The highest sequence of the versions that are there; 0 when there are none.
    pub(crate) fn last_sequence(&self) -> Result<u64> {
        let sequences =
            self.store().ids()?.into_iter().map(|id| match Manifest::read(&self.layout().version(&id), &id) {
                Ok((manifest, _)) => manifest.sequence,
                // A damaged or foreign one: its id tells, if we made it.
                Err(_) => id.generated_sequence().unwrap_or(0),
            });
        Ok(sequences.max().unwrap_or(0))
    }
}

fn is_used(layout: &Layout, used: &UsedIds, id: &VersionId) -> Result<bool> {
    let trashed = || {
        Ok::<_, Error>(
            fs::list_dir(&layout.trash())?.iter().any(|entry| Layout::trashed_id(&entry.name).as_ref() == Some(id)),
        )
    };
    Ok(used.contains(id) || fs::kind(&layout.version(id))?.is_some() || trashed()?)
}

impl Draft {
    /// The id that the version will have.
    #[must_use]
    pub fn id(&self) -> &VersionId {
        &self.id
    }

    /// The version's place in the order of versions. A discarded draft's can be given to the next one; its id is not.
    #[must_use]
    pub fn sequence(&self) -> u64 {
        self.sequence
    }

    /// The draft's directory.
    #[must_use]
    pub fn directory(&self) -> &Path {
        self.location.path()
    }

    /// Fails unless `bytes` more can be written.
    ///
    /// # Errors
    /// Code `CUTOVER_NO_SPACE`, with the bytes needed and available.
    pub fn need(&self, bytes: u64) -> Result<()> {
        self.writer()?.need(bytes)
    }

    /// Creates the file called `name`, and the directories on the way to it. When it is finished it must be recorded.
    ///
    /// # Errors
    /// [`Error::InvalidName`]; [`Error::Misuse`] when the draft has a file of that name or is complete.
    pub fn create(&self, name: &str) -> Result<fs::Writer> {
        self.reserve(name)?;
        Ok(fs::create(&self.directory().join(name))?)
    }

    /// Takes the name for a file that a version with the manifest `from` has, whatever it is called; where it is to be.
    pub(crate) fn reserve_copied(&self, from: &Manifest, name: &str) -> Result<PathBuf> {
        if from.is_adopted() {
            name::check_adopted(name)?;
            self.reserve_checked(name)?;
        } else {
            self.reserve(name)?;
        }
        Ok(self.directory().join(name))
    }

    /// Says that the file called `name` was finished, and what it holds.
    ///
    /// # Errors
    /// [`Error::Misuse`] unless the draft created it and it was not recorded before.
    pub fn record(&self, name: &str, written: Written) -> Result<()> {
        match self.files().get_mut(name) {
            Some(file @ None) => *file = Some(written),
            _ => return Err(Error::Misuse { detail: format!("the draft is not waiting for a file {name:?}") }),
        }
        Ok(())
    }

    /// The finished draft as readers will find it, for checks before anyone else sees it. It stays valid when the draft is published.
    ///
    /// # Errors
    /// [`Error::Misuse`] before [`Draft::complete`]; what opening any version can fail with.
    pub fn snapshot(&self) -> Result<Snapshot> {
        let completed = self.completed()?;
        let store = self.writer()?.store();
        let lease = store.lease(&self.directory().join(LEASE))?;
        let loaded = Loaded::read(self.directory(), &self.id)?;
        Snapshot::new(store, Arc::clone(&self.location), loaded, lease, completed.activate)
    }

    /// Removes the draft and gives the writer back.
    pub fn discard(mut self) -> Result<Writer> {
        self.place = Place::Kept;
        let removed = fs::remove_tree(self.directory());
        let writer = self.take_writer()?;
        removed?;
        Ok(writer)
    }

    /// Takes the name for a file that is about to be written, and makes the directories on the way to it.
    pub(crate) fn reserve(&self, name: &str) -> Result<()> {
        name::check(name)?;
        self.reserve_checked(name)
    }

    fn reserve_checked(&self, name: &str) -> Result<()> {
        self.require_open()?;
        match self.files().entry(name.to_owned()) {
            Entry::Vacant(entry) => drop(entry.insert(None)),
            Entry::Occupied(_) => {
                return Err(Error::Misuse { detail: format!("the draft has a file {name:?} already") });
            }
        }
        for parent in name::parents(name) {
            match fs::create_dir(&self.directory().join(parent)) {
                Err(error) if !error.is_already_exists() => return Err(error.into()),
                _ => {}
            }
        }
        Ok(())
    }

    /// Fails once the draft is complete.
    pub(crate) fn require_open(&self) -> Result<()> {
        if self.completed.is_some() {
            return Err(Error::Misuse { detail: "the draft is complete: it takes no more files".to_owned() });
        }
        Ok(())
    }

    pub(crate) fn files(&self) -> MutexGuard<'_, BTreeMap<String, Option<Written>>> {
        self.files.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn completed(&self) -> Result<&Completed> {
        self.completed.as_ref().ok_or_else(|| Error::Misuse { detail: "the draft is not complete".to_owned() })
    }

    pub(crate) fn writer(&self) -> Result<&Writer> {
        self.writer.as_ref().ok_or_else(gone)
    }

    pub(crate) fn take_writer(&mut self) -> Result<Writer> {
        self.writer.take().ok_or_else(gone)
    }
}

fn gone() -> Error {
    Error::Misuse { detail: "the draft has ended".to_owned() }
}

impl Drop for Draft {
    /// What cannot be removed here is removed by the next writer.
    fn drop(&mut self) {
        match (self.place, &self.writer) {
            (Place::Staging, Some(_)) => drop(fs::remove_tree(&self.location.written)),
            (Place::Named, Some(writer)) => drop(writer.remove_version(&self.id)),
            _ => {}
        }
    }
}
