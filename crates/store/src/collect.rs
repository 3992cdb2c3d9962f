//! Taking in what a caller wrote into a draft with tools of its own: every file is checked, digested, made read-only and synced.

use std::{
    ops::ControlFlow,
    path::{Path, PathBuf},
};

use cutover_durable::fs::{self, Kind, Written};

use crate::{
    Draft, Error, Result,
    artifacts::is_within,
    layout::{ARTIFACTS, artifact_file, of_artifact},
    tree::{self, Found},
};

/// Where a file that has another name outside the draft is copied to, before it takes that file's place.
const UNSHARED: &str = ".unshared";

impl Draft {
    /// The directory where callers write files of their own, made at the first call. [`Draft::collect`] takes them in.
    ///
    /// # Errors
    /// [`Error::Misuse`] once the draft is complete.
    pub fn artifacts(&self) -> Result<PathBuf> {
        self.require_open()?;
        let directory = self.directory().join(ARTIFACTS);
        match fs::create_dir(&directory) {
            Err(error) if !error.is_already_exists() => Err(error.into()),
            _ => Ok(directory),
        }
    }

    /// Takes in every file below [`Draft::artifacts`] that the draft does not know: digests and syncs it and makes it read-only. Then
    /// nobody writes there any more. A file that has another name, under which others could change it, is copied.
    ///
    /// `progress` is told the bytes read so far and those to be read. It can be called again after files were added.
    ///
    /// # Errors
    /// Before anything is read: [`Error::Unfit`] for a link, a device, a FIFO, an empty directory; [`Error::NameClash`];
    /// [`Error::InvalidName`]; [`Error::MissingArtifact`] unless each of `required` is there, a file or a directory. Then
    /// [`Error::Changed`] when somebody still writes, and [`Error::Cancelled`]. It can be called again after any of them.
    pub fn collect(&self, required: &[String], progress: &dyn Fn(u64, u64), cancel: &dyn Fn() -> bool) -> Result<()> {
        self.require_open()?;
        let found = self.uncollected()?;
        self.require_artifacts(required, &found)?;
        let total = found.iter().map(|file| file.stamp.bytes).sum();
        self.require_distinct(&found)?;
        let mut done = 0;
        progress(done, total);
        for file in &found {
            if file.linked {
                self.unshare(file, cancel)?;
            }
            let mut count = |bytes| {
                done += bytes;
                progress(done, total);
            };
            let written = seal(&file.path, &mut count, cancel)?;
            self.files().insert(of_artifact(&file.name), Some(written));
        }
        Ok(())
    }

    /// What is below the directory of the artifacts and was not created, linked, attached or collected.
    fn uncollected(&self) -> Result<Vec<Found>> {
        let directory = self.directory().join(ARTIFACTS);
        if fs::kind(&directory)? != Some(Kind::Directory) {
            return match fs::kind(&directory)? {
                None => Ok(Vec::new()),
                Some(kind) => Err(tree::unfit(&directory, kind)),
            };
        }
        let known = self.files();
        let mut files = tree::walk(&directory, "")?.files;
        files.retain(|file| !known.contains_key(&of_artifact(&file.name)));
        Ok(files)
    }

    fn require_artifacts(&self, required: &[String], found: &[Found]) -> Result<()> {
        let known = self.files();
        let names = || known.keys().filter_map(|name| artifact_file(name)).chain(found.iter().map(|file| &*file.name));
        match required.iter().find(|required| !names().any(|name| is_within(name, required))) {
            Some(missing) => Err(Error::MissingArtifact { name: missing.clone() }),
            None => Ok(()),
        }
    }

    /// Replaces a file that has another name by a copy that has none.
    fn unshare(&self, file: &Found, cancel: &dyn Fn() -> bool) -> Result<()> {
        let copy = self.directory().join(UNSHARED);
        self.duplicate(&file.path, &copy, file.stamp.bytes, cancel)?;
        require_stamp(file)?;
        Ok(fs::rename(&copy, &file.path)?)
    }
}

/// Fails when the file is not as it was found.
pub(crate) fn require_stamp(file: &Found) -> Result<()> {
    match fs::metadata(&file.path) {
        Ok(metadata) if metadata.is_file() && fs::Stamp::from(&metadata) == file.stamp => Ok(()),
        Err(error) if !error.is_not_found() => Err(error.into()),
        _ => Err(Error::Changed { path: file.path.clone() }),
    }
}

/// Finishes a file that another program wrote. `count` is told the bytes of each block.
pub(crate) fn seal(path: &Path, count: &mut dyn FnMut(u64), cancel: &dyn Fn() -> bool) -> Result<Written> {
    let mut cancelled = cancel();
    if cancelled {
        return Err(Error::Cancelled);
    }
    let sealed = fs::seal(path, &mut |bytes| {
        count(bytes);
        cancelled = cancel();
        if cancelled { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    })?;
    match sealed {
        Some(written) => Ok(written),
        None if cancelled => Err(Error::Cancelled),
        None => Err(Error::Changed { path: path.to_path_buf() }),
    }
}
