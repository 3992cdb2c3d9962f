//! `state.json`: what may change about a version. Replaced by rename, never part of what is digested.

use std::path::Path;

use cutover_durable::{fs, replace};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::{
    Error, Result, VersionId,
    layout::{Records, STATE},
    manifest::encode,
};

/// The largest state file that is read, in bytes. Attributes are small.
const LARGEST: usize = 16 * 1024 * 1024;

/// How far a version has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Stage {
    /// Complete, and about to become current: dead when no writer lives and it is not current.
    Publishing,
    /// Complete, and to stay so until it is activated by name.
    Prepared,
    /// Was made current.
    Published,
    /// Was rolled back from; returns only by name.
    Withdrawn,
}

/// The content of `state.json`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct StateFile {
    pub state: Stage,
    /// The version that was current when this one was last made current (or is about to be). Where `rollback` leads.
    #[serde(default)]
    pub previous: Option<VersionId>,
    /// The version that this one's activation withdraws. Set before `CURRENT` changes, gone once it is settled.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub withdraws: Option<VersionId>,
    /// What users attached.
    #[serde(default)]
    pub attributes: Map<String, Value>,
}

impl StateFile {
    /// Reads the state of the version in `directory`.
    pub fn read(directory: &Path, id: &VersionId) -> Result<Self> {
        let path = Records::of(directory).path(STATE);
        let bytes = fs::read_limited(&path, LARGEST)?;
        serde_json::from_slice(&bytes).map_err(|error| Error::corrupt(&path, Some(id), error.to_string()))
    }

    /// Replaces the state of the version in `directory` and returns once it lasts.
    pub fn replace(&self, directory: &Path) -> Result<()> {
        Ok(replace::replace_file(&Records::of(directory).path(STATE), &encode(self)?)?)
    }

    /// Writes the state of a draft. The caller syncs the directory.
    pub fn write(&self, directory: &Path) -> Result<()> {
        Ok(replace::stage(&Records::of(directory).path(STATE), &encode(self)?)?.swap()?)
    }
}
