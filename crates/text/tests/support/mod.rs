//! What the tests of the text layer share: small indexes from documents in memory, and a source of arbitrary but repeatable choices.
#![expect(dead_code, reason = "each test binary uses a part of it")]
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::path::PathBuf;

use cutover_durable::fs::Written;
use cutover_durable::{Map, fs};
use cutover_text::{
    Analyzer, Case, FieldKind, FieldSpec, Operator, SegmentRef, TextBuilder, TextIndex, TextPlan, TextQuery,
    TextSchema, Value,
};
use tempfile::TempDir;

/// An index over a container in a directory of its own.
pub struct Built {
    pub directory: TempDir,
    pub path: PathBuf,
    pub written: Written,
    pub index: TextIndex,
}

/// Builds one segment. Documents are lists of (field number, value).
pub fn build(schema: &TextSchema, documents: &[Vec<(usize, Value<'_>)>]) -> Built {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("text");
    let mut builder = TextBuilder::new(schema).unwrap();
    for (ordinal, values) in documents.iter().enumerate() {
        builder.add(ordinal as u32, values).unwrap();
    }
    assert_eq!(builder.len() as usize, documents.len());
    let written = builder.finish(fs::create(&path).unwrap()).unwrap();
    let index = TextIndex::open(Map::open(&path).unwrap(), schema).unwrap();
    assert_eq!(index.len() as usize, documents.len());
    Built { directory, path, written, index }
}

/// Builds one segment of documents with one text each, in field 0.
pub fn texts(schema: &TextSchema, documents: &[&str]) -> Built {
    let documents: Vec<_> = documents.iter().map(|text| vec![(0, Value::Text(text))]).collect();
    build(schema, &documents)
}

pub fn field(name: &str, kind: FieldKind) -> FieldSpec {
    FieldSpec { name: name.to_owned(), kind }
}

pub fn text(name: &str, boost: f32) -> FieldSpec {
    field(name, FieldKind::Text { analyzer: Analyzer::Standard, boost, case: Case::Insensitive })
}

/// A schema with one text field, `body`.
pub fn body() -> TextSchema {
    TextSchema { fields: vec![text("body", 1.0)] }
}

pub fn words(query: &str, operator: Operator) -> TextQuery {
    TextQuery { query: query.to_owned(), operator, ..TextQuery::default() }
}

pub fn plan(segments: &[SegmentRef<'_>], query: &TextQuery) -> TextPlan {
    TextPlan::new(segments, query, &never).unwrap()
}

pub fn all(index: &TextIndex) -> SegmentRef<'_> {
    SegmentRef { index, allowed: None }
}

pub fn never() -> bool {
    false
}

/// Arbitrary choices, the same in every run.
pub struct Choices(pub u64);

impl Choices {
    /// A number below `end`.
    pub fn below(&mut self, end: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let mixed = (self.0 ^ (self.0 >> 31)).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        ((mixed >> 32) as usize) % end
    }

    /// `count` words of a vocabulary of `end`.
    pub fn words(&mut self, count: usize, end: usize) -> String {
        let words: Vec<String> = (0..count).map(|_| format!("w{}", self.skewed(end))).collect();
        words.join(" ")
    }

    /// True once in `times`.
    pub fn once_in(&mut self, times: usize) -> bool {
        self.below(times) == 0
    }

    /// A number below `end`, small ones far more often: about as words are distributed.
    pub fn skewed(&mut self, end: usize) -> usize {
        let bound = 1 + self.below(end);
        let bound = 1 + self.below(bound);
        self.below(bound)
    }
}
