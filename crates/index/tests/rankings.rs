//! Sorted, counted, fused and explained answers, against a scan over the documents and over whole rankings.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;

use common::ranked::{FIELDS, QUERY, WORDS, documents, fixtures, hits, queries, shown, vector_of, with};
use common::{hit_ids, open_with, options};
use serde_json::{Value, json};
use std::collections::BTreeMap;

#[test]
fn pages_are_parts_of_one_ranking_however_long_they_are() {
    for (fixture, _) in fixtures() {
        for query in queries() {
            let whole = fixture.search(&with(&query, &json!({"limit": 1000})), vector_of(&query));
            for (limit, offset) in [(1, 0), (10, 0), (10, 10), (7, 123), (150, 30), (10, 990), (0, 5)] {
                let page = fixture.search(&with(&query, &json!({"limit": limit, "offset": offset})), vector_of(&query));
                let expected: Vec<&Value> = hits(&whole).iter().skip(offset).take(limit).collect();
                let ids = |hits: &[&Value]| hits.iter().map(|hit| hit["id"].clone()).collect::<Vec<_>>();
                assert_eq!(
                    ids(&hits(&page).iter().collect::<Vec<_>>()),
                    ids(&expected),
                    "{limit} from {offset} of {query}"
                );
                assert_eq!(page["total"], whole["total"], "{query}");
                for (hit, expected) in hits(&page).iter().zip(expected) {
                    assert_eq!(hit["score"], expected["score"], "{query}");
                }
            }
        }
    }
}

/// Two legs asked one by one and put together here, whole.
#[test]
fn a_fused_ranking_is_that_of_the_whole_legs() {
    for (fixture, _) in fixtures() {
        for (weight, text) in [(0.4, "red sea fox"), (0.4, "tree"), (0.0, "sky"), (1.0, "sky"), (0.7, "nothing")] {
            let by_text = fixture.search(&json!({"text": {"query": text}, "limit": 1000}), None);
            let by_vector = fixture.search(&json!({"vector": {"exact": true}, "limit": 1000}), Some(&QUERY));
            let mut scores: BTreeMap<&str, f64> = BTreeMap::new();
            let number = |hit: &Value, leg: &str, of: &str| hit[leg][of].as_f64().unwrap();
            let best = hits(&by_text).first().map_or(1.0, |hit| number(hit, "text", "bm25"));
            for hit in hits(&by_text) {
                *scores.entry(hit["id"].as_str().unwrap()).or_default() +=
                    (1.0 - weight) * number(hit, "text", "bm25") / best;
            }
            let near = 1.0 - number(&hits(&by_vector)[0], "vector", "distance");
            for hit in hits(&by_vector) {
                let similarity = (1.0 - number(hit, "vector", "distance")).max(0.0);
                *scores.entry(hit["id"].as_str().unwrap()).or_default() += weight * similarity / near;
            }
            let mut expected: Vec<f64> = scores.values().copied().collect();
            expected.sort_by(|a, b| b.total_cmp(a));
            let query = json!({
                "text": {"query": text}, "vector": {"exact": true}, "limit": 20,
                "fusion": {"method": "convex", "vectorWeight": weight},
            });
            let fused = fixture.search(&query, Some(&QUERY));
            assert_eq!(hits(&fused).len(), 20);
            for (hit, expected) in hits(&fused).iter().zip(expected) {
                let (score, own) = (hit["score"].as_f64().unwrap(), scores[hit["id"].as_str().unwrap()]);
                assert!((score - expected).abs() < 1e-6 && (score - own).abs() < 1e-6, "{text} {weight}: {hit}");
            }
        }
    }
}

/// Two whole legs asked one by one, their ranks added up here.
#[test]
fn a_reciprocal_ranking_is_that_of_the_whole_legs() {
    for (fixture, _) in fixtures() {
        for (k, text) in [(60.0, "red sea fox"), (1.0, "tree"), (10.0, "nothing")] {
            let mut scores: BTreeMap<String, f64> = BTreeMap::new();
            for (query, vector) in [
                (json!({"text": {"query": text}, "limit": 1000}), None),
                (json!({"vector": {"exact": true}, "limit": 1000}), Some(QUERY.as_slice())),
            ] {
                for (at, id) in hit_ids(&fixture.search(&query, vector)).into_iter().enumerate() {
                    *scores.entry(id).or_default() += 1.0 / (k + 1.0 + at as f64);
                }
            }
            let query = json!({
                "text": {"query": text}, "vector": {"exact": true}, "limit": 1000, "fusion": {"method": "rrf", "k": k},
            });
            let fused = fixture.search(&query, Some(&QUERY));
            assert_eq!(hits(&fused).len(), scores.len());
            for hit in hits(&fused) {
                let expected = scores[hit["id"].as_str().unwrap()];
                assert!((hit["score"].as_f64().unwrap() - expected).abs() < 1e-12, "{text} {k}: {hit}");
            }
        }
    }
}

#[test]
fn reciprocal_ranks_are_completed_beyond_what_each_leg_showed() {
    let fixture = open_with(options(Some(FIELDS)));
    let documents: Vec<Value> = (0..2500_u32)
        .map(|n| {
            // The farther from the query, the better the text.
            let title = format!("{} {}", "sea ".repeat(1 + n as usize / 300), "sky ".repeat(9 - n as usize / 300));
            let angle = 0.3 + f64::from(n) / 2000.0;
            json!({"id": format!("{n:04}"), "title": title, "v": [angle.cos(), angle.sin(), 0.0, 0.0]})
        })
        .collect();
    fixture.rebuild(&documents, &["v"]);
    let (near, rrf) = ([1.0, 0.0, 0.0, 0.0], json!({"method": "rrf"}));
    let page = |limit: usize, offset: usize| {
        let query = json!({
            "text": {"query": "sea"}, "vector": {}, "limit": limit, "offset": offset, "fusion": rrf, "explain": true,
        });
        fixture.search(&query, Some(&near))
    };
    let whole = page(1000, 0);
    let best_text = hits(&whole).iter().find(|hit| hit["text"]["rank"] == 1).unwrap();
    let n: f64 = best_text["id"].as_str().unwrap().parse().unwrap();
    let distance = best_text["vector"]["distance"].as_f64().unwrap();
    assert!((distance - (1.0 - (0.3 + n / 2000.0).cos())).abs() < 1e-5, "{best_text}");
    assert!(best_text["vector"]["rank"].as_u64().unwrap() > 1000, "{best_text}");
    for hit in hits(&whole) {
        let part = |leg: &str| 1.0 / (60.0 + hit[leg]["rank"].as_f64().unwrap());
        assert!((hit["score"].as_f64().unwrap() - part("text") - part("vector")).abs() < 1e-12, "{hit}");
    }
    for (limit, offset) in [(1, 0), (10, 0), (10, 500), (50, 950)] {
        let page = page(limit, offset);
        for (hit, expected) in hits(&page).iter().zip(&hits(&whole)[offset..]) {
            assert_eq!((&hit["id"], &hit["score"]), (&expected["id"], &expected["score"]));
        }
    }
}

#[test]
fn documents_are_sorted_as_a_scan_sorts_them() {
    for (fixture, documents) in fixtures() {
        let shown = shown(&documents);
        for (field, order) in [("year", "asc"), ("year", "desc"), ("kind", "asc"), ("when", "desc"), ("open", "asc")] {
            let query = json!({"where": {"tags": "sea"}, "sort": [{"field": field, "order": order}], "limit": 1000});
            let found = hit_ids(&fixture.search(&query, None));
            let key = |id: &String| {
                shown[id].get(field).map(|value| match value {
                    Value::String(text) => text.clone(),
                    Value::Bool(is) => u8::from(*is).to_string(),
                    number => format!("{:020}", number.as_u64().unwrap()),
                })
            };
            let missing = found.iter().skip_while(|id| key(id).is_some());
            assert!(missing.clone().all(|id| key(id).is_none()), "{field} {order}: what has no value comes last");
            let keys: Vec<String> = found.iter().map_while(key).collect();
            let sorted = keys.is_sorted_by(|a, b| if order == "asc" { a <= b } else { a >= b });
            assert!(sorted, "{field} {order}: {keys:?}");
            let expected = shown.values().filter(|d| d["tags"].as_array().unwrap().contains(&"sea".into())).count();
            assert_eq!((keys.len() + missing.count(), found.len()), (expected, expected));
        }
    }
}

#[test]
fn facets_count_all_matches_with_and_without_their_own_filter() {
    let has = |document: &Value, word: &str| document["title"].as_str().unwrap().split(' ').any(|own| own == word);
    for (fixture, documents) in fixtures() {
        let shown = shown(&documents);
        let count = |passes: &dyn Fn(&Value) -> bool| shown.values().filter(|document| passes(document)).count();
        for text in [None, Some("red")] {
            let matches = |document: &Value| text.is_none_or(|word| has(document, word));
            let mut query = json!({
                "where": {"kind": ["red", "sky"], "and": [{"year": {"gte": 1980}}], "open": {"exists": true}}, "limit": 0,
                "facets": {
                    "kind": {"ignoreOwnFilter": true, "limit": 100}, "tags": {"limit": 100}, "open": {},
                    "year": {"ignoreOwnFilter": true, "ranges": [[null, 1980], [1980, 2000.5], [2000.5, null], [5, 5]]},
                    "when": {"ranges": [[86_400_000, 172_800_000]]},
                },
            });
            if let Some(word) = text {
                query["text"] = json!({"query": word});
            }
            let answer = fixture.search(&query, None);
            let by_kind = |d: &Value| d["kind"] == "red" || d["kind"] == "sky";
            let by_year = |d: &Value| d["year"].as_u64().is_some_and(|year| year >= 1980);
            let open = |d: &Value| d["open"].is_boolean() && matches(d);
            let counted = |field: &str, value: &str| {
                let all = answer["facets"][field].as_array().unwrap();
                all.iter().find(|one| one["value"] == value).map_or(0, |one| one["count"].as_u64().unwrap() as usize)
            };
            for word in WORDS {
                assert_eq!(counted("kind", word), count(&|d| d["kind"] == word && by_year(d) && open(d)), "{word}");
                let tagged = |d: &Value| d["tags"].as_array().unwrap().contains(&word.into());
                assert_eq!(
                    counted("tags", word),
                    count(&|d| tagged(d) && by_kind(d) && by_year(d) && open(d)),
                    "{word}"
                );
            }
            let within = |from: u64, to: u64| {
                count(&|d| d["year"].as_u64().is_some_and(|y| from <= y && y < to) && by_kind(d) && open(d))
            };
            let years: Vec<(&str, usize)> = [
                ("..1980", within(0, 1980)),
                ("1980..2000.5", within(1980, 2001)),
                ("2000.5..", within(2001, 3000)),
                ("5..5", 0),
            ]
            .into();
            for (at, (range, expected)) in years.into_iter().enumerate() {
                assert_eq!(answer["facets"]["year"][at], json!({"value": range, "count": expected}));
            }
            for is in [true, false] {
                assert_eq!(
                    counted("open", &is.to_string()),
                    count(&|d| d["open"] == is && by_kind(d) && by_year(d) && open(d))
                );
            }
            let day = |d: &Value| d["when"] == 86_400_000 && by_kind(d) && by_year(d) && open(d);
            assert_eq!(counted("when", "86400000..172800000"), count(&day));
        }
    }
}

#[test]
fn a_sort_a_group_or_a_facet_that_does_not_fit_is_refused_by_name() {
    let fixture = open_with(options(Some(FIELDS)));
    fixture.rebuild(&documents(3), &["v"]);
    let cases = [
        (json!({"sort": [{"field": "title"}]}), "TypeError", "title"),
        (json!({"sort": [{"field": "v"}]}), "TypeError", "\"v\""),
        (json!({"sort": [{"field": "nope"}]}), "TypeError", "nope"),
        (json!({"sort": vec![json!({"field": "kind"}); 9]}), "RangeError", "at most 8"),
        (json!({"sort": [{"field": "kind"}], "vector": {}}), "TypeError", "vector"),
        (json!({"groupBy": {"field": "year"}}), "TypeError", "year"),
        (json!({"groupBy": {"field": "kind", "hits": 101}}), "RangeError", "101"),
        (json!({"groupBy": {"field": "kind", "hits": 100}, "limit": 101}), "RangeError", "10100"),
        (json!({"facets": {"kind": {"ranges": [[1, 2]]}}}), "TypeError", "kind"),
        (json!({"facets": {"year": {"ranges": []}}}), "RangeError", "year"),
        (json!({"facets": {"title": {}}}), "TypeError", "title"),
        (json!({"text": {"query": "a", "mode": "regex", "fuzzy": 1}}), "TypeError", "fuzzy"),
        (json!({"text": {"query": "a", "fuzzy": 3}}), "RangeError", "fuzzy"),
    ];
    for (query, code, named) in cases {
        let error = fixture.try_search(&query, vector_of(&query)).unwrap_err();
        assert_eq!(error.code(), code, "{query}: {error}");
        assert!(error.to_string().contains(named), "{query}: {error}");
    }
}

/// What each leg adds is the score, and is made of what is said beside it.
#[test]
fn explanations_add_up_to_the_score() {
    for (fixture, _) in fixtures() {
        for query in queries() {
            let plain = fixture.search(&query, vector_of(&query));
            let mut explained = fixture.search(&with(&query, &json!({"explain": true})), vector_of(&query));
            let of_query = explained["explanation"].take();
            let allowed = fixture.index.snapshot(None).unwrap().count(query.get("where")).unwrap();
            assert_eq!(of_query["allowed"], allowed);
            assert_eq!(of_query.get("fusion").is_some(), query.get("text").is_some() && query.get("vector").is_some());
            for (hit, plain) in hits(&explained).iter().zip(hits(&plain)) {
                let explanation = &hit["explanation"];
                assert_eq!((&hit["id"], &hit["score"]), (&plain["id"], &plain["score"]));
                assert_eq!(explanation["score"].as_f64(), plain["score"].as_f64());
                let mut sum = 0.0;
                for leg in ["text", "vector"] {
                    let Some(part) = explanation.get(leg) else { continue };
                    let number = |name: &str| part[name].as_f64().unwrap();
                    sum += number("adds");
                    if part.get("weight").is_some() {
                        assert!((number("weight") * number("normalised") - number("adds")).abs() < 1e-12, "{part}");
                    }
                    if leg == "text" {
                        let terms = part["terms"].as_array().unwrap().iter().map(|term| term["adds"].as_f64().unwrap());
                        assert!((terms.sum::<f64>() - number("bm25")).abs() < 1e-5 * number("bm25"), "{part}");
                    }
                    let value = if leg == "text" { "bm25" } else { "distance" };
                    if hit.get(leg).is_some() {
                        assert_eq!(part[value], hit[leg][value]);
                    }
                }
                assert!((sum - hit["score"].as_f64().unwrap()).abs() < 1e-12, "{query}: {hit}");
            }
        }
        let near = fixture.search(&json!({"vector": {}, "where": {"kind": "red"}, "explain": true}), Some(&QUERY));
        let plans = near["explanation"]["vector"].as_array().unwrap();
        let measured = plans.iter().map(|plan| plan["measured"].as_u64().unwrap());
        assert!(plans.iter().all(|plan| plan["strategy"] == "scan") && measured.sum::<u64>() > 0, "{plans:?}");
        let mut segments: Vec<&str> = plans.iter().map(|plan| plan["segment"].as_str().unwrap()).collect();
        segments.dedup();
        assert_eq!(segments.len(), plans.len(), "each segment tells of itself");
        for plan in plans {
            let (allowed, vectors) = (plan["allowed"].as_f64().unwrap(), plan["vectors"].as_f64().unwrap());
            let share = if vectors > 0.0 { allowed / vectors } else { 0.0 };
            assert!((plan["selectivity"].as_f64().unwrap() - share).abs() < 1e-12, "{plan}");
            assert_eq!(plan["scanEstimate"], plan["allowed"]);
            // What was estimated is what decided, and what it took is told beside it.
            assert!(plan["scanEstimate"].as_u64() <= plan["walkEstimate"].as_u64(), "{plan}");
            // Some of what is allowed has no vector.
            assert!(plan["measured"].as_u64() <= plan["allowed"].as_u64(), "{plan}");
            assert!(plan["reason"].as_str().unwrap().contains(&plan["walkEstimate"].to_string()), "{plan}");
        }
        let grouped = json!({"text": {"query": "red sea"}, "groupBy": {"field": "kind"}, "explain": true});
        for hit in hits(&fixture.search(&grouped, None)) {
            let all = hit["group"]["hits"].as_array().unwrap();
            assert!(all.iter().all(|hit| hit["explanation"]["score"] == hit["score"]));
        }
    }
}
