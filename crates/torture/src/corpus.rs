//! A search index whose every answer can be told right or wrong from the version it names.

use std::path::Path;

use cutover_index::{
    Cancel, Error, Index, Keep, Models, OnCorrupt, Options, Packed, Query, Schema, StoreOptions, Wait, WriteOptions,
};
use cutover_store::Integrity;
use serde_json::{Value, json};

const FIELDS: &str = r#"{
    "title": {"type": "text"}, "version": {"type": "keyword", "facet": true}, "n": {"type": "integer"},
    "v": {"type": "vector", "dimensions": 4, "metric": "l2"}
}"#;

/// Documents of a version, when nothing else is asked for.
pub const DOCUMENTS: usize = 40;

/// Opens, and with the first write creates, an index.
pub fn open(path: &Path, integrity: Integrity) -> Result<Index, Error> {
    let options = Options {
        fields: Some(Schema::from_json(FIELDS)?),
        models: Models::default(),
        store: StoreOptions { create: true, integrity, ..StoreOptions::default() },
        strict: false,
        on_corrupt: OnCorrupt::Refuse,
        keep: Keep { versions: 1000, ..Keep::default() },
        search_threads: 1,
        build_threads: 1,
        build_memory_bytes: 32 << 20,
    };
    Index::open(path, options)
}

/// Publishes a version whose documents all carry its name.
pub fn publish(index: &Index, name: Option<&str>, documents: usize) -> Result<(), Error> {
    let cancel = Cancel::default();
    let options = WriteOptions {
        operation: "torture".to_owned(),
        version: name.map(str::to_owned),
        wait: Wait::new(Some(60_000.0), None),
        activate: true,
        attributes: serde_json::Map::new(),
        skip_invalid: false,
    };
    let mut draft = index.begin(options, &cancel)?;
    let name = name.unwrap_or("generated");
    let (mut lines, mut vectors) = (String::new(), Vec::new());
    for n in 0..documents {
        let document = json!({"id": format!("d{n}"), "title": format!("word{} of {name}", n % 7), "version": name, "n": n, "v": 4});
        lines.push_str(&document.to_string());
        lines.push('\n');
        vectors.extend([n as f32, 0.5, (n % 5) as f32, 1.0]);
    }
    draft.add(&lines, Packed { vectors: &vectors, texts: "" }, &cancel)?;
    draft.complete(&cancel)?;
    draft.publish(&cancel).map(drop)
}

/// The version that answered, and what: ids in order, scores, documents.
pub fn answers(index: &Index, version: Option<&str>) -> Result<(String, Vec<String>), Error> {
    let snapshot = index.snapshot(version)?;
    let id = snapshot.id().to_string();
    let mut answers = Vec::new();
    for (query, vector) in [
        (json!({"text": {"query": "word3"}, "limit": 50}), None),
        (json!({"vector": {}, "limit": 9}), Some([7.2_f32, 0.5, 2.0, 1.0])),
        (json!({"text": {"query": "word1"}, "vector": {}, "limit": 9}), Some([3.1_f32, 0.5, 2.0, 1.0])),
        (json!({"where": {"n": {"lt": 5}}, "limit": 9}), None),
    ] {
        let query = Query::from_json(&query.to_string())?;
        let answer = snapshot.search(&query, vector.as_ref().map(<[f32; 4]>::as_slice), &Cancel::default())?;
        answers.push(without_times(&answer.json));
    }
    let ids: Vec<String> = (0..=DOCUMENTS).map(|n| format!("d{n}")).collect();
    let documents = snapshot.get_many(&ids, None)?;
    answers.push(format!("{} {:?}", documents.json, documents.vectors));
    Ok((id, answers))
}

/// An answer, less what no two runs have in common.
fn without_times(json: &str) -> String {
    let mut answer: Value = serde_json::from_str(json).unwrap_or_default();
    if let Some(answer) = answer.as_object_mut() {
        answer.retain(|name, _| matches!(name.as_str(), "hits" | "total"));
    }
    answer.to_string()
}
