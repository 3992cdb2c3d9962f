//! Where the artifacts of a version are: files and directories that users brought.

use std::path::PathBuf;

use crate::{Error, Result, Snapshot, name};

impl Snapshot {
    /// The directory that the artifacts are in. It is missing when the version was published without any.
    #[must_use]
    pub fn artifacts(&self) -> PathBuf {
        // Joining `.` changes the directory's spelling, never the directory.
        match self.manifest().artifact_root.as_str() {
            "." => self.directory().to_path_buf(),
            root => self.directory().join(root),
        }
    }

    /// The path of an artifact: a file, or a directory that holds at least one.
    ///
    /// # Errors
    /// [`Error::InvalidName`]; [`Error::MissingArtifact`] when the version has none of that name.
    pub fn artifact(&self, name: &str) -> Result<PathBuf> {
        name::check_artifact(name)?;
        if self.artifact_files().any(|file| is_within(file, name)) {
            Ok(self.artifacts().join(name))
        } else {
            Err(Error::MissingArtifact { name: name.to_owned() })
        }
    }

    /// The names of the artifacts, in order: what is directly in [`Snapshot::artifacts`], files and directories alike.
    #[must_use]
    pub fn artifact_names(&self) -> Vec<String> {
        let mut names: Vec<&str> = self.artifact_files().filter_map(|file| file.split('/').next()).collect();
        names.sort_unstable();
        names.dedup();
        names.into_iter().map(str::to_owned).collect()
    }

    fn artifact_files(&self) -> impl Iterator<Item = &str> {
        self.manifest().files.iter().filter_map(|file| self.manifest().artifact_file(&file.name))
    }
}

/// Whether `file` is `name` itself, or below the directory of that name.
pub(crate) fn is_within(file: &str, name: &str) -> bool {
    file.strip_prefix(name).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}
