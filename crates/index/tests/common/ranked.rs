//! Documents of every kind of field, in one segment and in many, and every kind of ranking that is exact.

use super::{Fixture, open_with, options};
use serde_json::{Value, json};
use std::collections::HashMap;

pub const FIELDS: &str = r#"{
    "title": {"type": "text"}, "kind": {"type": "keyword", "facet": true}, "year": {"type": "integer", "facet": true},
    "tags": {"type": "keyword", "many": true, "facet": true}, "open": {"type": "boolean", "facet": true},
    "when": {"type": "date", "facet": true}, "v": {"type": "vector", "dimensions": 4}
}"#;
pub const WORDS: [&str; 9] = ["red", "green", "blue", "sky", "sea", "fox", "car", "house", "tree"];
pub const QUERY: [f32; 4] = [0.3, -0.2, 0.9, 0.1];

/// Numbers that are the same in every run.
pub struct Random(pub u64);
impl Random {
    pub fn below(&mut self, end: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % end
    }
    pub fn float(&mut self) -> f64 {
        self.below(2000) as f64 / 1000.0 - 1.0
    }
}

pub fn documents(count: u64) -> Vec<Value> {
    let mut random = Random(3);
    let mut documents: Vec<Value> = (0..count)
        .map(|n| {
            let words = random.below(8);
            let title: Vec<&str> = (0..words).map(|_| WORDS[random.below(9) as usize]).collect();
            let mut document = json!({"id": format!("{n:04}"), "title": title.join(" ")});
            let member = document.as_object_mut().unwrap();
            if random.below(5) > 0 {
                member.insert("kind".into(), WORDS[(random.below(9) * random.below(9) / 8) as usize].into());
            }
            if random.below(4) > 0 {
                member.insert("year".into(), (1950 + random.below(60)).into());
            }
            let tags: Vec<&str> = (0..random.below(3)).map(|_| WORDS[random.below(9) as usize]).collect();
            member.insert("tags".into(), tags.into());
            if random.below(3) > 0 {
                member.insert("open".into(), (random.below(2) == 0).into());
                member.insert("when".into(), (random.below(9) * 86_400_000).into());
            }
            if random.below(6) > 0 {
                member.insert("v".into(), json!([random.float(), random.float(), random.float(), random.float()]));
            }
            document
        })
        .collect();
    // Some come again, so that versions have tombstones.
    for again in (0..count as usize).step_by(7) {
        let mut document = documents[again].clone();
        document["year"] = 2020.into();
        documents.push(document);
    }
    documents
}

/// What a version shows of the documents: of equal ids the last.
pub fn shown(documents: &[Value]) -> HashMap<String, Value> {
    documents.iter().map(|document| (document["id"].as_str().unwrap().to_owned(), document.clone())).collect()
}

/// Documents in one segment, and fewer in a segment each.
pub fn fixtures() -> [(Fixture, Vec<Value>); 2] {
    [(700, 64 << 20), (40, 1)].map(|(count, build_memory_bytes)| {
        let fixture = open_with(cutover_index::Options { build_memory_bytes, ..options(Some(FIELDS)) });
        let documents = documents(count);
        fixture.rebuild(&documents, &["v"]);
        (fixture, documents)
    })
}

pub fn with(query: &Value, more: &Value) -> Value {
    let mut query = query.clone();
    query.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    query
}

pub fn vector_of(query: &Value) -> Option<&'static [f32]> {
    query.get("vector").map(|_| QUERY.as_slice())
}

/// Every kind of ranking that is exact.
pub fn queries() -> Vec<Value> {
    vec![
        json!({}),
        json!({"where": {"year": {"gte": 1980}}}),
        json!({"sort": [{"field": "kind"}, {"field": "year", "order": "desc"}]}),
        json!({"text": {"query": "red sea fox"}}),
        json!({"text": {"query": "red sea", "operator": "and"}, "where": {"open": true}}),
        json!({"text": {"query": "red sea fox"}, "sort": [{"field": "tags", "order": "desc"}, {"field": "when"}]}),
        json!({"vector": {"exact": true}}),
        json!({"vector": {"exact": true, "maxDistance": 0.7}, "where": {"not": {"kind": "red"}}}),
        json!({"text": {"query": "red sea fox"}, "vector": {"exact": true}}),
        json!({"text": {"query": "tree"}, "vector": {"exact": true, "maxDistance": 0.4}, "fusion": {"method": "convex", "vectorWeight": 0.8}}),
        json!({"text": {"query": "red sea fox"}, "vector": {"exact": true}, "where": {"year": {"lt": 2000}}, "fusion": {"method": "rrf", "k": 10}}),
    ]
}

pub fn hits(answer: &Value) -> &Vec<Value> {
    answer["hits"].as_array().unwrap()
}
