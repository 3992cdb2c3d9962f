//! What is said about a version to those who list, serve or choose one.

use std::path::Path;

use cutover_durable::Digest;
use serde::{Serialize, Serializer};
use serde_json::{Map, Value};

use crate::{
    Counts, Error, Manifest, Result, VersionId,
    layout::{MANIFEST, Records, SUMS},
    state::{Stage, StateFile},
    sums::{self, Sums},
    tags::Tags,
};

/// How far a version has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum State {
    /// Complete, never current.
    Prepared,
    /// Current, or current once.
    Published,
    /// Rolled back from; made current again only by name.
    Withdrawn,
}

/// One version. State, attributes and tags are as they were when this was read; the rest never changes.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct VersionInfo {
    /// The version's id, never used twice in its index.
    pub id: VersionId,
    /// Its place in the order of versions.
    pub sequence: u64,
    /// The version that was current when this one was begun.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub parent: Option<VersionId>,
    /// When it was completed, in milliseconds since 1970.
    pub created: u64,
    /// How far it has come.
    pub state: State,
    /// Documents that it shows.
    pub documents: u64,
    /// The length of its files, in bytes; files shared with other versions count in full.
    pub bytes: u64,
    /// The SHA-256 of its `SHA256SUMS`: what it contains, wherever it is.
    #[serde(serialize_with = "as_text")]
    pub digest: Digest,
    /// What users attached.
    pub attributes: Map<String, Value>,
    /// The tags that name it, in order.
    pub tags: Vec<String>,
    /// What its writer counted.
    pub counts: Counts,
}

fn as_text<S: Serializer>(digest: &Digest, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(digest)
}

/// All that is read of a version before its files.
pub(crate) struct Loaded {
    pub manifest: Manifest,
    pub state: StateFile,
    pub sums: Sums,
    pub digest: Digest,
}

impl Loaded {
    /// Reads a version's records and makes sure that they belong together.
    ///
    /// # Errors
    /// [`Error::FormatTooNew`], [`Error::Corrupt`], or an error of a file that is not there.
    pub fn read(directory: &Path, id: &VersionId) -> Result<Self> {
        let (manifest, bytes) = Manifest::read(directory, id)?;
        let (sums, digest) = sums::read(directory, id)?;
        let records = Records::of(directory);
        let corrupt = |detail: String| Error::corrupt(records.path(SUMS), Some(id), detail);
        if sums.get(&records.name(MANIFEST)) != Some(&Digest::of(&bytes)) {
            return Err(Error::corrupt(records.path(MANIFEST), Some(id), "its digest is not the one in SHA256SUMS"));
        }
        if let Some(file) = manifest.files.iter().find(|file| !sums.contains_key(&file.name)) {
            return Err(corrupt(format!("it has no digest of {:?}", file.name)));
        }
        let state = StateFile::read(directory, id)?;
        Ok(Self { manifest, state, sums, digest })
    }

    /// What is said about the version. Being current implies having been published, whatever the state says.
    pub fn info(&self, is_current: bool, tags: &Tags) -> VersionInfo {
        let Manifest { id, sequence, parent, created, counts, .. } = &self.manifest;
        let state = match self.state.state {
            _ if is_current => State::Published,
            Stage::Prepared => State::Prepared,
            Stage::Withdrawn => State::Withdrawn,
            Stage::Published | Stage::Publishing => State::Published,
        };
        VersionInfo {
            id: id.clone(),
            sequence: *sequence,
            parent: parent.clone(),
            created: *created,
            state,
            documents: counts.documents,
            bytes: self.manifest.bytes(),
            digest: self.digest,
            attributes: self.state.attributes.clone(),
            tags: tags.of(id),
            counts: *counts,
        }
    }
}
