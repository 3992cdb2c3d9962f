//! What queries answer, against the plainest reading of what was written.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;

use common::{hit_ids, open, open_with, options};
use serde_json::{Value, json};

const FIELDS: &str = r#"{
    "title": {"type": "text"}, "kind": {"type": "keyword", "facet": true}, "year": {"type": "integer"},
    "tags": {"type": "keyword", "many": true}, "open": {"type": "boolean"}, "when": {"type": "date"},
    "v": {"type": "vector", "dimensions": 2, "metric": "l2"}
}"#;

fn library() -> Vec<Value> {
    vec![
        json!({"id": "a", "title": "the red fox", "kind": "animal", "year": 1990, "tags": ["x", "y"], "open": true, "v": [0.0, 1.0]}),
        json!({"id": "b", "title": "a red car", "kind": "thing", "year": 2001, "tags": ["y"], "open": false, "v": [0.0, 2.0]}),
        json!({"id": "c", "title": "blue sky", "kind": "thing", "year": 2010, "when": "2024-02-29", "v": [0.0, 3.0]}),
        json!({"id": "d", "title": "nothing of note", "kind": null, "year": null}),
    ]
}

#[test]
fn text_vector_and_hybrid_queries_find_what_a_scan_finds() {
    let fixture = open(FIELDS);
    fixture.rebuild(&library(), &["v"]);
    let mut red = fixture.ids(&json!({"text": {"query": "red"}}), None);
    red.sort();
    assert_eq!(red, ["a", "b"]);
    assert_eq!(fixture.ids(&json!({"vector": {}}), Some(&[0.0, 2.9])), ["c", "b", "a"]);
    let hybrid = fixture.search(&json!({"text": {"query": "red"}, "vector": {}}), Some(&[0.0, 2.0]));
    assert_eq!(hit_ids(&hybrid)[0], "b");
    assert_eq!(hybrid["hits"][0]["vector"]["distance"], 0.0);
    let sky = hybrid["hits"].as_array().unwrap().iter().find(|hit| hit["id"] == "c").unwrap();
    assert!(sky.get("text").is_none(), "a document without the word has no text score: {sky}");
    assert_eq!(hybrid["total"], 4, "a query with a vector leg counts what its filter allows");
}

#[test]
fn both_legs_complete_each_others_hits() {
    let fixture = open(FIELDS);
    let mut documents = Vec::new();
    for n in 0..400 {
        // The only document with the word is the furthest from the query: the vector leg alone would never reach it.
        let title = if n == 399 { "needle" } else { "hay" };
        documents.push(json!({"id": format!("{n:03}"), "title": title, "v": [f64::from(n), 0.0]}));
    }
    fixture.rebuild(&documents, &["v"]);
    let answer = fixture.search(&json!({"text": {"query": "needle"}, "vector": {}, "limit": 200}), Some(&[0.0, 0.0]));
    let needle = answer["hits"].as_array().unwrap().iter().find(|hit| hit["id"] == "399").unwrap();
    assert_eq!(needle["vector"]["distance"], 399.0 * 399.0);
    assert!(needle["text"]["bm25"].as_f64().unwrap() > 0.0);
}

#[test]
fn filters_hold_in_every_leg() {
    let fixture = open(FIELDS);
    fixture.rebuild(&library(), &["v"]);
    let cases = [
        (json!({"kind": "thing"}), vec!["b", "c"]),
        (json!({"kind": ["thing", "animal"]}), vec!["a", "b", "c"]),
        (json!({"kind": {"notIn": ["thing"]}}), vec!["a", "d"]),
        (json!({"kind": {"exists": false}}), vec!["d"]),
        (json!({"tags": "y"}), vec!["a", "b"]),
        (json!({"year": {"gt": 1990, "lte": 2010}}), vec!["b", "c"]),
        (json!({"year": [1990, 2010]}), vec!["a", "c"]),
        (json!({"open": false}), vec!["b"]),
        (json!({"open": [false, true]}), vec!["a", "b"]),
        (json!({"year": {"in": [1990, 2010], "notIn": [2010]}}), vec!["a"]),
        (json!({"when": {"in": ["2024-02-29"]}}), vec!["c"]),
        (json!({"kind": {"prefix": "th"}}), vec!["b", "c"]),
        (json!({"kind": {"glob": "t*g"}}), vec!["b", "c"]),
        (json!({"tags": {"glob": ["*", "!y"]}}), vec!["a"]),
        (json!({"tags": {"glob": ["!x", "!y"]}}), vec![]),
        (json!({"when": {"gte": 1_709_164_800_000_i64}}), vec!["c"]),
        (json!({"ids": ["a", "zzz", "d"]}), vec!["a", "d"]),
        (json!({"not": {"kind": "thing"}, "year": {"exists": true}}), vec!["a"]),
        (json!({"or": [{"ids": ["d"]}, {"and": [{"kind": "thing"}, {"open": false}]}]}), vec!["b", "d"]),
        (json!({"or": []}), vec![]),
    ];
    for (filter, expected) in cases {
        let mut browsed = fixture.ids(&json!({"where": filter}), None);
        browsed.sort();
        assert_eq!(browsed, expected, "browsing {filter}");
        let mut near = fixture.ids(&json!({"where": filter, "vector": {}}), Some(&[0.0, 0.0]));
        near.sort();
        let with_vector: Vec<_> = expected.iter().copied().filter(|id| *id != "d").collect();
        assert_eq!(near, with_vector, "vector {filter}");
        let answer = fixture.search(&json!({"where": filter, "text": {"query": "red blue"}}), None);
        let mut words = hit_ids(&answer);
        words.sort();
        let total = words.len();
        assert_eq!(words, with_vector, "text {filter}");
        assert_eq!(answer["total"], total);
        assert_eq!(fixture.index.snapshot(None).unwrap().count(Some(&filter)).unwrap(), expected.len() as u64);
    }
}

#[test]
fn several_segments_answer_as_one() {
    let one = open(FIELDS);
    let many = open_with(cutover_index::Options { build_memory_bytes: 1, ..options(Some(FIELDS)) });
    let words = ["red", "green", "blue", "sky", "sea"];
    let documents: Vec<Value> = (0..60_u32)
        .map(|n| {
            let title: Vec<&str> = words.iter().enumerate().filter(|(at, _)| n >> at & 1 == 1).map(|(_, word)| *word).collect();
            json!({"id": format!("{n:02}"), "title": title.join(" "), "kind": words[n as usize % 5], "v": [f64::from(n % 7), f64::from(n)]})
        })
        .collect();
    one.rebuild(&documents, &["v"]);
    many.rebuild(&documents, &["v"]);
    let queries = [
        (json!({"text": {"query": "red sea"}, "limit": 60}), None),
        (json!({"text": {"query": "red sea", "operator": "and"}, "limit": 60}), None),
        (json!({"vector": {"exact": true}, "limit": 60}), Some([3.0_f32, 20.0])),
        (json!({"text": {"query": "blue"}, "vector": {"exact": true}, "limit": 30}), Some([3.0, 20.0])),
        (json!({"where": {"kind": "sea"}, "facets": {"kind": {}}, "limit": 60}), None),
        (json!({"text": {"query": "blue"}, "facets": {"kind": {"limit": 3}}, "limit": 0}), None),
    ];
    for (query, vector) in queries {
        let vector = vector.as_ref().map(<[f32; 2]>::as_slice);
        let (a, b) = (one.search(&query, vector), many.search(&query, vector));
        for member in ["hits", "total", "facets"] {
            assert_eq!(a.get(member), b.get(member), "{member} of {query}");
        }
    }
}

#[test]
fn limits_offsets_and_selection_are_exact() {
    let fixture = open(FIELDS);
    fixture.rebuild(&library(), &["v"]);
    let count = fixture.search(&json!({"text": {"query": "red"}, "limit": 0}), None);
    assert_eq!((count["hits"].as_array().unwrap().len(), &count["total"]), (0, &json!(2)));
    assert_eq!(fixture.ids(&json!({"limit": 10_000}), None), ["a", "b", "c", "d"]);
    assert_eq!(fixture.ids(&json!({"limit": 2, "offset": 1}), None), ["b", "c"]);
    assert!(fixture.ids(&json!({"offset": 9}), None).is_empty());
    let picked = fixture.search(&json!({"where": {"ids": ["a"]}, "select": ["year", "v"]}), None);
    assert_eq!(picked["hits"][0]["document"], json!({"id": "a", "year": 1990, "v": 0}));
    let bare = fixture.search(&json!({"limit": 1, "select": false}), None);
    assert!(bare["hits"][0].get("document").is_none());
    let whole = fixture.search(&json!({"where": {"ids": ["c"]}}), None);
    let expected =
        json!({"id": "c", "title": "blue sky", "kind": "thing", "year": 2010, "when": 1_709_164_800_000_i64});
    assert_eq!(whole["hits"][0]["document"], expected, "dates are stored as milliseconds, nulls and vectors left out");
}

#[test]
fn a_query_that_does_not_fit_is_refused_by_name() {
    let fixture = open(FIELDS);
    fixture.rebuild(&library(), &["v"]);
    let cases = [
        (json!({"limit": 10_001}), None, "RangeError", "10001"),
        (json!({"limit": 1, "offset": 10_000}), None, "RangeError", "offset"),
        (json!({"vector": {}}), Some(vec![1.0_f32]), "RangeError", "dimensions"),
        (json!({"vector": {}}), Some(vec![1.0, f32::NAN]), "RangeError", "NaN"),
        (json!({"vector": {"field": "title"}}), Some(vec![1.0, 2.0]), "TypeError", "title"),
        (json!({"where": {"colour": "red"}}), None, "TypeError", "colour"),
        (json!({"where": {"title": "red"}}), None, "TypeError", "title"),
        (json!({"where": {"kind": {"gt": 3}}}), None, "TypeError", "gt"),
        (json!({"where": {"year": "x"}}), None, "TypeError", "year"),
        (json!({"where": {"year": {"prefix": "x"}}}), None, "TypeError", "prefix"),
        (json!({"where": {"kind": {"prefix": 3}}}), None, "TypeError", "prefix"),
        (json!({"where": {"kind": {"glob": ["a["]}}}), None, "RangeError", "where.kind.glob"),
        (json!({"where": {"kind": {"glob": []}}}), None, "RangeError", "where.kind.glob"),
        (json!({"where": {"or": vec![json!({}); 5000]}}), None, "RangeError", "conditions"),
        (json!({"where": {"ids": [3]}}), None, "TypeError", "ids"),
        (json!({"select": ["nope"]}), None, "TypeError", "nope"),
        (json!({"facets": {"year": {}}}), None, "TypeError", "year"),
        (json!({"text": {"query": "x", "fields": [["kind", 1.0]]}}), None, "TypeError", "kind"),
        (json!({"txt": "x"}), None, "TypeError", "txt"),
    ];
    for (query, vector, code, named) in cases {
        let error = fixture.try_search(&query, vector.as_deref()).unwrap_err();
        assert_eq!(error.code(), code, "{query}: {error}");
        assert!(error.to_string().contains(named), "{query}: {error}");
    }
    let mut deep = json!({"kind": "thing"});
    for _ in 0..40 {
        deep = json!({"not": deep});
    }
    assert_eq!(fixture.try_search(&json!({"where": deep}), None).unwrap_err().code(), "RangeError");
}
