//! A look at an open version before it is shown to anyone: its parts agree on a sample, and queries run on it.
//!
//! A draft is checked so before it is published, and a version that this process serves next is warmed by the same look.

use crate::document::Members;
use crate::error::Result;
use crate::segment::{SegmentView, broken};
use crate::snapshot::Snapshot;
use cutover_text::{SegmentRef, TextQuery};
use cutover_vectors::Filter;

/// Documents looked at in each segment.
const SAMPLE: u32 = 64;
/// Queries tried in each segment.
const QUERIES: u32 = 4;

/// Checks a sample of every segment.
///
/// # Errors
/// [`crate::Error::Corrupt`] when ids, documents or vectors disagree; what a query reports.
pub(crate) fn check(snapshot: &Snapshot) -> Result<()> {
    for (at, view) in snapshot.segments.iter().enumerate() {
        let documents = view.segment.documents.len();
        for ordinal in spread(documents, SAMPLE).filter(|ordinal| view.shows(*ordinal)) {
            agree(snapshot, at, view, ordinal)?;
        }
        for ordinal in spread(documents, QUERIES) {
            query(snapshot, view, ordinal)?;
        }
    }
    Ok(())
}

fn spread(documents: u32, wanted: u32) -> impl Iterator<Item = u32> {
    (0..documents).step_by((documents / wanted).max(1) as usize)
}

fn agree(snapshot: &Snapshot, at: usize, view: &SegmentView, ordinal: u32) -> Result<()> {
    let id = view.segment.ids.id(ordinal)?;
    if view.segment.ids.ordinal(id)? != Some(ordinal) {
        return Err(broken(snapshot, at, &format!("the id of document {ordinal} does not lead back to it")));
    }
    let stored = view.segment.documents.get(ordinal)?;
    let members: Members<'_> = serde_json::from_str(stored)
        .map_err(|e| broken(snapshot, at, &format!("document {ordinal} is not JSON: {e}")))?;
    let named = members.0.first().filter(|(name, _)| name == "id").map(|(_, raw)| raw.get());
    if named != Some(crate::document::json_string(id)?.as_str()) {
        return Err(broken(snapshot, at, &format!("document {ordinal} is not the one that its id names")));
    }
    Ok(())
}

fn query(snapshot: &Snapshot, view: &SegmentView, ordinal: u32) -> Result<()> {
    for (index, (field, _)) in view.segment.vectors.iter().zip(snapshot.schema.vectors()) {
        if let Some(vector) = index.vector(ordinal) {
            index
                .search(&vector, 10, None, view.live.as_deref(), &|| false)
                .map_err(crate::error::Error::vectors(field))?;
        }
    }
    let words: String = view.segment.documents.get(ordinal)?.chars().take(200).collect();
    let query = TextQuery { query: words, ..TextQuery::default() };
    let segment = SegmentRef { index: &view.segment.text, allowed: view.live.as_deref().map(Filter::allowed) };
    cutover_text::search(&[segment], &query, 10, &|| false)?;
    Ok(())
}
