//! The files are, byte for byte, those that Tantivy's own writer makes of the same documents.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use proptest::prelude::*;
use tantivy::tokenizer::TokenizerManager;
use tantivy::{Index, TantivyDocument};

use super::PostingsWriter;
use crate::directory::Files;
use crate::{Analyzer, Case, FieldKind, FieldSpec, TextSchema, builder, container};

/// A document: fields and their texts, in any order.
type Document = Vec<(usize, String)>;

fn analyzers() -> Vec<Analyzer> {
    let language = |name, stop_words| Analyzer::language(name, stop_words).unwrap();
    let plain = [Analyzer::Standard, Analyzer::Simple, Analyzer::Code, Analyzer::Cjk, Analyzer::Trigram];
    plain
        .into_iter()
        .chain([language("english", false), language("english", true), language("german", false)])
        .collect()
}

/// Each analyzer in each case.
fn schema() -> TextSchema {
    let cases = [Case::Insensitive, Case::Sensitive, Case::Both];
    let kinds = analyzers().into_iter().flat_map(|analyzer| cases.map(|case| (analyzer, case)));
    let field = |(number, (analyzer, case))| {
        let kind = FieldKind::Text { analyzer, boost: 1.0, case };
        FieldSpec { name: format!("field {number}"), kind }
    };
    TextSchema { fields: kinds.enumerate().map(field).collect() }
}

fn ours(schema: &TextSchema, documents: &[Document]) -> Files {
    let mut writer = PostingsWriter::new(schema);
    for (number, document) in (0..).zip(documents) {
        for (field, text) in document {
            writer.add(number, *field, text).unwrap();
        }
        writer.end(number);
    }
    writer.finish(documents.len() as u32, |_| Ok(())).unwrap().0
}

fn tantivys(schema: &TextSchema, documents: &[Document]) -> Files {
    let (tantivy, fields) = schema.tantivy();
    let tokenizers = TokenizerManager::new();
    for analysis in schema.fields.iter().flat_map(|spec| spec.kind.analyses()) {
        tokenizers.register(&analysis.name(), analysis.document());
    }
    let files = Files::default();
    let builder = Index::builder().schema(tantivy).tokenizers(tokenizers).settings(builder::settings());
    let mut writer = builder.single_segment_index_writer(files.clone(), 4 << 20).unwrap();
    for texts in documents {
        let mut document = TantivyDocument::new();
        for (field, text) in texts {
            fields[*field].iter().for_each(|form| document.add_text(*form, text));
        }
        writer.add_document(document).unwrap();
    }
    writer.finalize().unwrap();
    files
}

fn assert_same(schema: &TextSchema, documents: &[Document]) {
    let (ours, tantivys) = (ours(schema, documents), tantivys(schema, documents));
    for extension in container::FIRST.into_iter().chain([container::LAST]) {
        let (ours, tantivys) = (ours.take(extension).unwrap(), tantivys.take(extension).unwrap());
        assert!(ours.as_slice() == tantivys.as_slice(), "{extension}: {} and {} bytes", ours.len(), tantivys.len());
    }
}

/// Every text in every field.
fn everywhere(schema: &TextSchema, texts: &[&str]) -> Vec<Document> {
    let document = |text: &&str| (0..schema.fields.len()).map(|field| (field, (*text).to_owned())).collect();
    texts.iter().map(document).collect()
}

#[test]
fn no_document_and_documents_without_a_term() {
    let schema = schema();
    assert_same(&schema, &[]);
    assert_same(&schema, &everywhere(&schema, &["", " ", "-- ** ::", "\u{301}"]));
    assert_same(&schema, &[vec![], vec![(0, "one".to_owned())], vec![], vec![]]);
    assert_same(&TextSchema::default(), &[vec![], vec![]]);
}

/// Of this library: enough for blocks of documents and of positions.
#[test]
fn source_code() {
    let lines: Vec<String> = [
        include_str!("../analyzer/code/split.rs"),
        include_str!("../query/plan.rs"),
        include_str!("../query/syntax.rs"),
        include_str!("terms.rs"),
    ]
    .iter()
    .flat_map(|file| file.lines())
    .map(str::to_owned)
    .collect();
    let schema = schema();
    let texts: Vec<&str> = lines.iter().map(String::as_str).collect();
    assert_same(&schema, &everywhere(&schema, &texts));
    let whole = texts.join("\n").repeat(12);
    assert_same(&schema, &everywhere(&schema, &[&whole, "fn", &whole]));
}

#[test]
fn several_texts_of_a_field() {
    let schema = schema();
    let parts = ["parseHTTPRequest of", "", "a", &"x".repeat(70_000), "東京 tower", "of the", "the of"];
    let document = |first: usize| {
        let texts = parts.iter().cycle().skip(first).take(parts.len());
        texts.flat_map(|text| (0..schema.fields.len()).rev().map(|field| (field, (*text).to_owned()))).collect()
    };
    assert_same(&schema, &(0..parts.len()).map(document).collect::<Vec<Document>>());
}

#[test]
fn words_that_are_too_long_and_names_that_are_data() {
    let schema = schema();
    let long = |length: usize| format!("{} end", "x".repeat(length));
    let mut texts: Vec<String> = [99, 100, 101, 255, 256, 257, 64_999, 65_000, 65_001, 65_530].map(long).into();
    for parts in [15, 16, 17, 31, 32, 33, 60] {
        texts.push(format!("{} and {}", "aB".repeat(parts), "ab_".repeat(parts)));
    }
    texts.push("ß".repeat(40_000));
    texts.push("\u{fdfa}".repeat(3_000));
    texts.push(format!("_{}Ab {}9 {}", "é".repeat(60), "Ⅷ".repeat(30), "ﬃ".repeat(20)));
    let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
    assert_same(&schema, &everywhere(&schema, &texts));
    assert_same(&schema, &everywhere(&schema, &[&texts.join(" "), &texts.join("")]));
}

/// Documents far apart, more of them than a chunk holds, and lists that just fill blocks.
#[test]
fn many_documents() {
    let schema = TextSchema { fields: schema().fields.into_iter().take(1).collect() };
    let text = |number: u32| {
        let mut text = match number {
            number if number % 1000 == 0 => "rare common".to_owned(),
            number if number % 130 < 2 => "common sometimes common".to_owned(),
            _ => "common".to_owned(),
        };
        for count in [126, 127, 128, 129, 255, 256, 257].into_iter().filter(|count| number / 7 < *count) {
            text.extend([" in", &count.to_string()]);
        }
        text
    };
    let documents: Vec<Document> = (0..40_000).map(|number| vec![(0, text(number))]).collect();
    assert_same(&schema, &documents);
    let one_in_seven: Vec<Document> = documents.into_iter().step_by(7).collect();
    assert_same(&schema, &one_in_seven);
}

/// More than a dictionary of the build thread has.
#[test]
fn many_terms() {
    let schema = TextSchema { fields: schema().fields.into_iter().take(4).collect() };
    let text =
        |number: u32| format!("w{} w{} x{}y", number % 5000, number * 7, number.wrapping_mul(2_654_435_761) % 9973);
    let documents: Vec<Document> = (0..12_000).map(|number| vec![(number as usize % 2, text(number))]).collect();
    assert_same(&schema, &documents);
}

fn texts() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        4 => "[aAbB01_$-]{1,7}",
        2 => "[ .,/\n-]{1,2}",
        2 => prop::sample::select(vec!["the ", "running ", "parseHTTPRequests ", "URLs ", "x-y", "9z", "Σας "]).prop_map(str::to_owned),
        1 => "[東京タワー\u{e01}\u{e33}한글]{1,3}",
        1 => "[e\u{301}Éßǅﬁ\u{345}Ⅷ\u{200d}\u{fe0f}٣İ]{1,4}",
    ];
    prop::collection::vec(piece, 0..40).prop_map(|pieces| pieces.concat())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 60, ..ProptestConfig::default() })]

    #[test]
    fn any_documents(documents in prop::collection::vec(prop::collection::vec((0_usize..24, texts()), 0..40), 0..30)) {
        assert_same(&schema(), &documents);
    }
}
