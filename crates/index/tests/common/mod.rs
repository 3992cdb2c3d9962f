//! An index in a temporary directory, and the shortest way to write and ask it.
#![expect(dead_code, clippy::unwrap_used, reason = "each test file uses its part; a test fails by panicking")]

pub mod ranked;

use cutover_index::{
    Cancel, Draft, Error, Index, Keep, Models, OnCorrupt, Options, Packed, Published, Query, Schema, StoreOptions,
    Wait, WriteOptions,
};
use serde_json::Value;

pub struct Fixture {
    pub index: Index,
    pub directory: tempfile::TempDir,
}

pub fn options(fields: Option<&str>) -> Options {
    Options {
        fields: fields.map(|json| Schema::from_json(json).unwrap()),
        models: Models::default(),
        store: StoreOptions { create: true, ..StoreOptions::default() },
        strict: false,
        on_corrupt: OnCorrupt::default(),
        keep: Keep::default(),
        search_threads: 2,
        build_threads: 1,
        build_memory_bytes: 64 << 20,
    }
}

pub fn open(fields: &str) -> Fixture {
    open_with(options(Some(fields)))
}

pub fn open_with(options: Options) -> Fixture {
    let directory = tempfile::tempdir().unwrap();
    let index = Index::open(directory.path(), options).unwrap();
    Fixture { index, directory }
}

pub fn write(operation: &str) -> WriteOptions {
    WriteOptions {
        operation: operation.into(),
        version: None,
        wait: Wait::new(Some(10_000.0), None),
        activate: true,
        attributes: serde_json::Map::new(),
        skip_invalid: false,
    }
}

/// Documents as lines, the arrays of vector fields taken out and packed.
pub fn pack(documents: &[Value], vector_fields: &[&str]) -> (String, Vec<f32>) {
    let (mut lines, mut packed) = (String::new(), Vec::new());
    for document in documents {
        let mut document = document.clone();
        for (name, value) in document.as_object_mut().unwrap() {
            if vector_fields.contains(&name.as_str()) && value.is_array() {
                let floats: Vec<f32> = value.as_array().unwrap().iter().map(|x| x.as_f64().unwrap() as f32).collect();
                *value = floats.len().into();
                packed.extend(floats);
            }
        }
        lines.push_str(&document.to_string());
        lines.push('\n');
    }
    (lines, packed)
}

impl Fixture {
    pub fn begin(&self) -> Draft {
        self.index.begin(write("rebuild"), &Cancel::default()).unwrap()
    }

    pub fn try_rebuild(&self, documents: &[Value], vector_fields: &[&str]) -> Result<Published, Error> {
        let cancel = Cancel::default();
        let mut draft = self.index.begin(write("rebuild"), &cancel)?;
        let (lines, packed) = pack(documents, vector_fields);
        draft.add(&lines, Packed { vectors: &packed, texts: "" }, &cancel)?;
        draft.complete(&cancel)?;
        draft.publish(&cancel)
    }

    pub fn rebuild(&self, documents: &[Value], vector_fields: &[&str]) -> Published {
        self.try_rebuild(documents, vector_fields).unwrap()
    }

    pub fn try_search(&self, query: &Value, vector: Option<&[f32]>) -> Result<Value, Error> {
        let query = Query::from_json(&query.to_string())?;
        let answer = self.index.snapshot(None)?.search(&query, vector, &Cancel::default())?;
        Ok(serde_json::from_str(&answer.json).unwrap())
    }

    pub fn search(&self, query: &Value, vector: Option<&[f32]>) -> Value {
        self.try_search(query, vector).unwrap()
    }

    pub fn ids(&self, query: &Value, vector: Option<&[f32]>) -> Vec<String> {
        hit_ids(&self.search(query, vector))
    }

    pub fn get(&self, id: &str) -> Value {
        let answer = self.index.snapshot(None).unwrap().get_many(&[id.to_owned()], None).unwrap();
        serde_json::from_str::<Vec<Value>>(&answer.json).unwrap().remove(0)
    }
}

pub fn hit_ids(answer: &Value) -> Vec<String> {
    answer["hits"].as_array().unwrap().iter().map(|hit| hit["id"].as_str().unwrap().to_owned()).collect()
}
