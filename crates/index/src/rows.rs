//! Hits of one leg, without documents, as rows: objects are made of them beyond the boundary, where that costs less than parsing them.
//!
//! `"leg":"vector","first":1,"ids":"a␡b","rows":[0.25,0.5]` are the hits from rank 1 on, each an id and a 32-bit distance; with the leg
//! `text`, each an id and a 32-bit BM25. What else a hit holds follows from these. The ids are one string, with U+007F between them, which JSON
//! need not escape: JavaScript looks every short string of its own up in a table of all there are.

use crate::document::json_string;
use crate::error::Result;
use crate::fusion::Candidate;
use crate::search::{Found, Hit};
use crate::snapshot::Snapshot;
use std::fmt::Write as _;
use std::hint::black_box;

/// What is between two ids.
const BETWEEN: &str = "\u{7f}";

#[derive(Clone, Copy, PartialEq, Eq)]
enum Leg {
    Text,
    Vector,
}

impl Leg {
    fn name(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Vector => "vector",
        }
    }

    /// The rank and number of a hit that holds nothing else.
    fn only(self, hit: &Candidate) -> Option<(usize, f32)> {
        let (own, score) = match (self, hit.text, hit.vector) {
            (Self::Text, Some((rank, bm25)), None) => ((rank, bm25), f64::from(bm25)),
            (Self::Vector, None, Some((rank, distance))) => ((rank, distance), 0.0 - f64::from(distance)),
            _ => return None,
        };
        (own.1.is_finite() && score.to_bits() == hit.score.to_bits()).then_some(own)
    }
}

/// The members that stand for `"hits"`; none where rows cannot hold all that there is to say.
pub(crate) fn rows(snapshot: &Snapshot, found: &Found) -> Result<Option<String>> {
    let Some(best) = found.hits.first().filter(|_| found.explanation.is_none()) else { return Ok(None) };
    let leg = if best.best.text.is_some() { Leg::Text } else { Leg::Vector };
    let Some((first, _)) = leg.only(&best.best) else { return Ok(None) };
    let ids_of = |hit: &Hit| &snapshot.segments[hit.best.segment].segment.ids;
    // They lie far from each other.
    black_box(found.hits.iter().fold(0, |sum, hit| sum ^ ids_of(hit).touch(hit.best.ordinal)));
    let ids: Vec<&str> = found.hits.iter().map(|hit| ids_of(hit).id(hit.best.ordinal)).collect::<Result<_>>()?;
    if ids.iter().any(|id| id.contains(BETWEEN)) {
        return Ok(None);
    }
    let mut rows = format!("\"leg\":\"{}\",\"first\":{first},\"ids\":", leg.name());
    push_string(&mut rows, &ids.join(BETWEEN))?;
    rows.push_str(",\"rows\":[");
    for (at, hit) in found.hits.iter().enumerate() {
        let Some((rank, number)) = leg.only(&hit.best).filter(|_| hit.group.is_none()) else { return Ok(None) };
        if rank != first + at {
            return Ok(None);
        }
        if at > 0 {
            rows.push(',');
        }
        // Writing to a string cannot fail.
        let _ = write!(rows, "{number}");
    }
    rows.push(']');
    Ok(Some(rows))
}

fn push_string(json: &mut String, text: &str) -> Result<()> {
    if text.bytes().all(|byte| byte >= b' ' && byte != b'"' && byte != b'\\') {
        json.extend(["\"", text, "\""]);
    } else {
        json.push_str(&json_string(text)?);
    }
    Ok(())
}
