//! Why a query found what it found: of the whole query what was allowed and how the legs went, of each hit the parts of its score.
//!
//! The parts of a hit's score add up to it.

use crate::error::{Error, Result};
use crate::fusion::{Candidate, convex_parts, reciprocal, share, similarity};
use crate::legs::Legs;
use crate::query::Fusion;
use crate::ranking::{Ranked, Ranking, Scale};
use cutover_vectors::{Metric, Strategy, VectorPlan};
use serde::Serialize;
use serde_json::{Value, json};
use std::collections::HashMap;

/// An explanation in the words of the public API.
#[derive(Debug)]
pub(crate) struct Explanation {
    /// Of the query.
    pub query: Value,
    /// Of each hit, by its place.
    pub hits: HashMap<(usize, u32), Value>,
}

/// What a leg adds to a score, and from what.
#[derive(Debug, Default, Serialize)]
#[serde(rename_all = "camelCase")]
struct Part {
    #[serde(skip_serializing_if = "Option::is_none")]
    rank: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    bm25: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    distance: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    similarity: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    best: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    normalised: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    weight: Option<f64>,
    adds: f64,
}

/// Explains a query that found `hits`.
///
/// # Errors
/// What reading the documents' terms again can meet.
pub(crate) fn explain<'a>(
    legs: Legs<'_>,
    ranking: Ranking<'_>,
    ranked: &Ranked,
    hits: impl Iterator<Item = &'a Candidate>,
) -> Result<Explanation> {
    let (mut explained, segments) = (HashMap::new(), legs.segments());
    for hit in hits {
        let value = serde_json::to_value(parts(ranking, ranked.fused, hit));
        let mut value = value.map_err(|e| Error::Internal(format!("writing an explanation: {e}")))?;
        value["score"] = json!(hit.score);
        if let (Some(plan), Some(_)) = (ranking.text(), value.get("text")) {
            legs.cancel.check()?;
            if let Some(told) = plan.explain(&segments, (hit.segment, hit.ordinal))? {
                value["text"]["terms"] = told.parts.iter().map(term).collect();
                (value["text"]["k1"], value["text"]["b"]) = (json!(told.k1), json!(told.b));
            }
        }
        explained.insert((hit.segment, hit.ordinal), value);
    }
    let (documents, allowed) = (legs.snapshot.all.documents, legs.allowed.documents);
    let mut query = json!({
        "documents": documents,
        "allowed": allowed,
        "selectivity": share(allowed as f64, documents as f64),
    });
    if !ranked.plans.is_empty() {
        let segments = legs.snapshot.segments.iter().map(|view| view.segment.name.as_str());
        query["vector"] = segments.zip(&ranked.plans).map(|(segment, one)| plan(segment, one)).collect();
    }
    if let (Ranking::Hybrid(hybrid), Some(Scale { bests, depth })) = (ranking, ranked.fused) {
        query["fusion"] = match hybrid.fusion {
            Fusion::Convex { vector_weight } => json!({
                "method": "convex", "vectorWeight": vector_weight, "bestText": bests.text,
                "bestSimilarity": bests.similarity, "depth": depth,
            }),
            Fusion::Rrf { k } => json!({ "method": "rrf", "k": k, "depth": depth }),
        };
    }
    Ok(Explanation { query, hits: explained })
}

/// What a word or a phrase of the query adds to the text's score.
fn term(part: &cutover_text::Part) -> Value {
    let field = |field: &cutover_text::PartField| {
        json!({
            "field": field.field, "term": field.term, "occurrences": field.occurrences, "weight": field.weight,
            "length": field.length,
        })
    };
    json!({
        "word": part.word, "idf": part.idf, "boost": part.boost, "frequency": part.frequency, "norm": part.norm,
        "adds": part.score, "fields": part.fields.iter().map(field).collect::<Value>(),
    })
}

/// Which way one segment's vectors were searched, and why.
fn plan(segment: &str, plan: &VectorPlan) -> Value {
    let VectorPlan { vectors, allowed, walk_estimate, .. } = *plan;
    let walks = format!("the cheapest walk was expected to cost as much as a scan of {walk_estimate}");
    let (strategy, reason) = match plan.strategy {
        Strategy::Scan => ("scan", format!("{allowed} of {vectors} vectors may be found, and {walks}")),
        Strategy::Walk => ("walk", format!("all {vectors} vectors may be found, and {walks}")),
        Strategy::MaskedWalk => ("masked-walk", format!("{allowed} of {vectors} vectors may be found, and {walks}")),
        Strategy::FilteredWalk => {
            ("filtered-walk", format!("{allowed} of {vectors} vectors may be found, and {walks}"))
        }
        Strategy::CellWalk => (
            "cell-walk",
            format!("{allowed} of {vectors} vectors may be found, or few of those near the query, and {walks}"),
        ),
        Strategy::CellScan => (
            "cell-scan",
            format!(
                "of the {allowed} vectors that may be found the nearest may be on all sides, so none could be left out unseen"
            ),
        ),
        Strategy::WalkThenScan => (
            "walk-then-scan",
            format!("few of the {allowed} vectors that may be found are near, so a walk could not tell which are"),
        ),
    };
    json!({
        "segment": segment, "strategy": strategy, "reason": reason, "vectors": vectors, "allowed": allowed,
        "selectivity": share(allowed as f64, vectors as f64), "scanEstimate": allowed, "ef": plan.ef,
        "walkEstimate": plan.walk_estimate, "measured": plan.measured, "hops": plan.hops, "reranked": plan.reranked,
    })
}

/// The parts of a hit's score, by leg.
fn parts(ranking: Ranking<'_>, scale: Option<Scale>, hit: &Candidate) -> HashMap<&'static str, Part> {
    let (bm25, distance) = (hit.text.map(|(_, bm25)| f64::from(bm25)), hit.vector.map(|(_, d)| f64::from(d)));
    let mut parts = HashMap::new();
    match ranking {
        Ranking::Browse(_) => {}
        Ranking::Text(_) | Ranking::SortedText(..) => {
            parts.insert("text", Part { bm25: Some(hit.score), adds: hit.score, ..Part::default() });
        }
        Ranking::Vector(_) => {
            parts.insert("vector", Part { distance, adds: hit.score, ..Part::default() });
        }
        Ranking::Hybrid(hybrid) => {
            let (mut text, mut vector) =
                (Part { bm25, ..Part::default() }, Part { distance, ..similar(hybrid.vector.metric, hit) });
            match hybrid.fusion {
                Fusion::Rrf { k } => {
                    (text.rank, text.adds) = (hit.text.map(|(rank, _)| rank), reciprocal(k, hit.text));
                    (vector.rank, vector.adds) = (hit.vector.map(|(rank, _)| rank), reciprocal(k, hit.vector));
                }
                Fusion::Convex { vector_weight } => {
                    let bests = scale.map_or_else(Default::default, |scale| scale.bests);
                    let near = vector.similarity.unwrap_or(0.0);
                    let adds = convex_parts(vector_weight, bests, bm25.unwrap_or(0.0), near);
                    text = Part { best: Some(bests.text), weight: Some(1.0 - vector_weight), adds: adds.0, ..text };
                    text.normalised = bm25.map(|bm25| share(bm25, bests.text));
                    vector = Part { best: Some(bests.similarity), weight: Some(vector_weight), adds: adds.1, ..vector };
                    vector.normalised = vector.similarity.map(|near| share(near, bests.similarity));
                }
            }
            if hit.text.is_some() {
                parts.insert("text", text);
            }
            if hit.vector.is_some() {
                parts.insert("vector", vector);
            }
        }
    }
    parts
}

fn similar(metric: Metric, hit: &Candidate) -> Part {
    Part { similarity: hit.vector.map(|(_, distance)| similarity(metric, distance)), ..Part::default() }
}
