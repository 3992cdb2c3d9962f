//! The best hits of each value, against a scan over whole rankings.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;

use common::ranked::{FIELDS, fixtures, hits, queries, shown, vector_of, with};
use common::{hit_ids, open_with, options};
use serde_json::{Value, json};

#[test]
fn groups_are_those_of_a_scan_over_the_whole_ranking() {
    for (fixture, documents) in fixtures() {
        let shown = shown(&documents);
        for query in queries() {
            let whole = fixture.search(&with(&query, &json!({"limit": 1000, "select": false})), vector_of(&query));
            for field in ["kind", "tags"] {
                // In the order in which the ranking meets them, each with its hits.
                let mut groups: Vec<(&str, Vec<&str>)> = Vec::new();
                for hit in hits(&whole) {
                    let id = hit["id"].as_str().unwrap();
                    let value = &shown[id][field];
                    let mut values: Vec<&str> = match value {
                        Value::Array(all) => all.iter().map(|value| value.as_str().unwrap()).collect(),
                        one => one.as_str().into_iter().collect(),
                    };
                    values.sort_unstable();
                    values.dedup();
                    for value in values {
                        match groups.iter_mut().find(|(known, _)| *known == value) {
                            Some((_, ids)) => ids.push(id),
                            None => groups.push((value, vec![id])),
                        }
                    }
                }
                for (limit, offset, most) in [(3, 0, 1), (3, 3, 2), (5, 0, 100), (20, 0, 3), (0, 0, 3)] {
                    let more = json!({"limit": limit, "offset": offset, "groupBy": {"field": field, "hits": most}});
                    let answer = fixture.search(&with(&query, &more), vector_of(&query));
                    let found: Vec<(&str, Vec<String>)> = hits(&answer)
                        .iter()
                        .map(|hit| {
                            let ids = hit_ids(&hit["group"]);
                            assert_eq!(hit["id"], ids[0].as_str(), "the hit is the best of its group");
                            assert_eq!(hit["document"], hit["group"]["hits"][0]["document"]);
                            (hit["group"]["value"].as_str().unwrap(), ids)
                        })
                        .collect();
                    let expected: Vec<(&str, Vec<String>)> = groups
                        .iter()
                        .skip(offset)
                        .take(limit)
                        .map(|(value, ids)| (*value, ids.iter().take(most).map(|id| (*id).to_owned()).collect()))
                        .collect();
                    assert_eq!(found, expected, "{limit} groups from {offset} of {most} by {field}: {query}");
                    assert_eq!(answer["total"], whole["total"]);
                }
            }
        }
    }
}

#[test]
fn groups_are_found_however_deep_they_lie() {
    let fixture = open_with(options(Some(FIELDS)));
    // One kind has all the best hits, the other is behind 3,000 of them.
    let documents: Vec<Value> = (0..3005_u32)
        .map(|n| {
            let (title, kind) = if n < 3000 { ("sea", "near") } else { ("sea and sky and tree and house", "far") };
            json!({"id": format!("{n:04}"), "title": title, "kind": kind, "v": [1.0, f64::from(n) / 1000.0, 0.0, 0.0]})
        })
        .collect();
    fixture.rebuild(&documents, &["v"]);
    for query in [
        json!({"text": {"query": "sea"}}),
        json!({"vector": {"exact": true}}),
        json!({"text": {"query": "sea"}, "vector": {"exact": true}}),
        json!({"sort": [{"field": "kind", "order": "desc"}]}),
    ] {
        let vector = query.get("vector").map(|_| [1.0_f32, 0.0, 0.0, 0.0]);
        let query = with(&query, &json!({"groupBy": {"field": "kind", "hits": 4}, "limit": 5}));
        let answer = fixture.search(&query, vector.as_ref().map(<[f32; 4]>::as_slice));
        let found: Vec<(&str, usize)> = hits(&answer)
            .iter()
            .map(|hit| (hit["group"]["value"].as_str().unwrap(), hit_ids(&hit["group"]).len()))
            .collect();
        assert_eq!(found, [("near", 4), ("far", 4)], "{query}");
    }
}
