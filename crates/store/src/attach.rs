//! Bringing files from elsewhere into a draft.
//!
//! A copy shares its blocks with the original where the file system can do that. A move takes effect with the publish: until then
//! the files stay where they were, so that a draft that is abandoned, or a crash, costs nobody their only copy. They are linked into
//! the draft where that makes the version's file a file of its own, else cloned or copied, and removed once the version lasts.

use std::{
    ops::ControlFlow,
    path::{Path, PathBuf},
    sync::PoisonError,
};

use cutover_durable::fs::{self, Kind, Written};

use crate::{
    Draft, Error, Result,
    collect::{require_stamp, seal},
    layout::of_artifact,
    name,
    tree::{self, Found, Tree},
};

/// Between two looks at the room that is left while a file is copied, in bytes.
const LOOK: u64 = 64 * 1024 * 1024;

/// What becomes of the original of an artifact.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum How {
    /// It stays.
    Copy,
    /// It is removed once the version is published, unless it changed since.
    Move,
}

/// Files to be removed once the draft is published, and the directories they were in.
#[derive(Debug, Default)]
pub(crate) struct Moved {
    files: Vec<Found>,
    directories: Vec<PathBuf>,
}

impl Draft {
    /// Brings the file or directory at `from` in as the artifact called `name`: digested, synced and recorded.
    ///
    /// A link at `from` is followed for a copy; nothing in a directory is. A file that is moved becomes read-only at once.
    ///
    /// # Errors
    /// Before anything is copied: [`Error::InvalidName`], [`Error::ArtifactExists`], [`Error::NameClash`], and [`Error::Unfit`] for what is
    /// neither a regular file nor a directory with such. Then [`Error::Changed`] when somebody writes to a file meanwhile,
    /// [`Error::Cancelled`], and code `CUTOVER_NO_SPACE`. After any error nothing of the artifact is in the draft.
    pub fn attach(&self, name: &str, from: &Path, how: How, cancel: &dyn Fn() -> bool) -> Result<()> {
        name::check_artifact(name)?;
        self.require_open()?;
        let target = self.directory().join(of_artifact(name));
        if fs::kind(&target)?.is_some() {
            return Err(Error::ArtifactExists { name: name.to_owned() });
        }
        let tree = survey(name, from, how)?;
        self.require_distinct(&tree.files)?;
        let mut claimed = Vec::new();
        let result = self.bring(&tree, how, &mut claimed, cancel);
        if result.is_err() {
            let mut files = self.files();
            for name in &claimed {
                files.remove(name);
            }
            // What cannot be removed here makes the draft refuse to be completed.
            let _ = fs::remove_tree(&target);
        } else if how == How::Move {
            let mut moved = self.moved.lock().unwrap_or_else(PoisonError::into_inner);
            moved.files.extend(tree.files);
            moved.directories.extend(tree.directories);
        }
        result
    }

    fn bring(&self, tree: &Tree, how: How, claimed: &mut Vec<String>, cancel: &dyn Fn() -> bool) -> Result<()> {
        for file in &tree.files {
            let name = of_artifact(&file.name);
            self.reserve(&name)?;
            claimed.push(name);
        }
        for (file, name) in tree.files.iter().zip(claimed.iter()) {
            let written = self.place(file, &self.directory().join(name), how, cancel)?;
            require_stamp(file)?;
            self.record(name, written)?;
        }
        Ok(())
    }

    fn place(&self, file: &Found, target: &Path, how: How, cancel: &dyn Fn() -> bool) -> Result<Written> {
        // A file of another owner, or with more names, could be changed under the version.
        let exclusive = !file.linked && file.owner == cutover_durable::host::user();
        if how == How::Move && exclusive && fs::link(&file.path, target).is_ok() {
            return seal(target, &mut |_| {}, cancel);
        }
        Ok(self.duplicate(&file.path, target, file.stamp.bytes, cancel)?.0)
    }

    /// Copies `source`, `bytes` long, to a new file, and looks now and then whether there is room for the rest.
    pub(crate) fn copy(&self, source: &Path, target: &Path, bytes: u64, cancel: &dyn Fn() -> bool) -> Result<Written> {
        if cancel() {
            return Err(Error::Cancelled);
        }
        self.need(bytes)?;
        let mut copy = fs::create(target)?;
        let (mut done, mut looked, mut stopped) = (0, 0, None);
        let complete = fs::copy_stepwise(source, &mut copy, &mut |count| {
            done += count;
            if cancel() {
                stopped = Some(Error::Cancelled);
            } else if done > bytes {
                stopped = Some(Error::Changed { path: source.to_path_buf() });
            } else if done - looked >= LOOK {
                looked = done;
                stopped = self.need(bytes.saturating_sub(done)).err();
            }
            if stopped.is_some() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        })?;
        match stopped {
            Some(error) if !complete => Err(error),
            _ => Ok(copy.finish()?),
        }
    }

    /// Fails when a file that is to be moved was written to since it was brought in.
    pub(crate) fn require_unchanged_sources(&self) -> Result<()> {
        self.moved.lock().unwrap_or_else(PoisonError::into_inner).files.iter().try_for_each(require_stamp)
    }

    /// Removes what was moved into the version, which lasts now. What changed since, or cannot be removed, stays: it is a copy.
    pub(crate) fn remove_moved(&self) {
        let moved = std::mem::take(&mut *self.moved.lock().unwrap_or_else(PoisonError::into_inner));
        for file in &moved.files {
            if require_stamp(file).is_ok() {
                let _ = fs::remove_file(&file.path);
            }
        }
        for directory in moved.directories.iter().rev() {
            let _ = fs::remove_empty_dir(directory);
        }
    }
}

/// The files at `from`, under their names as artifacts.
fn survey(name: &str, from: &Path, how: How) -> Result<Tree> {
    let resolved = match fs::kind(from)? {
        Some(Kind::Symlink) if how == How::Copy => {
            std::fs::canonicalize(from).map_err(|source| cutover_durable::Error::io("follow", from, source))?
        }
        _ => from.to_path_buf(),
    };
    match fs::metadata(&resolved)?.file_type().into() {
        Kind::Directory => {
            let tree = tree::walk(&resolved, &format!("{name}/"))?;
            if tree.files.is_empty() {
                return Err(Error::Unfit { path: resolved, what: "it is an empty directory" });
            }
            Ok(tree)
        }
        Kind::File => Ok(Tree { files: vec![tree::file(&resolved, name)?], directories: Vec::new() }),
        kind => Err(tree::unfit(&resolved, kind)),
    }
}
