//! Documents that came again in a later segment leave dead vectors in earlier graphs: walks pass through those and answer others.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;

use std::collections::BTreeSet;

use common::ranked::Random;
use common::{Fixture, hit_ids, open_with, options};
use serde_json::{Value, json};

const DIMENSIONS: usize = 24;
const QUERIES: usize = 60;
const FIELDS: &str = r#"{"round": {"type": "integer"}, "v": {"type": "vector", "dimensions": 24}}"#;

fn vector(random: &mut Random) -> Vec<f32> {
    // Around one of a few centres, as real vectors are.
    let centre = random.below(40) as usize;
    (0..DIMENSIONS).map(|at| (random.float() + if at == centre % DIMENSIONS { 2.0 } else { 0.0 }) as f32).collect()
}

fn document(id: u64, round: u64, random: &mut Random) -> Value {
    json!({"id": format!("{id:05}"), "round": round, "v": vector(random)})
}

/// Of a query's plan, the segments that have vectors: strategy, how many of them may be answered, of how many.
fn segments(answer: &Value) -> Vec<(String, u64, u64)> {
    let plans = answer["explanation"]["vector"].as_array().unwrap().iter();
    let number = |plan: &Value, name: &str| plan[name].as_u64().unwrap();
    let each = plans
        .map(|plan| (plan["strategy"].as_str().unwrap().to_owned(), number(plan, "allowed"), number(plan, "vectors")));
    each.filter(|(.., vectors)| *vectors > 0).collect()
}

fn rebuilt(documents: &[Value], build_memory_bytes: usize) -> Fixture {
    let fixture = open_with(cutover_index::Options { build_memory_bytes, build_threads: 2, ..options(Some(FIELDS)) });
    fixture.rebuild(documents, &["v"]);
    fixture
}

#[test]
fn half_of_a_segment_deleted_costs_no_recall() {
    let mut random = Random(11);
    let mut documents: Vec<Value> = (0..16_000).map(|id| document(id, 1, &mut random)).collect();
    for round in [2, 3] {
        documents.extend((0..16_000).step_by(2).map(|id| document(id, round, &mut random)));
    }
    let fixture = rebuilt(&documents, 112 << 20);

    let (mut found, mut walked) = (0, BTreeSet::new());
    for _ in 0..QUERIES {
        let query = vector(&mut random);
        let near = fixture.search(&json!({"vector": {}, "explain": true}), Some(&query));
        let exact: BTreeSet<String> =
            fixture.ids(&json!({"vector": {"exact": true}}), Some(&query)).into_iter().collect();
        let ids = hit_ids(&near);
        assert_eq!(ids.len(), 10);
        found += ids.iter().filter(|id| exact.contains(*id)).count();
        for hit in near["hits"].as_array().unwrap() {
            let even = hit["id"].as_str().unwrap().parse::<u64>().unwrap().is_multiple_of(2);
            assert_eq!(hit["document"]["round"], if even { 3 } else { 1 }, "a vector that was replaced answers: {hit}");
        }
        for (strategy, allowed, vectors) in segments(&near) {
            if strategy.ends_with("walk") && allowed * 10 < vectors * 6 {
                assert!(allowed * 10 > vectors * 4, "about half of it is deleted: {allowed} of {vectors}");
                walked.insert(strategy);
            }
        }
    }
    assert!(!walked.is_empty(), "no segment with deleted vectors was walked");
    let recall = found as f64 / (10 * QUERIES) as f64;
    assert!(recall >= 0.97, "recall@10 {recall} with half of a segment deleted");
}

#[test]
fn a_segment_that_is_all_deleted_answers_nothing() {
    let mut random = Random(12);
    let mut documents: Vec<Value> = (0..9_000).map(|id| document(id, 1, &mut random)).collect();
    documents.extend((0..9_000).map(|id| document(id, 2, &mut random)));
    let fixture = rebuilt(&documents, 2 << 20);
    assert_eq!(fixture.index.snapshot(None).unwrap().count(None).unwrap(), 9_000);

    let query = vector(&mut random);
    for vector in [json!({}), json!({"exact": true}), json!({"maxDistance": 0.9})] {
        let near = fixture.search(&json!({"vector": vector, "limit": 9000, "explain": true}), Some(&query));
        let hits = near["hits"].as_array().unwrap();
        assert!(hits.iter().all(|hit| hit["document"]["round"] == 2));
        if vector.get("maxDistance").is_none() {
            assert_eq!(hit_ids(&near).into_iter().collect::<BTreeSet<_>>().len(), 9_000);
        }
        if vector.get("exact").is_none() {
            let dead = segments(&near).iter().filter(|(_, allowed, _)| *allowed == 0).count();
            assert!(dead > 0, "no segment is all deleted: {:?}", segments(&near));
        }
    }
}
