//! Sharing files with an earlier version: by a second name for the same file, by a clone that shares its blocks, or by a copy.

use std::{os::unix::fs::PermissionsExt, path::Path};

use cutover_durable::fs::{self, Written};

use crate::{Draft, Error, Result, Snapshot, artifacts::is_within, collect::seal, layout::of_artifact, store::Sharing};

impl Draft {
    /// Shares every file of the version that `from` holds, but the artifacts in `except` and what would lie in their way. Artifacts
    /// of an adopted version move to where those of our own versions are. `from`'s content and counts are the caller's to pass on.
    ///
    /// # Errors
    /// As [`Draft::link`].
    pub fn inherit(&self, from: &Snapshot, except: &[&str]) -> Result<()> {
        for file in &from.manifest().files {
            match from.manifest().artifact_file(&file.name) {
                None => self.link(from, &file.name)?,
                Some(name) if except.iter().any(|other| is_within(name, other) || is_within(other, name)) => {}
                Some(name) => self.link_as(from, &file.name, &of_artifact(name))?,
            }
        }
        Ok(())
    }

    /// Shares the file called `name` with the version that `from` holds: by a hard link, else by a clone or a copy that is compared
    /// with the digest it was published with.
    ///
    /// # Errors
    /// [`Error::Corrupt`] when the copy is not what was published, or `from` has no such file. Code `CUTOVER_NO_SPACE` before a copy
    /// that the disk has no room for.
    pub fn link(&self, from: &Snapshot, name: &str) -> Result<()> {
        self.link_as(from, name, name)
    }

    fn link_as(&self, from: &Snapshot, name: &str, as_name: &str) -> Result<()> {
        let (Some(entry), Some(digest)) = (from.manifest().file(name), from.digest(name)) else {
            return Err(Error::corrupt(from.directory(), Some(from.id()), format!("it has no file {name:?}")));
        };
        let source = from.path(name)?;
        let actual = fs::metadata(&source)?;
        if !actual.is_file() || actual.len() != entry.bytes {
            let actual = actual.is_file().then_some(actual.len());
            return Err(Error::SizeMismatch {
                version: from.id().clone(),
                file: name.to_owned(),
                expected: entry.bytes,
                actual,
            });
        }
        let published = Written { bytes: entry.bytes, digest };
        self.reserve(as_name)?;
        let target = self.directory().join(as_name);
        // The files of an adopted version stayed as other software made them; a file that can be written is not shared.
        let writable = actual.permissions().mode() & 0o222 != 0;
        if !writable {
            match fs::link(&source, &target) {
                Ok(()) => return self.record(as_name, published),
                Err(error) if error.is_no_space() || error.is_already_exists() => return Err(error.into()),
                Err(_) => {}
            }
        }
        let (written, sharing) = self.duplicate(&source, &target, entry.bytes, &|| false)?;
        if !writable {
            self.writer()?.store().note_sharing(sharing);
        }
        if written != published {
            let detail = "it does not have the digest it was published with";
            return Err(Error::corrupt(source, Some(from.id()), detail));
        }
        self.record(as_name, published)
    }

    /// Makes a file at `target` that holds what `source` holds, `bytes` long, finished; and how.
    pub(crate) fn duplicate(
        &self,
        source: &Path,
        target: &Path,
        bytes: u64,
        cancel: &dyn Fn() -> bool,
    ) -> Result<(Written, Sharing)> {
        if fs::clone_file(source, target)? {
            let written = seal(target, &mut |_| {}, cancel)?;
            return Ok((written, Sharing::Cloned));
        }
        Ok((self.copy(source, target, bytes, cancel)?, Sharing::Copied))
    }
}
