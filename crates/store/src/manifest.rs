//! `manifest.json`: what a version is and which files it has. Written once, before the version has its name.

use std::{collections::HashSet, path::Path};

use cutover_durable::fs;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{
    Error, Result, VersionId,
    layout::{ARTIFACTS, MANIFEST, Records},
    name,
};

/// The newest manifest format that this program reads, and the one it writes.
pub const FORMAT: u32 = 1;

/// The root of artifacts in an adopted version: the version's directory itself.
pub(crate) const HERE: &str = ".";

fn artifacts() -> String {
    ARTIFACTS.to_owned()
}

/// The largest manifest that is read, in bytes.
const LARGEST: usize = 64 * 1024 * 1024;

/// What a version was published with. It never changes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Manifest {
    /// The format of the manifest and of the version's directory.
    pub format: u32,
    /// The version.
    pub id: VersionId,
    /// Its place in the order of versions; larger is later.
    pub sequence: u64,
    /// The version that was current when this one was begun.
    pub parent: Option<VersionId>,
    /// When it was completed, in milliseconds since 1970. For people.
    pub created: u64,
    /// What its writer counted.
    pub counts: Counts,
    /// What the version contains, in the words of whoever wrote it.
    pub content: Value,
    /// The directory of the artifacts that users brought, relative to the version's: `artifacts`, or `.` in an adopted version.
    #[serde(default = "artifacts")]
    pub artifact_root: String,
    /// Its files, in the order of their names, without the version's own records.
    pub files: Vec<FileEntry>,
}

/// What the writer of a version counted.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Counts {
    /// Documents that the version shows.
    pub documents: u64,
    /// Documents that came more than once; the last one counted.
    pub duplicates: u64,
    /// Documents that were left out because they were not valid.
    pub skipped: u64,
    /// Documents that were taken over unchanged from an earlier version, and vectors that were not computed again.
    pub reused: u64,
}

/// One file of a version.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileEntry {
    /// Its name relative to the version's directory, parts joined by `/`.
    pub name: String,
    /// Its length in bytes.
    pub bytes: u64,
}

impl Manifest {
    /// The length of all files, in bytes. Files shared with other versions count in full.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.files.iter().fold(0, |sum, file| sum.saturating_add(file.bytes))
    }

    /// The entry of the file called `name`.
    #[must_use]
    pub fn file(&self, name: &str) -> Option<&FileEntry> {
        self.files.iter().find(|file| file.name == name)
    }

    /// Whether other software laid the version out, so that its files can have any name.
    pub(crate) fn is_adopted(&self) -> bool {
        self.artifact_root == HERE
    }

    /// The name of the artifact's file that the file called `name` is; `None` when it is not an artifact's.
    #[must_use]
    pub fn artifact_file<'a>(&self, name: &'a str) -> Option<&'a str> {
        if self.is_adopted() {
            return Some(name);
        }
        name.strip_prefix(&self.artifact_root)?.strip_prefix('/')
    }

    pub(crate) fn encode(&self) -> Result<Vec<u8>> {
        encode(self)
    }

    /// Reads the manifest in `directory`, which is to be that of the version `id`. Also returns its bytes.
    ///
    /// # Errors
    /// [`Error::FormatTooNew`] before anything else of it is looked at; [`Error::Corrupt`].
    pub(crate) fn read(directory: &Path, id: &VersionId) -> Result<(Self, Vec<u8>)> {
        let records = Records::of(directory);
        let path = records.path(MANIFEST);
        let bytes = fs::read_limited(&path, LARGEST)?;
        let corrupt = |detail: String| Error::corrupt(&path, Some(id), detail);
        let value: Value =
            serde_json::from_slice(&bytes).map_err(|error| corrupt(format!("it is not JSON: {error}")))?;
        let format = value.get("format").and_then(Value::as_u64).unwrap_or(0);
        if format > u64::from(FORMAT) {
            let found = u32::try_from(format).unwrap_or(u32::MAX);
            return Err(Error::FormatTooNew { version: id.clone(), found, supported: FORMAT });
        }
        let manifest: Self = serde_json::from_value(value).map_err(|error| corrupt(error.to_string()))?;
        manifest.check(id).map_err(corrupt)?;
        if records.adopted != manifest.is_adopted() {
            return Err(corrupt("it is not where the manifest of such a version is".to_owned()));
        }
        Ok((manifest, bytes))
    }

    fn check(&self, id: &VersionId) -> Result<(), String> {
        if self.format == 0 {
            return Err("it has no format".to_owned());
        }
        if self.id != *id {
            return Err(format!("it is the manifest of {}", self.id));
        }
        if ![ARTIFACTS, HERE].contains(&self.artifact_root.as_str()) {
            return Err(format!("its artifacts are not in {:?}", self.artifact_root));
        }
        let mut names = HashSet::with_capacity(self.files.len());
        for file in &self.files {
            let checked = if self.is_adopted() { name::check_adopted(&file.name) } else { name::check(&file.name) };
            checked.map_err(|error| error.to_string())?;
            if !names.insert(&file.name) {
                return Err(format!("it lists {:?} twice", file.name));
            }
        }
        Ok(())
    }
}

/// JSON for people to read too, with a newline at its end.
pub(crate) fn encode(value: &impl Serialize) -> Result<Vec<u8>> {
    let mut bytes = serde_json::to_vec_pretty(value)
        .map_err(|error| Error::Misuse { detail: format!("cannot be written as JSON: {error}") })?;
    bytes.push(b'\n');
    Ok(bytes)
}
