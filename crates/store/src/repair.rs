//! Making a damaged index usable again, without losing anything that could still be of use.
//!
//! Repair holds the writer lock, but does not stop where an ordinary writer does: `CURRENT` may be missing, hold rubbish, or name
//! nothing. First it only looks: every version is read and compared with its digests ([`crate::Depth::Digests`]), and what is to
//! be done follows from that alone (plan.rs). Until then it can be cancelled; with `dry_run` it ends there. Then, in this order, each
//! step safe to be killed after, since a second repair finds the rest to be done:
//!
//! 1. What is missing of the layout is made; what the current version's state leaves to be written is written.
//! 2. In versions that are sound otherwise, a lost `.lease` and a lost or unreadable `state.json` are made again. A state that is lost
//!    says `published` for the current version, else `withdrawn`: that one comes back by name only. Attributes are lost with it.
//! 3. While it is not known what was current, a version in state `publishing` may have been: a sound one becomes `prepared`.
//! 4. `CURRENT` is pointed, by the steps of any activation, at the version asked for, which must be sound; else it stays on what it
//!    names, if that is sound or of a newer format; else at the newest sound version that was published and never withdrawn. If there
//!    is none, a damaged current version stays where it is, for a rebuild to replace; a `CURRENT` that names nothing is set aside.
//! 5. Damaged versions are set aside: renamed into `damaged/`, their ids kept from being used again. A process that holds one goes on
//!    with what it has open. Records of the index that cannot be read are set aside too and made again from what is there: tags
//!    that named nothing are dropped, ids of all versions are taken for used.
//! 6. What the lock proves dead is removed: drafts, `trash/`, half-written replacements, versions that were about to be published
//!    when their writer died and that `CURRENT`, being sound, does not name.
//! 7. The link `current` is pointed.
//!
//! It never deletes anything else, never writes into a version's files, never makes a manifest or digests anew (that would declare
//! damage to be right), never follows a link, and never chooses a withdrawn or prepared version that nobody named. A version of a
//! newer format is nothing it can judge: it stays. Running it again changes nothing.

use std::path::Path;

use cutover_durable::{
    Error as FileError, fs,
    lock::{self, LockWait, WriterLock},
    random,
};
use serde::Serialize;

use crate::{
    Error, Holder, Problem, Result, Store, VersionId, Writer,
    history::{self, Event},
    layout::LEASE,
    plan::{Plan, Record},
    publish::Stopwatch,
    reading::Reading,
    used_ids::UsedIds,
};

/// What a repair did, or would do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct RepairReport {
    /// The version that is current now.
    pub current: Option<VersionId>,
    /// Why that one.
    pub reason: String,
    /// What was moved into `damaged/`: ids of versions, and names of the index's own records.
    pub set_aside: Vec<String>,
    /// What was removed, relative to the index directory: only what was proved dead.
    pub removed: Vec<String>,
    /// What was wrong, whether or not it could be put right.
    pub problems: Vec<Problem>,
}

impl Store {
    /// Sets aside what is damaged, makes `to` current, or else what is best, and clears away what crashes left. With `dry_run` it
    /// says what it would do and touches nothing.
    ///
    /// `progress` is told bytes read and bytes to be read. `cancel` is heard until the first change.
    ///
    /// # Errors
    /// As [`Store::write`], except that no damage stops it; [`Error::NotFound`] and [`Error::Corrupt`] when `to` is not there or not
    /// sound, [`Error::NotAnIndex`] for a base directory that was not adopted: then nothing was changed.
    pub fn repair(
        &self,
        to: Option<&VersionId>,
        dry_run: bool,
        wait: LockWait,
        progress: &dyn Fn(u64, u64),
        cancel: &dyn Fn() -> bool,
    ) -> Result<RepairReport> {
        let mut reading = Reading::new(progress, cancel);
        if fs::kind(self.root())?.is_none() {
            return Err(Error::NotAnIndex { path: self.root().to_path_buf(), detail: "it does not exist".to_owned() });
        }
        if dry_run {
            let _lock = self.lock_to_look(wait, cancel)?;
            return Ok(Plan::make(self, to, &mut reading)?.report);
        }
        let writer = self.take_lock("repair", wait, cancel)?;
        let plan = Plan::make(self, to, &mut reading)?;
        reading.proceed()?;
        let stay = writer.carry_out(&plan)?;
        let mut report = plan.report;
        report.set_aside.retain(|name| !stay.contains(name));
        Ok(report)
    }
}

impl Store {
    /// The writer lock, for someone who only looks: where there is no lock file, or nothing can be written, nobody writes.
    fn lock_to_look(&self, wait: LockWait, cancel: &dyn Fn() -> bool) -> Result<Option<WriterLock>> {
        if fs::kind(&self.layout().lock())?.is_none() {
            return Ok(None);
        }
        match lock::wait(&self.layout().lock(), wait, cancel) {
            Err(FileError::Contended { .. }) => {
                Err(Error::Locked { path: self.root().to_path_buf(), holder: Holder::read(&self.layout().holder()) })
            }
            Err(FileError::Cancelled { .. }) => Err(Error::Cancelled),
            Err(FileError::Io { source, .. }) if source.kind() == std::io::ErrorKind::ReadOnlyFilesystem => Ok(None),
            lock => Ok(Some(lock?)),
        }
    }
}

impl Writer {
    /// Steps 1 to 7. Returns the versions that could not be set aside, because a directory cannot be renamed here.
    fn carry_out(&self, plan: &Plan) -> Result<Vec<String>> {
        let layout = self.layout();
        self.make_directories()?;
        if let Some(id) = &plan.settled {
            self.require_settled(id)?;
        }
        for id in &plan.leases {
            fs::create(&layout.version(id).join(LEASE))?.finish()?;
            fs::sync_dir(&layout.version(id))?;
        }
        for (id, state) in &plan.states {
            state.replace(&layout.version(id))?;
        }
        self.require_lock()?;
        if plan.current_aside {
            self.set_record_aside(&layout.current(), "CURRENT")?;
        }
        if let Some((id, state)) = &plan.becomes {
            state.replace(&layout.version(id))?;
            fs::sync_dir(&layout.versions())?;
            self.make_current(id, &mut Stopwatch::start())?;
            self.after_activation(id);
        }
        match &plan.used_ids {
            Record::Stays => {}
            Record::IsReplaced(ids) => UsedIds::replace(layout, ids, plan.floor)?,
            Record::IsSetAside(ids) => {
                self.set_record_aside(&layout.used_ids(), "used-ids")?;
                UsedIds::replace(layout, ids, plan.floor)?;
            }
        }
        let mut stay = Vec::new();
        for id in &plan.damaged {
            if !self.set_version_aside(id, plan.floor)? {
                stay.push(id.to_string());
            }
        }
        match &plan.tags {
            Record::Stays => {}
            Record::IsReplaced(tags) => tags.replace(layout)?,
            Record::IsSetAside(_) => self.set_record_aside(&layout.tags(), "tags.json")?,
        }
        for id in &plan.dead {
            self.remove_version(id)?;
        }
        for path in &plan.remains {
            fs::remove_tree(path)?;
        }
        self.point_link(plan.report.current.as_ref());
        if plan.changes()
            && let Some(id) = &plan.report.current
        {
            history::record(layout, Event::Repaired, id, None);
        }
        Ok(stay)
    }

    fn make_damaged(&self) -> Result<()> {
        let damaged = self.layout().damaged();
        if fs::kind(&damaged)?.is_none() {
            fs::create_dir(&damaged)?;
            fs::publish_dir_mode(&damaged)?;
            fs::sync_dir(self.layout().root())?;
        }
        Ok(())
    }

    /// Renames a version into `damaged/`; false where a directory cannot be renamed.
    fn set_version_aside(&self, id: &VersionId, floor: u64) -> Result<bool> {
        let layout = self.layout();
        self.make_damaged()?;
        let used = UsedIds::read(layout)?;
        if !used.contains(id) {
            used.add(layout, id)?;
        }
        if used.floor() < floor {
            UsedIds::read(layout)?.add_floor(layout, floor)?;
        }
        match fs::rename_no_replace(&layout.version(id), &layout.set_aside(id.as_str(), &random::suffix()?)) {
            Ok(()) => {}
            Err(error) if error.is_cross_device() => return Ok(false),
            Err(error) => return Err(error.into()),
        }
        // The new name lasts before the old one is gone for good.
        fs::sync_dir(&layout.damaged())?;
        fs::sync_dir(&layout.versions())?;
        Ok(true)
    }

    /// Renames a record of the index into `damaged/`; one that is not there is set aside already.
    fn set_record_aside(&self, path: &Path, name: &str) -> Result<()> {
        let layout = self.layout();
        self.make_damaged()?;
        match fs::rename_no_replace(path, &layout.set_aside(name, &random::suffix()?)) {
            Err(error) if !error.is_not_found() => return Err(error.into()),
            _ => {}
        }
        fs::sync_dir(&layout.damaged())?;
        Ok(fs::sync_dir(layout.root())?)
    }
}
