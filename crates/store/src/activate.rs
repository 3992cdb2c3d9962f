//! Making an existing version current: by name, or by rolling back.

use std::time::Duration;

use cutover_durable::{fs, fs::Kind};

use crate::{
    Error, Result, VersionId, VersionInfo, Writer,
    history::{self, Event},
    publish::Stopwatch,
    snapshot::check_files,
    state::{Stage, StateFile},
    tags::Tags,
};

/// A version that was made current, and what that took.
#[derive(Debug, Clone)]
pub struct Activated {
    /// The version that is current now.
    pub info: VersionInfo,
    /// Whether it was not current before.
    pub changed: bool,
    /// Until readers could see it; zero when nothing changed.
    pub visible: Duration,
    /// Until a power cut could not undo it.
    pub durable: Duration,
    /// How much of `durable` was spent in syncs: the device's part.
    pub flushing: Duration,
}

impl Writer {
    /// Makes a prepared, published or withdrawn version current. Nothing changes when it is already.
    ///
    /// # Errors
    /// [`Error::NotFound`]; [`Error::Conflict`] unless `if_current`, where given, is current; [`Error::SizeMismatch`] and other damage
    /// of the version; [`Error::Indeterminate`].
    pub fn activate(&mut self, id: &VersionId, if_current: Option<&VersionId>) -> Result<Activated> {
        let current = self.require_current(if_current)?;
        self.switch(id, current.as_ref(), None)
    }

    /// Makes the version that was current before the current one, or `to`, current, and marks the one left behind as withdrawn: it
    /// comes back only by name.
    ///
    /// # Errors
    /// As [`Writer::activate`], and [`Error::Empty`] when nothing is current, [`Error::NoRollbackTarget`] when, without `to`, the
    /// version before is unknown, gone, or withdrawn itself.
    pub fn rollback(&mut self, to: Option<&VersionId>, if_current: Option<&VersionId>) -> Result<Activated> {
        let current = self.require_current(if_current)?;
        let current = current.ok_or_else(|| Error::Empty { path: self.store().root().to_path_buf() })?;
        match to {
            Some(to) => self.switch(to, Some(&current), Some(&current)),
            None => self.switch(&self.version_before(&current)?, Some(&current), Some(&current)),
        }
    }

    /// Where [`Writer::rollback`] leads without a target.
    ///
    /// # Errors
    /// [`Error::Empty`] and [`Error::NoRollbackTarget`], as there.
    pub fn rollback_target(&self) -> Result<VersionId> {
        let current = self.require_current(None)?;
        self.version_before(&current.ok_or_else(|| Error::Empty { path: self.store().root().to_path_buf() })?)
    }

    fn version_before(&self, current: &VersionId) -> Result<VersionId> {
        let refuse = |detail: String| Error::NoRollbackTarget { current: current.clone(), detail };
        let directory = |id: &VersionId| self.layout().version(id);
        let previous = StateFile::read(&directory(current), current)?.previous;
        let previous = previous.ok_or_else(|| refuse("no version was current before it".to_owned()))?;
        if fs::kind(&directory(&previous))? != Some(Kind::Directory) {
            return Err(refuse(format!("{previous}, which was current before it, is gone; name another")));
        }
        if StateFile::read(&directory(&previous), &previous)?.state == Stage::Withdrawn {
            return Err(refuse(format!(
                "{previous}, which was current before it, was withdrawn and comes back only by name"
            )));
        }
        Ok(previous)
    }

    fn switch(&self, id: &VersionId, current: Option<&VersionId>, withdraws: Option<&VersionId>) -> Result<Activated> {
        let is_current = current == Some(id);
        let loaded = self.store().load(id, is_current)?;
        let directory = self.layout().version(id);
        check_files(&directory, &loaded.manifest)?;
        if let Some(damage) = self.store().damage(id) {
            return Err(damage);
        }
        let mut activated = Activated {
            // Being current implies being published.
            info: loaded.info(true, &Tags::read(self.layout())?),
            changed: !is_current,
            visible: Duration::ZERO,
            durable: Duration::ZERO,
            flushing: Duration::ZERO,
        };
        if is_current {
            return Ok(activated);
        }
        self.require_lock()?;
        if let Some(current) = current {
            self.require_settled(current)?;
        }
        let mut state = loaded.state;
        state.previous = current.cloned();
        state.withdraws = withdraws.cloned();
        state.replace(&directory)?;
        let mut watch = Stopwatch::start();
        // Whoever gave the version its name may have died before that lasted.
        watch.flush(|| fs::sync_dir(&self.layout().versions()))?;
        activated.visible = self.make_current(id, &mut watch)?;
        activated.durable = watch.elapsed();
        activated.flushing = watch.flushing;
        self.after_activation(id);
        let event = if withdraws.is_some() { Event::RolledBack } else { Event::Activated };
        history::record(self.layout(), event, id, current);
        Ok(activated)
    }
}
