//! Removing versions that are not to be kept.
//!
//! Never removed: the current version, the one that `rollback` would lead to, a tagged one, and one that a reader holds. That no
//! reader holds it is proved by locking its lease exclusively without waiting, and that lock is kept until the version has no name.

use std::{collections::BTreeSet, time::Duration};

use cutover_durable::{Error as FileError, lock};

use crate::{
    Error, Result, State, VersionId, VersionInfo, Writer, current,
    history::{self, Event},
    holder::now_ms,
    layout::LEASE,
    state::StateFile,
    tags::Tags,
    usage::Usage,
    used_ids::UsedIds,
};

const SECONDS_PER_DAY: f64 = 86_400.0;

/// Which versions a prune leaves, besides those that it never removes.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Keep {
    /// How many published versions, the current one included, the newest first; at least 1. Prepared and withdrawn versions are not
    /// counted: they go once they are older than all that are. One that was published and is not counted goes wherever it is in
    /// the order: the current version may be an old one.
    pub versions: u32,
    /// Versions younger than this many days stay too.
    pub days: Option<f64>,
    /// The oldest go until all versions together take at most this many bytes, whatever the other two say.
    pub max_bytes: Option<u64>,
}

impl Default for Keep {
    fn default() -> Self {
        Self { versions: 3, days: None, max_bytes: None }
    }
}

/// What a prune removed, or would have.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Pruned {
    /// Removed, oldest first.
    pub removed: Vec<VersionId>,
    /// Kept, as was wanted.
    pub kept: Vec<VersionId>,
    /// Kept only because some process holds them.
    pub in_use: Vec<VersionId>,
    /// Bytes of files that no version links any more. A file's blocks count although a clone of it may share them.
    pub bytes_freed: u64,
}

impl Writer {
    /// Removes the versions that `keep` does not keep; with `dry_run` only says which.
    ///
    /// # Errors
    /// [`Error::Corrupt`] when it cannot be known what is current: then nothing is removed.
    pub fn prune(&mut self, keep: &Keep, dry_run: bool) -> Result<Pruned> {
        let layout = self.layout();
        let protected = self.protected()?;
        let versions: Vec<VersionInfo> = self.store().list()?.into_iter().filter_map(|(_, info)| info.ok()).collect();
        let mut usage = Usage::default();
        for version in &versions {
            usage.add(&layout.version(&version.id))?;
        }
        let surplus = surplus(&versions, keep, protected.current.as_ref());
        let last = self.last_sequence()?;
        let mut pruned = Pruned::default();
        for version in &versions {
            let id = &version.id;
            let too_much = keep.max_bytes.is_some_and(|most| usage.bytes() > most);
            if protected.holds(id) || !(too_much || surplus.contains(id)) {
                pruned.kept.push(id.clone());
                continue;
            }
            // Held until the version has no name, so that no reader can take hold of it meanwhile.
            let _unleased = match lock::try_exclusive(&layout.version(id).join(LEASE)) {
                Ok(unleased) => Some(unleased),
                // Where nothing can lock, nothing proves that nobody reads it.
                Err(FileError::Contended { .. } | FileError::LockUnsupported { .. }) => {
                    pruned.in_use.push(id.clone());
                    continue;
                }
                // Without this file no reader can hold it.
                Err(error) if error.is_not_found() => None,
                Err(error) => return Err(error.into()),
            };
            pruned.bytes_freed += usage.remove(&layout.version(id))?;
            if !dry_run {
                self.forget(version, last)?;
                history::record(layout, Event::Pruned, id, None);
            }
            pruned.removed.push(id.clone());
        }
        Ok(pruned)
    }

    /// Removes a prepared version that is not wanted any more. What became of a draft's id holds for its too: it is not used again.
    ///
    /// # Errors
    /// [`Error::NotFound`]; [`Error::Kept`] when the version was ever current, or is tagged; [`Error::Busy`] while somebody reads it.
    pub fn discard_prepared(&mut self, id: &VersionId) -> Result<()> {
        let version = self.store().info(id)?;
        let detail = match version.state {
            State::Prepared if version.tags.is_empty() => None,
            State::Prepared => Some("it is tagged"),
            State::Published => Some("it was published: prune removes it when it is not to be kept"),
            State::Withdrawn => Some("it was published and withdrawn: prune removes it when it is not to be kept"),
        };
        if let Some(detail) = detail {
            return Err(Error::Kept { version: id.clone(), detail });
        }
        let lease = self.layout().version(id).join(LEASE);
        let _unleased = match lock::try_exclusive(&lease) {
            Err(FileError::Contended { .. }) => return Err(Error::Busy { path: lease }),
            unleased => unleased?,
        };
        self.forget(&version, self.last_sequence()?)?;
        history::record(self.layout(), Event::Discarded, id, None);
        Ok(())
    }

    /// Removes a version for good; `last` is the highest sequence.
    fn forget(&self, version: &VersionInfo, last: u64) -> Result<()> {
        self.require_lock()?;
        if version.sequence == last {
            // Its sequence, and so the beginning of its id, would be given away again.
            UsedIds::read(self.layout())?.add_floor(self.layout(), last)?;
        }
        self.remove_version(&version.id)
    }

    /// The current version, first, the one that `rollback` leads to, and the tagged ones.
    fn protected(&self) -> Result<Protected> {
        let layout = self.layout();
        let mut protected = Protected { current: current::read(layout)?, others: BTreeSet::new() };
        if let Some(current) = &protected.current {
            protected.others.extend(StateFile::read(&layout.version(current), current)?.previous);
        }
        let tags = Tags::read(layout)?;
        protected.others.extend(self.store().ids()?.into_iter().filter(|id| tags.name(id)));
        Ok(protected)
    }
}

/// Versions that are never removed.
struct Protected {
    current: Option<VersionId>,
    others: BTreeSet<VersionId>,
}

impl Protected {
    fn holds(&self, id: &VersionId) -> bool {
        self.current.as_ref() == Some(id) || self.others.contains(id)
    }
}

/// The versions, given in the order of their sequence, that are published and not counted, or older than all that are.
fn surplus<'a>(versions: &'a [VersionInfo], keep: &Keep, current: Option<&VersionId>) -> BTreeSet<&'a VersionId> {
    let is_current = |version: &&VersionInfo| Some(&version.id) == current;
    let published = versions.iter().rev().filter(|version| version.state == State::Published && !is_current(version));
    // The current version counts first, wherever it is in the order.
    let counted = versions.iter().find(is_current).into_iter().chain(published).take(keep.versions.max(1) as usize);
    let counted: BTreeSet<u64> = counted.map(|version| version.sequence).collect();
    let oldest = counted.first().copied().unwrap_or(0);
    let too_old = |version: &VersionInfo| match version.state {
        State::Published => !counted.contains(&version.sequence),
        State::Prepared | State::Withdrawn => version.sequence < oldest,
    };
    let young = |version: &VersionInfo| {
        let age = Duration::from_millis(now_ms().saturating_sub(version.created));
        keep.days.is_some_and(|days| age.as_secs_f64() < days * SECONDS_PER_DAY)
    };
    versions.iter().filter(|version| too_old(version) && !young(version)).map(|version| &version.id).collect()
}
