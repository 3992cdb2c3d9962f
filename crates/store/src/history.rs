//! `history.jsonl`: what was done, when. Advice for people: it may lose lines, and nothing reads it to decide anything.

use cutover_durable::fs;
use serde_json::json;

use crate::{VersionId, holder::now_ms, layout::Layout};

/// The length in bytes beyond which the history is set aside and begun anew.
const ROTATED_AT: u64 = 1024 * 1024;

/// What happened to a version.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Event {
    Published,
    Prepared,
    Activated,
    RolledBack,
    Pruned,
    Discarded,
    Repaired,
    Adopted,
}

impl Event {
    fn name(self) -> &'static str {
        match self {
            Self::Published => "published",
            Self::Prepared => "prepared",
            Self::Activated => "activated",
            Self::RolledBack => "rolled-back",
            Self::Pruned => "pruned",
            Self::Discarded => "discarded",
            Self::Repaired => "repaired",
            Self::Adopted => "adopted",
        }
    }
}

/// Adds a line. It is advice: a failure changes nothing.
pub(crate) fn record(layout: &Layout, event: Event, version: &VersionId, from: Option<&VersionId>) {
    let path = layout.history();
    if fs::metadata(&path).is_ok_and(|metadata| metadata.len() > ROTATED_AT) {
        let _ = fs::rename(&path, &layout.old_history());
    }
    let line = json!({ "at": now_ms(), "event": event.name(), "version": version, "from": from });
    let _ = fs::append(&path, format!("{line}\n").as_bytes());
}
