//! Step 1 of a write: what crashed writers left is settled, then removed.
//!
//! The writer lock proves that whoever wrote it is dead, so neither ages nor process ids are looked at. Only `CURRENT`, and the
//! state of the version it names, decide anything.

use std::path::Path;

use cutover_durable::{fs, fs::Kind, random, replace};

use crate::{
    Error, Result, VersionId, Writer, current,
    layout::{Layout, MANIFEST, Records, STATE, VersionName},
    state::{Stage, StateFile},
};

impl Writer {
    /// Makes what is missing of the layout, settles states, and removes dead drafts, versions still `publishing`, and trash.
    pub(crate) fn recover(&self) -> Result<()> {
        let layout = self.layout();
        let current = current::read(layout)?;
        if let Some(id) = &current
            && fs::kind(&layout.version(id))? != Some(Kind::Directory)
        {
            return Err(Error::corrupt(layout.current(), None, format!("it names {id}, which is not there")));
        }
        self.make_directories()?;
        if let Some(id) = &current {
            match self.require_settled(id) {
                // Versions can still be removed to make room; nothing else becomes current before this is settled.
                Err(Error::Durable(error)) if error.is_no_space() => {}
                settled => settled?,
            }
        }
        for entry in fs::list_dir(layout.root())? {
            if Layout::is_temporary(&entry.name) {
                fs::remove_tree(&layout.root().join(&entry.name))?;
            }
        }
        for entry in fs::list_dir(&layout.trash())? {
            fs::remove_tree(&layout.trash().join(&entry.name))?;
        }
        for entry in fs::list_dir(&layout.versions())? {
            let path = layout.versions().join(&entry.name);
            match Layout::parse_version(&entry.name) {
                VersionName::Staging => fs::remove_tree(&path)?,
                VersionName::Version(id) if entry.kind == Kind::Directory => {
                    self.clear(&id, current.as_ref() == Some(&id))?;
                }
                VersionName::Version(_) | VersionName::Foreign => {}
            }
        }
        self.point_link(current.as_ref());
        Ok(())
    }

    /// `versions` is made last: while it is missing, nothing before it is taken to last.
    pub(crate) fn make_directories(&self) -> Result<()> {
        let layout = self.layout();
        let is_new = match fs::kind(&layout.versions())? {
            None => true,
            Some(Kind::Directory) => false,
            Some(_) => return Err(Error::corrupt(layout.versions(), None, "it is not a directory")),
        };
        if is_new && let Some(parent) = layout.root().parent() {
            fs::sync_dir(parent)?;
        }
        let trash = make_directory(&layout.trash())?;
        if is_new {
            fs::append(&layout.used_ids(), b"")?;
        }
        if make_directory(&layout.versions())? || trash {
            fs::sync_dir(layout.root())?;
        }
        Ok(())
    }

    /// Settles what whoever made `id` current left to be written, because it died or failed. Asked before another version becomes
    /// current: what `id` is then depends on its state alone.
    pub(crate) fn require_settled(&self, id: &VersionId) -> Result<()> {
        let settled = self.unsettled(id).and_then(|state| {
            let Some(state) = state else { return Ok(()) };
            // That may not last yet: nothing is drawn from it before it does.
            fs::sync_dir(self.layout().root())?;
            self.settle(id, state)
        });
        match settled {
            // Damage of the current version must not keep a new one from being built.
            Err(Error::Corrupt { .. } | Error::Durable(cutover_durable::Error::Malformed { .. })) => Ok(()),
            Err(Error::Durable(error)) if error.is_not_found() => Ok(()),
            settled => settled,
        }
    }

    /// The state of `id`, which is current, if something that follows from that has not been written yet.
    pub(crate) fn unsettled(&self, id: &VersionId) -> Result<Option<StateFile>> {
        let state = StateFile::read(&self.layout().version(id), id)?;
        Ok((state.state != Stage::Published || state.withdraws.is_some()).then_some(state))
    }

    /// Writes down what follows from `id` being current, for it and for the version that its activation withdraws.
    pub(crate) fn settle(&self, id: &VersionId, mut state: StateFile) -> Result<()> {
        let layout = self.layout();
        if let Some(withdrawn) = state.withdraws.take().filter(|withdrawn| withdrawn != id) {
            let directory = layout.version(&withdrawn);
            if fs::kind(&directory)? == Some(Kind::Directory) {
                let mut state = StateFile::read(&directory, &withdrawn)?;
                if state.state != Stage::Withdrawn {
                    state.state = Stage::Withdrawn;
                    state.replace(&directory)?;
                }
            }
        }
        state.state = Stage::Published;
        state.replace(&layout.version(id))
    }

    /// Removes a version that was about to be published when its writer died, and half-written states of the others.
    fn clear(&self, id: &VersionId, is_current: bool) -> Result<()> {
        let directory = self.layout().version(id);
        match StateFile::read(&directory, id) {
            Ok(StateFile { state: Stage::Publishing, .. }) if !is_current => return self.remove_version(id),
            // Not of our making, or damaged: not ours to remove.
            _ => {}
        }
        let records = Records::of(&directory);
        for entry in fs::list_dir(records.directory())? {
            if Layout::is_temporary_state(&entry.name) {
                fs::remove_file(&records.directory().join(&entry.name))?;
            }
        }
        Ok(())
    }

    /// Removes a version: into the trash by one rename, then for good. Where a directory cannot be renamed it is first marked as one
    /// that the next writer removes, and goes manifest first.
    pub(crate) fn remove_version(&self, id: &VersionId) -> Result<()> {
        let layout = self.layout();
        let directory = layout.version(id);
        let trashed = layout.trashed(id, &random::suffix()?);
        match fs::rename_no_replace(&directory, &trashed) {
            Ok(()) => {
                fs::sync_dir(&layout.versions())?;
                fs::sync_dir(&layout.trash())?;
                Ok(fs::remove_tree(&trashed)?)
            }
            Err(error) if error.is_cross_device() => {
                let mut state = StateFile::read(&directory, id)?;
                state.state = Stage::Publishing;
                state.replace(&directory)?;
                let records = Records::of(&directory);
                fs::remove_file(&records.path(MANIFEST))?;
                // The state says that the rest is to be removed, so it goes last.
                for entry in fs::list_dir(&directory)? {
                    let path = directory.join(&entry.name);
                    if path != records.path(STATE) && path != records.directory() {
                        fs::remove_tree(&path)?;
                    }
                }
                Ok(fs::remove_tree(&directory)?)
            }
            Err(error) => Err(error.into()),
        }
    }

    /// Makes the symbolic link `current` lead to the current version, for tools that want a path. Nothing of ours reads it, so a
    /// failure changes nothing. Where case is ignored it would be `CURRENT` itself; anything but a link of that name is a user's.
    pub(crate) fn point_link(&self, current: Option<&VersionId>) {
        let Some(id) = current else { return };
        let link = self.layout().link();
        let target = Layout::link_target(id);
        match fs::kind(&link) {
            Ok(None) => {}
            Ok(Some(Kind::Symlink)) if std::fs::read_link(&link).is_ok_and(|found| found != target) => {}
            _ => return,
        }
        let _ = replace::replace_symlink(&link, &target);
    }
}

/// Makes a directory that others may list; whether it was missing.
fn make_directory(path: &Path) -> Result<bool> {
    match fs::kind(path)? {
        Some(Kind::Directory) => Ok(false),
        Some(_) => Err(Error::corrupt(path, None, "it is not a directory")),
        None => {
            fs::create_dir(path)?;
            fs::publish_dir_mode(path)?;
            Ok(true)
        }
    }
}
