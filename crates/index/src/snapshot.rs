//! One version, open: its segments mapped, its lease held. Every query runs on exactly one snapshot.

use crate::allowed::{Allowed, FilterCache};
use crate::cancel::Cancel;
use crate::error::{Error, Result};
use crate::schema::Schema;
use crate::segment::{SegmentCache, SegmentEntry, SegmentView, disagree};
use cutover_store::{VersionId, VersionInfo};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

/// What the index layer keeps in a version's manifest.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Content {
    pub schema: Value,
    /// The embedding model of each vector field whose writer named one.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub models: BTreeMap<String, String>,
    pub segments: Vec<SegmentEntry>,
}

/// A reader's hold on one version.
pub struct Snapshot {
    // Segments before the lease: fields drop in this order, and what is mapped must not outlive the lease.
    pub(crate) segments: Vec<SegmentView>,
    pub(crate) schema: Arc<Schema>,
    models: BTreeMap<String, String>,
    /// What it shows, which is what no filter allows.
    pub(crate) all: Arc<Allowed>,
    pub(crate) filters: FilterCache,
    held: cutover_store::Snapshot,
}

impl Snapshot {
    /// Maps a version that the store holds for us. Segments that another snapshot of this index has open are shared.
    pub(crate) fn open(held: cutover_store::Snapshot, cache: &SegmentCache) -> Result<Self> {
        let content: Content = serde_json::from_value(held.manifest().content.clone())
            .map_err(|e| corrupt(&held, format!("what it says of the index: {e}")))?;
        let schema = Schema::from_json(&content.schema.to_string()).map_err(|e| corrupt(&held, e.to_string()))?;
        let mut segments = Vec::with_capacity(content.segments.len());
        for entry in &content.segments {
            segments.push(SegmentView::open(&held, entry, &schema, cache)?);
        }
        let shown: usize = segments.iter().map(SegmentView::documents).sum();
        if shown as u64 != held.manifest().counts.documents {
            let expected = held.manifest().counts.documents;
            return Err(disagree(
                &held,
                "",
                format!("its segments show {shown} documents, the manifest says {expected}"),
            ));
        }
        let all = Arc::new(Allowed::all(&segments));
        Ok(Self {
            segments,
            schema: Arc::new(schema),
            models: content.models,
            all,
            filters: FilterCache::default(),
            held,
        })
    }

    /// The version's id.
    #[must_use]
    pub fn id(&self) -> &VersionId {
        self.held.id()
    }

    /// What is known of the version.
    #[must_use]
    pub fn info(&self) -> &VersionInfo {
        self.held.info()
    }

    /// The schema that the version was written with.
    #[must_use]
    pub fn schema(&self) -> &Schema {
        &self.schema
    }

    /// The embedding model of each vector field whose writer named one.
    #[must_use]
    pub fn models(&self) -> &BTreeMap<String, String> {
        &self.models
    }

    /// What one must know of the version to embed a query for it: `{models: {field: model}, vectors: {field: dimensions}}`.
    #[must_use]
    pub fn embedding_facts(&self) -> Value {
        let vectors = self.schema.vectors().iter().map(|(name, parameters)| (name, parameters.dimensions));
        json!({ "models": self.models, "vectors": vectors.collect::<BTreeMap<_, _>>() })
    }

    /// The path of an artifact that the user attached to the version.
    ///
    /// # Errors
    /// [`Error::Store`] when the version has no artifact of this name.
    pub fn artifact(&self, name: &str) -> Result<PathBuf> {
        Ok(self.held.artifact(name)?)
    }

    /// Where a live document is.
    pub(crate) fn locate(&self, id: &str) -> Result<Option<(usize, u32)>> {
        for (at, view) in self.segments.iter().enumerate() {
            // A later segment's document replaces an earlier one's, whose ordinal is then dead.
            if let Some(ordinal) = view.ordinal(id)? {
                return Ok(Some((at, ordinal)));
            }
        }
        Ok(None)
    }

    /// Documents that a filter allows; all of them without one.
    ///
    /// # Errors
    /// [`Error::Type`] and [`Error::Range`] for a filter that does not fit the schema.
    pub fn count(&self, filter: Option<&Value>) -> Result<u64> {
        Ok(self.allowed(filter, &Cancel::default())?.documents)
    }

    /// Up to `limit` live documents in the order of their ids, after the id `after`.
    pub(crate) fn page(&self, after: Option<&str>, limit: usize, filter: Option<&Value>) -> Result<Vec<(usize, u32)>> {
        let allowed = self.allowed(filter, &Cancel::default())?;
        let mut found: Vec<(Vec<u8>, usize, u32)> = Vec::new();
        for (at, view) in self.segments.iter().enumerate() {
            let allowed = allowed.of(at);
            let mut here = 0;
            view.segment.ids.walk(after, |id, ordinal| {
                if allowed.is_none_or(|bits| bits.contains(ordinal as usize)) {
                    found.push((id.to_vec(), at, ordinal));
                    here += 1;
                }
                Ok(here < limit)
            })?;
        }
        found.sort_unstable();
        found.truncate(limit);
        Ok(found.into_iter().map(|(_, at, ordinal)| (at, ordinal)).collect())
    }
}

fn corrupt(held: &cutover_store::Snapshot, detail: String) -> Error {
    Error::Corrupt { version: held.id().to_string(), file: "manifest.json".into(), detail }
}
