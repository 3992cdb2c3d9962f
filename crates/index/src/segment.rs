//! A mapped segment, shared by every snapshot whose version links it, and one version's view of it.

use crate::documents::Documents;
use crate::error::{Error, Result};
use crate::ids::Ids;
use crate::schema::Schema;
use crate::segment_builder::path;
use crate::tombstones;
use cutover_store::Snapshot;
use cutover_text::TextIndex;
use cutover_vectors::{Filter, VectorIndex};
use serde::{Deserialize, Serialize};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError, Weak};

/// A segment as a version's manifest lists it.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct SegmentEntry {
    /// Unique in the index for ever.
    pub name: String,
    /// Documents in the segment, dead ones included.
    pub documents: u32,
    /// Documents that this version no longer shows; none means there is no tombstones file.
    pub dead: u32,
}

/// The files of one segment, mapped.
pub(crate) struct Segment {
    pub name: String,
    pub documents: Documents,
    pub ids: Ids,
    pub text: TextIndex,
    /// By the schema's number of the vector field.
    pub vectors: Vec<VectorIndex>,
}

impl Segment {
    fn open(snapshot: &Snapshot, entry: &SegmentEntry, schema: &Schema) -> Result<Self> {
        let map = |file: &str| snapshot.map(&path(&entry.name, file));
        let documents = Documents::open(map("documents")?)?;
        let ids = Ids::open(map("ids")?)?;
        let text = TextIndex::open(map("text")?, schema.searchable())?;
        let mut vectors = Vec::with_capacity(schema.vectors().len());
        for (field, parameters) in schema.vectors() {
            let index = VectorIndex::open(map(&format!("{field}.graph"))?, map(&format!("{field}.full"))?)
                .map_err(Error::vectors(field))?;
            if index.dimensions() != parameters.dimensions || index.metric() != parameters.metric {
                let detail = format!("the vectors of {field:?} are not of the schema's dimensions and metric");
                return Err(disagree(snapshot, &entry.name, detail));
            }
            if index.ordinal_bound() > u64::from(entry.documents) {
                let detail = format!("the vectors of {field:?} belong to more than {} documents", entry.documents);
                return Err(disagree(snapshot, &entry.name, detail));
            }
            vectors.push(index);
        }
        let counts = [("documents", documents.len()), ("ids", ids.len()), ("text", text.len())];
        for (file, count) in counts {
            if count != entry.documents {
                let detail = format!("{file} holds {count} documents, the manifest says {}", entry.documents);
                return Err(disagree(snapshot, &entry.name, detail));
            }
        }
        Ok(Self { name: entry.name.clone(), documents, ids, text, vectors })
    }
}

pub(crate) fn disagree(snapshot: &Snapshot, segment: &str, detail: String) -> Error {
    Error::Corrupt { version: snapshot.id().to_string(), file: format!("segments/{segment}"), detail }
}

/// A segment of an open version whose bytes turned out to be damaged.
pub(crate) fn broken(snapshot: &crate::snapshot::Snapshot, segment: usize, detail: &str) -> Error {
    let file = format!("segments/{}", snapshot.segments[segment].segment.name);
    Error::Corrupt { version: snapshot.id().to_string(), file, detail: detail.to_owned() }
}

/// Segments that some snapshot of this index holds, by name, so that versions that share a segment share its maps.
#[derive(Default)]
pub(crate) struct SegmentCache {
    open: Mutex<HashMap<String, Weak<Segment>>>,
}

impl SegmentCache {
    fn get(&self, snapshot: &Snapshot, entry: &SegmentEntry, schema: &Schema) -> Result<Arc<Segment>> {
        let cached = || {
            let open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
            open.get(&entry.name).and_then(Weak::upgrade)
        };
        // Opened outside the lock: two openers at once cost a map, not a wait.
        let segment = match cached() {
            Some(segment) => segment,
            None => Arc::new(Segment::open(snapshot, entry, schema)?),
        };
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        open.retain(|_, segment| segment.strong_count() > 0);
        open.insert(entry.name.clone(), Arc::downgrade(&segment));
        Ok(segment)
    }
}

/// A segment and which of its documents one version shows.
pub(crate) struct SegmentView {
    pub segment: Arc<Segment>,
    /// Ordinals that the version shows; none when it shows all of them.
    pub live: Option<Arc<Filter>>,
}

impl SegmentView {
    pub fn open(snapshot: &Snapshot, entry: &SegmentEntry, schema: &Schema, cache: &SegmentCache) -> Result<Self> {
        let segment = cache.get(snapshot, entry, schema)?;
        if entry.dead == 0 {
            return Ok(Self { segment, live: None });
        }
        let mut live = tombstones::read(snapshot.map(&format!("tombstones/{}", entry.name))?, entry.documents)?;
        live.toggle_range(..);
        if live.count_ones(..) + entry.dead as usize != entry.documents as usize {
            let detail = format!("the tombstones are not {} documents", entry.dead);
            return Err(disagree(snapshot, &entry.name, detail));
        }
        Ok(Self { segment, live: Some(Arc::new(live.into())) })
    }

    /// Whether the version shows this ordinal.
    pub fn shows(&self, ordinal: u32) -> bool {
        self.live.as_ref().is_none_or(|live| live.allowed().contains(ordinal as usize))
    }

    /// Documents that the version shows.
    pub fn documents(&self) -> usize {
        self.live.as_ref().map_or(self.segment.documents.len() as usize, |live| live.count())
    }

    /// The live ordinal with this id.
    pub fn ordinal(&self, id: &str) -> Result<Option<u32>> {
        Ok(self.segment.ids.ordinal(id)?.filter(|ordinal| self.shows(*ordinal)))
    }
}
